// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Responses that the handler writes piece by piece.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::chunked_head;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::patterned_text;
using tests::post_head;
using tests::RecordedLog;
using tests::RunningServer;

/// More than the system takes at once for a client that reads nothing.
constexpr std::size_t kLargeHead = 4'000'000;

ServerOptions small_buffers() {
  ServerOptions options;
  options.buffer_bytes = 2048;
  return options;
}

/// Announces a length, if any, and writes so many bytes.
Handler announces(std::size_t announced, std::size_t written) {
  return [announced, written](Exchange& exchange) -> Task<> {
    exchange.response().announce_length(announced);
    const std::string body = patterned_text(written);
    co_await exchange.write(std::string_view(body).substr(0, written / 2));
    co_await exchange.write(std::string_view(body).substr(written / 2));
  };
}

void add_routes(Server& server) {
  static const std::string text = patterned_text(100'000);
  server.get("/chunks", [](Exchange& exchange) -> Task<> {
    exchange.response().header("Content-Type", "text/plain");
    std::string_view rest = text;
    for (std::size_t bytes = 1; !rest.empty(); bytes *= 2) {
      co_await exchange.write(rest.substr(0, bytes));
      rest.remove_prefix(std::min(bytes, rest.size()));
      co_await exchange.write("");
    }
    exchange.response().trailer("X-Sum", "42");
  });
  server.get("/exact", announces(5000, 5000));
  server.get("/none", announces(0, 0));
  server.get("/short", announces(5000, 4999));
  server.get("/long", announces(5000, 5001));
  server.get("/flushed", [](Exchange& exchange) -> Task<> {
    co_await exchange.flush();  // Nothing yet.
    co_await exchange.write("sent");
    co_await exchange.flush();
  });
  server.get("/no-content", [](Exchange& exchange) -> Task<> {
    exchange.response().status(Status::no_content);
    co_await exchange.write("nobody sees this");
  });
  server.get("/large-head", [](Exchange& exchange) -> Task<> {
    exchange.response().header("X-Large", std::string(100'000, 'o'));
    co_await exchange.write("body");
  });
  server.get("/large-head-throws", [](Exchange& exchange) -> Task<> {
    exchange.response().header("X-Large", std::string(kLargeHead, 'h'));
    co_await exchange.write("");
    throw std::runtime_error("behind a large head");
  });
  server.get("/", [](const Request&, Response& response) { response.text("next"); });
}

TEST_CASE_FIXTURE(LiveArenas, "write: pieces become chunks, with the trailers behind them") {
  for (const ServerOptions& options : {ServerOptions{}, small_buffers()}) {
    RunningServer server(add_routes, options);
    HttpClient client = server.connect();
    client.send("GET /chunks HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    const std::string raw = client.read_until_end();
    CHECK(raw.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(raw.find("Content-Length") == std::string::npos);
    std::string body;
    std::size_t at = raw.find("\r\n\r\n") + 4;
    while (const std::size_t bytes = std::stoul(raw.substr(at, 10), nullptr, 16)) {
      at = raw.find("\r\n", at) + 2;
      body += raw.substr(at, bytes);
      at += bytes;
      REQUIRE(raw.substr(at, 2) == "\r\n");
      at += 2;
    }
    CHECK(body == patterned_text(100'000));
    CHECK(raw.substr(at) == "0\r\nX-Sum: 42\r\n\r\n");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "write: of an announced length, just as much") {
  RunningServer server(add_routes, small_buffers());
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpResponse exact = client.exchange(get_request("/exact"));
    CHECK(exact.body == patterned_text(5000));
    CHECK(exact.field("Content-Length") == "5000");
    CHECK(exact.count("Transfer-Encoding") == 0);
    CHECK(client.exchange(get_request("/none")).field("Content-Length") == "0");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "write: less or more than announced cuts the connection") {
  RecordedLog log;
  RunningServer server(add_routes, small_buffers());
  for (const char* target : {"/short", "/long"}) {
    HttpClient client = server.connect();
    client.send(get_request(target) + get_request("/"));
    const HttpResponse response = client.read_response();
    CHECK(response.status == 200);
    CHECK_FALSE(response.is_complete);
    CHECK(response.body.size() < 5000);
    CHECK(client.is_at_end());
  }
  CHECK(log.count(LogLevel::error, "shorter than announced") == 1);
  CHECK(log.count(LogLevel::error, "longer than announced") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "write: to HEAD, and with 204, only the head is sent") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  for (const char* target : {"/chunks", "/exact", "/short", "/no-content", "/flushed"}) {
    CAPTURE(target);
    const HttpResponse head =
        client.exchange("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK(head.status < 300);
    CHECK(client.exchange(get_request("/")).body == "next");
  }
  CHECK(client.exchange(get_request("/no-content")).status == 204);
  CHECK(client.exchange(get_request("/")).body == "next");
}

TEST_CASE_FIXTURE(LiveArenas, "write: to HTTP/1.0 until the end, without chunks or trailers") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const HttpResponse response =
      client.exchange("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(response.body == patterned_text(100'000));
  CHECK(response.count("Transfer-Encoding") == 0);
  CHECK(response.field("Connection") == "close");
  CHECK(client.is_at_end());
  HttpClient keeps = server.connect();
  for (int i = 0; i < 2; ++i) {
    CHECK(keeps.exchange("GET /exact HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body.size() ==
          5000);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "write: a head larger than the buffer is sent, whatever comes then") {
  RecordedLog log;
  RunningServer server(add_routes, small_buffers());
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpResponse response = client.exchange(get_request("/large-head"));
    CHECK(response.body == "body");
    CHECK(response.field("X-Large") == std::string(100'000, 'o'));
  }
  HttpClient slow = server.connect({.receive_buffer_bytes = 4096});
  slow.send(get_request("/large-head-throws"));
  REQUIRE(eventually([&] { return log.count(LogLevel::error, "behind a large head") > 0; }));
  // Others take and write memory in the meantime.
  for (int i = 0; i < 20; ++i) {
    CHECK(client.exchange(get_request("/large-head")).body == "body");
  }
  const HttpResponse cut = slow.read_response();
  CHECK(cut.field("X-Large") == std::string(kLargeHead, 'h'));
  CHECK_FALSE(cut.is_complete);
}

TEST_CASE_FIXTURE(LiveArenas, "write: a client that half-closes while a large head is sent") {
  std::atomic<bool> goes_on = false;
  RunningServer server([&goes_on](Server& routes) {
    add_routes(routes);
    routes.get("/waits", [&goes_on](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      while (!goes_on) {  // The pool reads meanwhile, and goes on with that beside the output.
        co_await exchange.sleep(1ms);
      }
      exchange.response().header("X-Large", std::string(kLargeHead, 'h'));
      co_await exchange.write("body");
    });
  });
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get_request("/waits"));
  REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
  goes_on = true;
  REQUIRE(eventually([&] { return client.has_input(); }));
  client.shutdown_send();
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
  HttpClient other = server.connect();
  for (int i = 0; i < 20; ++i) {
    CHECK(other.exchange(get_request("/large-head")).body == "body");
  }
  const std::string came = client.read_until_end();
  const std::string value = came.substr(came.find("X-Large: ") + 9, kLargeHead);
  CHECK(value.find_first_not_of('h') == std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas, "write: a client that does not read stops the handler") {
  std::atomic<int> pieces = 0;
  std::atomic<std::size_t> used = 0;
  ServerOptions options;
  options.times.write_stalled_max = 600s;
  RunningServer server(
      [&](Server& routes) {
        routes.get("/endless", [&](Exchange& exchange) -> Task<> {
          const LiveFrame live;
          const std::string piece(10'000, 'x');
          for (;;) {
            co_await exchange.write(piece);
            ++pieces;
            used = exchange.arena().bytes_used();
          }
        });
        routes.get("/sleep", [](Exchange& exchange) -> Task<> { co_await exchange.sleep(20ms); });
      },
      options);
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get_request("/endless"));
  int before = -1;
  REQUIRE(eventually([&] {  // It has stopped when nothing has come for a while.
    const bool is_still = pieces == before;
    before = pieces;
    return server.exchange(get_request("/sleep")).status == 200 && is_still;
  }));
  CHECK(used < 64 * 1024);
  CHECK(client.read_bytes(1'000'000).size() == 1'000'000);
  CHECK(eventually([&] { return pieces > before; }));
  client.reset();
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
}

TEST_CASE_FIXTURE(LiveArenas, "write: within() a time that a client does not read") {
  std::atomic<int> passed = 0;
  RunningServer server([&](Server& routes) {
    routes.get("/", [&](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      const std::string piece(10'000, 'x');
      try {
        for (;;) {
          co_await exchange.write(piece).within(50ms);
        }
      } catch (const DeadlinePassed&) {
        ++passed;
      }
    });
  });
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get_request("/"));
  CHECK(eventually([&] { return passed == 1; }));
  const HttpResponse response = client.read_response();
  CHECK(response.is_complete);  // As the handler returned: what it wrote is all.
  CHECK(response.body.find_first_not_of('x') == std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas, "write: an echo reads and writes 10 MB alternately") {
  static constexpr std::size_t kBytes = 10'000'000;
  static const std::string body = patterned_text(kBytes);
  std::atomic<std::size_t> used = 0;
  RunningServer server([&used](Server& routes) {
    routes.post("/",
                [&used](Exchange& exchange) -> Task<> {
                  for (;;) {
                    const std::string_view piece = co_await exchange.read_body();
                    if (piece.empty()) {
                      break;
                    }
                    co_await exchange.write(piece);
                  }
                  used = exchange.arena().bytes_used();
                },
                {.body = BodyMode::streamed, .body_bytes_max = kBytes});
  });
  HttpClient client = server.connect();
  std::thread sender([&] {
    client.send(post_head("/", kBytes));
    client.send(body);
  });
  // Two threads of one client: its socket alone is shared, and each has its own direction.
  const HttpResponse response = client.read_response();
  sender.join();
  CHECK(response.is_complete);
  CHECK(response.body == body);
  CHECK(used < 64 * 1024);
  CHECK(client.exchange(post_head("/", 4) + "more").body == "more");
}

TEST_CASE_FIXTURE(LiveArenas, "written: a handler that writes without end is ended for HEAD") {
  RunningServer server([](Server& made) {
    made.get("/", [](Exchange& exchange) -> Task<> {
      exchange.response().header("X-Kind", "endless");
      for (;;) {
        co_await exchange.write("on and on\n");
      }
    });
  });
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpResponse response = client.exchange("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK(response.status == 200);
    CHECK(response.field("X-Kind") == "endless");
  }
}

}  // namespace
}  // namespace stadion::http
