// SPDX-License-Identifier: MIT
#include "http/middleware.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

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

/// What was called for one request after the other, in this order.
class Calls {
 public:
  void add(std::string_view call) {
    const std::lock_guard lock(mutex_);
    text_.append(text_.empty() ? "" : " ").append(call);
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

/// Notes each of its parts with this name.
Middleware noting(Calls& calls, const std::string& name) {
  return {.before =
              [&calls, name](Exchange&) {
                calls.add(name + ".before");
                return Flow::next;
              },
          .around = [&calls, name](Exchange&, Next next) -> Task<> {
            calls.add(name + ".in");
            co_await next();
            calls.add(name + ".out");
          },
          .after = [&calls, name](Exchange&) { calls.add(name + ".after"); }};
}

Handler noting_handler(Calls& calls) {
  return [&calls](Exchange& exchange) {
    calls.add("handler");
    exchange.response().text("handled");
  };
}

TEST_CASE_FIXTURE(LiveArenas, "middleware: before, around, handler, and after in reverse order") {
  Calls calls;
  RunningServer server([&calls](Server& routes) {
    routes.use(noting(calls, "a"));
    routes.get("/function", noting_handler(calls));
    routes.get("/coroutine", [&calls](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      calls.add("handler");
    });
    routes.get("/written", [&calls](Exchange& exchange) -> Task<> {
      co_await exchange.write("head");
      calls.add("handler");
    });
    routes.post("/body", noting_handler(calls));
    routes.use(noting(calls, "b"));  // Around what is there already, too.
  });
  HttpClient client = server.connect();
  constexpr std::string_view kWhole =
      "a.before b.before a.in b.in handler b.out a.out b.after a.after";
  for (const std::string& request :
       {get_request("/function"), get_request("/coroutine"), post_request("/body", "body"),
        chunked_head("/body") + "1\r\nx\r\n0\r\n\r\n"}) {
    CHECK(client.exchange(request).status == 200);
    CHECK(calls.take() == kWhole);
  }
  CHECK(client.exchange(get_request("/written")).body == "head");
  CHECK(calls.take() == "a.before b.before a.in b.in b.after a.after handler b.out a.out");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "middleware: groups are within what they are in, also without a route") {
  Calls calls;
  RunningServer server([&calls](Server& routes) {
    Routes api = routes.group("/api");
    Routes inner = api.group("/v1");
    inner.get("/x", noting_handler(calls));
    inner.get("", noting_handler(calls));
    api.get("/y", noting_handler(calls));
    routes.get("/apix", noting_handler(calls));
    routes.get("/", noting_handler(calls));
    inner.use({.before = noting(calls, "inner").before, .after = noting(calls, "inner").after});
    api.use({.before = noting(calls, "api").before});
    routes.use({.around = noting(calls, "all").around});
  });
  HttpClient client = server.connect();
  const auto called = [&](const std::string& request, int status) {
    const HttpResponse response = request.starts_with("HEAD")
                                      ? (client.send(request), client.read_head_response())
                                      : client.exchange(request);
    CAPTURE(request);
    CHECK(response.status == status);
    return calls.take();
  };
  const std::string inner = "api.before inner.before all.in handler all.out inner.after";
  CHECK(called(get_request("/api/v1/x"), 200) == inner);
  CHECK(called(get_request("/api/v1"), 200) == inner);
  CHECK(called("HEAD /api/v1/x HTTP/1.1\r\nHost: t\r\n\r\n", 200) == inner);
  CHECK(called(get_request("/api/y"), 200) == "api.before all.in handler all.out");
  CHECK(called(get_request("/apix"), 200) == "all.in handler all.out");
  CHECK(called(get_request("/"), 200) == "all.in handler all.out");
  const std::string unrouted = "api.before inner.before all.in all.out inner.after";
  CHECK(called(get_request("/api/v1/none"), 404) == unrouted);
  CHECK(called(post_request("/api/v1/x", "body"), 405) == unrouted);
  CHECK(called("OPTIONS /api/v1/x HTTP/1.1\r\nHost: t\r\n\r\n", 204) == unrouted);
  CHECK(called(get_request("/api/none"), 404) == "api.before all.in all.out");
  CHECK(called(get_request("/none"), 404) == "all.in all.out");
  CHECK(called("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", 204) == "all.in all.out");
  CHECK(called(get_request("/api/v1/%zz"), 400) == unrouted);
}

TEST_CASE_FIXTURE(LiveArenas, "middleware: who responds before keeps the rest from being called") {
  Calls calls;
  RunningServer server([&calls](Server& routes) {
    routes.use(noting(calls, "a"));
    routes.use({.before = [](Exchange& exchange) {
      if (!exchange.request().header("X-Key").has_value()) {
        exchange.fail(Status::unauthorized, "No key.\n");
        exchange.response().set_header("WWW-Authenticate", "Key");
        return Flow::respond;
      }
      return Flow::next;
    }});
    routes.use(noting(calls, "b"));
    routes.get("/", noting_handler(calls));
    routes.post("/", noting_handler(calls));
  });
  HttpClient client = server.connect();
  const HttpResponse refused = client.exchange(get_request("/"));
  CHECK(refused.status == 401);
  CHECK(refused.body == "No key.\n");
  CHECK(refused.field("WWW-Authenticate") == "Key");
  CHECK(calls.take() == "a.before b.after a.after");
  CHECK(client.exchange(post_request("/", "a body that nobody reads")).status == 401);
  (void)calls.take();
  CHECK(client.exchange("GET / HTTP/1.1\r\nHost: t\r\nX-Key: 1\r\n\r\n").status == 200);
  CHECK(calls.take() == "a.before b.before a.in b.in handler b.out a.out b.after a.after");
  // It is asked before the body comes, and whoever expects 100 Continue gets this instead.
  const HttpResponse expects = client.exchange(post_head("/", 4, "Expect: 100-continue\r\n"));
  CHECK(expects.status == 401);
  CHECK(expects.field("Connection") == "close");
}

TEST_CASE_FIXTURE(LiveArenas, "around: may answer itself, wait, and look at the response") {
  RunningServer server([](Server& routes) {
    routes.use({.around = [](Exchange& exchange, Next next) -> Task<> {
      co_await exchange.sleep(0ms);
      if (exchange.request().query("cached").has_value()) {
        exchange.response().text("from the cache");
        co_return;
      }
      co_await next();
      const int extra = co_await exchange.offload([] { return 7; });
      exchange.response().header("X-Length", std::to_string(exchange.response().body().size()));
      exchange.response().header("X-Extra", std::to_string(extra));
    }});
    routes.post("/",
                [](const Request& request, Response& response) { response.text(request.body()); });
  });
  HttpClient client = server.connect();
  const HttpResponse response = client.exchange(post_request("/", "five!"));
  CHECK(response.body == "five!");
  CHECK(response.field("X-Length") == "5");
  CHECK(response.field("X-Extra") == "7");
  CHECK(client.exchange(post_request("/?cached", "unread")).body == "from the cache");
  CHECK(client.exchange(post_request("/", "again")).body == "again");
}

TEST_CASE_FIXTURE(LiveArenas, "around: catches what is thrown within, and may answer it") {
  RunningServer server([](Server& routes) {
    routes.use({.around = [](Exchange& exchange, Next next) -> Task<> {
      try {
        co_await next();
      } catch (const std::out_of_range& error) {
        exchange.response().status(Status::not_found).text(error.what());
      }
    }});
    routes.get("/function", [](const Request&, Response& response) {
      response.header("X-Set", "1");
      throw std::out_of_range("no such thing");
    });
    routes.get("/coroutine", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      throw std::out_of_range("no such thing");
    });
    routes.get("/other", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      throw HttpError(Status::conflict, "Passed on.\n");
    });
  });
  HttpClient client = server.connect();
  for (const char* target : {"/function", "/coroutine"}) {
    const HttpResponse response = client.exchange(get_request(target));
    CHECK(response.status == 404);
    CHECK(response.body == "no such thing");
  }
  CHECK(client.exchange(get_request("/other")).body == "Passed on.\n");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "middleware: what each part throws is answered, and after() sees it") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.use({.after = [](Exchange& exchange) {
      const auto status = code_of(exchange.response().status());
      exchange.response().header("X-Status", std::to_string(status));
    }});
    routes.group("/before").use(
        {.before = [](Exchange&) -> Flow { throw HttpError(Status::forbidden, "before"); }});
    routes.group("/around").use({.around = [](Exchange& exchange, Next) -> Task<> {
      co_await exchange.sleep(0ms);
      throw HttpError(Status::forbidden, "around");
    }});
    routes.group("/around-after-next").use({.around = [](Exchange&, Next next) -> Task<> {
      co_await next();
      throw HttpError(Status::forbidden, "after next");
    }});
    Routes after = routes.group("/after");
    after.use({.after = [](Exchange&) { throw std::runtime_error("in after"); }});
    after.get("/written", [](Exchange& exchange) -> Task<> {
      for (int i = 0; i < 10; ++i) {
        co_await exchange.write("never sent");
        co_await exchange.sleep(0ms);
      }
    });
    after.get("/function", [](const Request&, Response& response) { response.text("gone"); });
  });
  HttpClient client = server.connect();
  for (const char* target : {"/before", "/around", "/around-after-next"}) {
    const HttpResponse response = client.exchange(get_request(target));
    CHECK(response.status == 403);
    CHECK(response.field("X-Status") == "403");
  }
  CHECK(client.exchange(get_request("/none")).field("X-Status") == "404");
  for (const char* target : {"/after/written", "/after/function", "/after/none"}) {
    CAPTURE(target);
    const HttpResponse response = client.exchange(get_request(target));
    CHECK(response.status == 500);
    CHECK(response.body.find("in after") == std::string::npos);
    CHECK(response.is_complete);
  }
  CHECK(client.exchange(get_request("/none")).status == 404);  // The connection is as before.
}

}  // namespace
}  // namespace stadion::http
