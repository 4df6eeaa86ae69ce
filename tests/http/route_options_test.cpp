// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// What holds for a group or a route, and what the server's errors look like.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::chunked_head;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::post_head;
using tests::post_request;
using tests::RecordedLog;
using tests::RunningServer;

void echo(const Request& request, Response& response) { response.text(request.body()); }

TEST_CASE_FIXTURE(LiveArenas, "options: body_bytes_max of the route, its group, and the server") {
  ServerOptions options;
  options.limits.body_bytes_max = 20;
  RunningServer server(
      [](Server& routes) {
        routes.post("/server", echo);
        routes.post("/more", echo, {.body_bytes_max = 40});
        Routes group = routes.group("/group", {.body_bytes_max = 10});
        group.post("/inherits", echo);
        group.post("/own", echo, {.body_bytes_max = 5});
        group.group("/inner", {.body = BodyMode::streamed}).post("/inherits", echo);
        group.group("/larger", {.body_bytes_max = 15}).post("/inherits", echo);
      },
      options);
  struct Limited {
    std::string_view target;
    std::size_t bytes_max;
  };
  for (const Limited& limited :
       {Limited{"/server", 20}, Limited{"/more", 40}, Limited{"/group/inherits", 10},
        Limited{"/group/own", 5}, Limited{"/group/inner/inherits", 10},
        Limited{"/group/larger/inherits", 15}, Limited{"/none", 20}}) {
    CAPTURE(limited.target);
    const auto& [target, bytes_max] = limited;
    for (const std::size_t bytes : {bytes_max - 1, bytes_max}) {
      CHECK(server.exchange(post_request(target, std::string(bytes, 'x'))).status ==
            (target == "/none" ? 404 : 200));
    }
    const HttpResponse response = server.exchange(post_head(target, bytes_max + 1));
    CHECK(response.status == 413);
    CHECK(response.field("Connection") == "close");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "options: request_memory_bytes_max of the route and its group") {
  RecordedLog log;
  const auto takes = [](Exchange& exchange) {
    const std::size_t bytes = std::stoul(std::string(*exchange.request().query("bytes")));
    (void)exchange.arena().alloc(bytes);
    exchange.response().text("had");
  };
  static constexpr std::size_t kMax = 1024 * 1024;
  RunningServer server([&takes](Server& routes) {
    routes.get("/server", takes);
    Routes group = routes.group("/group", {.request_memory_bytes_max = kMax});
    group.get("/inherits", takes);
    group.get("/own", takes, {.request_memory_bytes_max = 2 * kMax});
  });
  HttpClient client = server.connect();
  const auto status = [&](std::string_view target, std::size_t bytes) {
    return client.exchange(get_request(std::string(target) + "?bytes=" + std::to_string(bytes)))
        .status;
  };
  // The chunks count, and so does the one that holds the head.
  CHECK(status("/group/inherits", kMax / 4) == 200);
  CHECK(status("/group/inherits", kMax) == 503);
  CHECK(status("/group/own", kMax) == 200);
  CHECK(status("/group/own", 2 * kMax) == 503);
  CHECK(status("/server", 2 * kMax) == 200);
  CHECK(status("/server", 8 * kMax) == 503);
  CHECK(status("/group/inherits", 1) == 200);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "options: a request's memory, one byte below its max, at it, and above") {
  static constexpr std::size_t kMiB = 1024 * 1024;
  RecordedLog log;
  /// A handler that takes all that `max` leaves in one block, and so many bytes more or fewer.
  const auto takes_all = [](std::size_t max) {
    return [max](Exchange& exchange) {
      Arena& arena = exchange.arena();
      const std::size_t left = max - arena.bytes_reserved();
      const std::size_t more = std::stoul(std::string(*exchange.request().query("more")));
      (void)arena.alloc(left - sizeof(stadion::detail::Chunk) - 1 + more);
      CHECK(arena.bytes_reserved() == max);
      exchange.response().text("had");
    };
  };
  ServerOptions options;
  options.limits.request_memory_bytes_max = 4 * kMiB;
  RunningServer server(
      [&takes_all](Server& routes) {
        routes.get("/server", takes_all(4 * kMiB));
        routes.get("/less", takes_all(3 * kMiB), {.request_memory_bytes_max = 3 * kMiB});
        routes.get("/more", takes_all(5 * kMiB), {.request_memory_bytes_max = 5 * kMiB});
      },
      options);
  HttpClient client = server.connect();
  for (const std::string target : {"/server", "/less", "/more", "/server"}) {
    CAPTURE(target);
    CHECK(client.exchange(get_request(target + "?more=0")).status == 200);
    CHECK(client.exchange(get_request(target + "?more=1")).status == 200);
    CHECK(client.exchange(get_request(target + "?more=2")).status == 503);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "options: a coroutine whose frame has no room is 503") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    const auto large_frame = [](Exchange& exchange) -> Task<> {
      char text[64 * 1024] = {};
      co_await exchange.sleep(0ms);
      exchange.response().text(text);
    };
    routes.get("/fits", large_frame);
    routes.get("/small", large_frame, {.request_memory_bytes_max = 64 * 1024});
    Routes around = routes.group("/around", {.request_memory_bytes_max = 64 * 1024});
    around.get("/small", large_frame);
    around.use({.around = [](Exchange& exchange, Next next) -> Task<> {
      try {
        co_await next();
      } catch (const ArenaFailed&) {
        exchange.fail(Status::content_too_large, "too much");
      }
    }});
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/fits")).status == 200);
  CHECK(client.exchange(get_request("/small")).status == 503);
  CHECK(client.exchange(get_request("/around/small")).body == "too much");
  CHECK(client.exchange(get_request("/fits")).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas, "on_error: makes the server's own errors, and those asked for") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.on_error([](Exchange& exchange, const Failure& failure) {
      const auto code = code_of(failure.status);
      std::string text = "{\"error\":" + std::to_string(code) + "}";
      exchange.response().header("X-Thrown", failure.exception ? "yes" : "no").json(text);
      CHECK(exchange.request().arena().bytes_used() > 0);
    });
    routes.get("/throws", [](const Request&, Response&) { throw std::runtime_error("x"); });
    routes.get("/coroutine", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      throw HttpError(Status::conflict, "x");
    });
    routes.get("/fails", [](Exchange& exchange) { exchange.fail(Status::gone, "x"); });
    routes.post("/ten", echo, {.body_bytes_max = 10});
  });
  const auto check = [&](const std::string& request, const char* code, const char* thrown) {
    CAPTURE(request);
    const HttpResponse response = server.exchange(request);
    CHECK(std::to_string(response.status) == code);
    CHECK(response.body == "{\"error\":" + std::string(code) + "}");
    CHECK(response.field("Content-Type") == "application/json");
    CHECK(response.field("X-Thrown") == thrown);
    return response;
  };
  check(get_request("/none"), "404", "no");
  CHECK(check(get_request("/ten"), "405", "no").field("Allow") == "POST, OPTIONS");
  check(get_request("/throws"), "500", "yes");
  check(get_request("/coroutine"), "409", "yes");
  check(get_request("/fails"), "410", "no");
  check(post_head("/ten", 11), "413", "no");
  check(chunked_head("/ten") + "b\r\nxxxxxxxxxxx\r\n0\r\n\r\n", "413", "no");
  check("nonsense\r\n\r\n", "400", "no");
  check("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n", "414", "no");
  check("BREW / HTTP/1.1\r\nHost: t\r\n\r\n", "501", "no");
  check("GET / HTTP/1.1\r\n\r\n", "400", "no");
}

TEST_CASE_FIXTURE(LiveArenas, "on_error: what it throws is logged, and the plain response sent") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.on_error([](Exchange& exchange, const Failure& failure) {
      exchange.response().header("X-Half", "done");
      if (failure.status == Status::not_found) {
        throw std::runtime_error("in on_error");
      }
      throw 42;
    });
    routes.get("/throws", [](const Request&, Response&) { throw std::runtime_error("first"); });
  });
  HttpClient client = server.connect();
  const HttpResponse missing = client.exchange(get_request("/none"));
  CHECK(missing.status == 404);
  CHECK(missing.count("X-Half") == 0);
  CHECK(missing.body == "There is nothing here.\n");
  CHECK(client.exchange(get_request("/throws")).status == 500);
  CHECK(client.exchange("nonsense\r\n\r\n").status == 400);
  CHECK(log.count(LogLevel::error, "in on_error") == 1);
  CHECK(log.count(LogLevel::error, "first") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "on_error: may wait for nothing, but change status and connection") {
  RunningServer server([](Server& routes) {
    routes.on_error([](Exchange& exchange, const Failure&) {
      exchange.response().status(Status{299}).text("all is well").close_connection();
    });
  });
  HttpClient client = server.connect();
  const HttpResponse response = client.exchange(get_request("/none"));
  CHECK(response.status == 299);
  CHECK(response.field("Connection") == "close");
  CHECK(client.is_at_end());
}

}  // namespace
}  // namespace stadion::http
