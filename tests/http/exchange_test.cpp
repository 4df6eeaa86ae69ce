// SPDX-License-Identifier: MIT
#include "http/exchange.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// What a coroutine waits for that is no body and no other thread, and how it ends.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::post_head;
using tests::RecordedLog;
using tests::RunningServer;
using Clock = std::chrono::steady_clock;

TEST_CASE_FIXTURE(LiveArenas, "exchange: a coroutine that waits for nothing answers") {
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      exchange.response().text(exchange.request().target());
      co_return;
    });
    routes.get("/empty", [](Exchange&) -> Task<> { co_return; });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/?a")).body == "/?a");
  const HttpResponse empty = client.exchange(get_request("/empty"));
  CHECK(empty.status == 200);
  CHECK(empty.field("Content-Length") == "0");
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: sleep() takes at least its time, and others are served") {
  RunningServer server([](Server& routes) {
    routes.get("/slow", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(50ms);
      exchange.response().text("slow");
    });
    routes.get("/fast", [](const Request&, Response& response) { response.text("fast"); });
  });
  HttpClient slow = server.connect();
  const auto begin = Clock::now();
  slow.send(get_request("/slow"));
  CHECK(server.exchange(get_request("/fast")).body == "fast");
  CHECK(slow.read_response().body == "slow");
  CHECK(Clock::now() - begin >= 50ms);
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: sleep() of no time, or less, goes through the loop") {
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      for (int i = 0; i < 1'000; ++i) {
        co_await exchange.sleep(std::chrono::milliseconds(-(i % 2)));
      }
      exchange.response().text("awake");
    });
  });
  CHECK(server.exchange(get_request("/")).body == "awake");
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: pipelined requests to coroutines are answered in order") {
  RunningServer server([](Server& routes) {
    routes.get("/{ms}", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(std::chrono::milliseconds(exchange.request().param("ms").size() % 2));
      exchange.response().text(exchange.request().param("ms"));
    });
  });
  HttpClient client = server.connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += get_request("/" + std::to_string(i));
  }
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(client.read_response().body == std::to_string(i));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "within: what comes in time is as without it") {
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(1ms).within(10min);
      const int given = co_await exchange.offload([] { return 7; }).within(10min);
      exchange.response().text(std::to_string(given));
    });
  });
  CHECK(server.exchange(get_request("/")).body == "7");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "within: past its time it throws DeadlinePassed; let pass it is 503") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/caught", [](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      bool has_passed = false;
      try {
        co_await exchange.sleep(10min).within(1ms);
      } catch (const DeadlinePassed&) {
        has_passed = true;
      }
      co_await exchange.sleep(1ms);
      exchange.response().text(has_passed ? "passed" : "woken");
    });
    routes.get("/uncaught", [](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      co_await exchange.sleep(10min).within(0ms);
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/caught")).body == "passed");
  CHECK(client.exchange(get_request("/uncaught")).status == 503);
  CHECK(client.exchange(get_request("/caught")).body == "passed");
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "within: on a body that does not come, and goes on afterwards") {
  RunningServer server([](Server& routes) {
    routes.post("/",
                [](Exchange& exchange) -> Task<> {
                  bool has_told = false;
                  std::string body;
                  for (bool at_end = false; !at_end;) {
                    bool has_passed = false;
                    try {
                      const std::string_view piece = co_await exchange.read_body().within(1ms);
                      body += piece;
                      at_end = piece.empty();
                    } catch (const DeadlinePassed&) {
                      has_passed = true;
                    }
                    if (has_passed && !has_told) {
                      has_told = true;
                      co_await exchange.send_interim(Status::processing, {});
                    }
                  }
                  exchange.response().text(body);
                },
                {.body = BodyMode::streamed});
  });
  HttpClient client = server.connect();
  client.send(post_head("/", 8) + "half");
  CHECK(client.read_response().status == 102);
  client.send("half");
  CHECK(client.read_response().body == "halfhalf");
}

TEST_CASE_FIXTURE(LiveArenas, "within: a body that is not awaited any more has no deadline") {
  std::atomic<bool> has_passed = false;
  std::atomic<bool> goes_on = false;
  ServerOptions options;
  options.times.body_read_grace = 300ms;
  RunningServer server(
      [&](Server& routes) {
        routes.post("/",
                    [&](Exchange& exchange) -> Task<> {
                      try {
                        (void)co_await exchange.read_body().within(1ms);
                      } catch (const DeadlinePassed&) {
                        has_passed = true;
                      }
                      while (!goes_on) {
                        co_await exchange.sleep(1ms);
                      }
                      exchange.response().text(co_await exchange.receive_body());
                    },
                    {.body = BodyMode::streamed});
        routes.post("/echo", [](const Request&, Response&) {});
      },
      options);
  HttpClient client = server.connect();
  client.send(post_head("/", 4));
  REQUIRE(eventually([&] { return has_passed.load(); }));
  HttpClient slow = server.connect();  // Shows that the other's time would be over, too.
  CHECK(slow.exchange(post_head("/echo", 4)).status == 408);
  CHECK_FALSE(client.has_input());
  goes_on = true;
  client.send("body");
  CHECK(client.read_response().body == "body");
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: handler_max ends a coroutine that waits, with 503") {
  ServerOptions options;
  options.times.handler_max = 1ms;
  RunningServer server(
      [](Server& routes) {
        const auto waits = [](Exchange& exchange) -> Task<> {
          const LiveFrame live;
          co_await exchange.sleep(10min);
        };
        routes.get("/", waits);
        routes.group("/g", {.handler_max = 2ms}).get("/inherits", waits);
        routes.get("/long",
                   [](Exchange& exchange) -> Task<> {
                     co_await exchange.sleep(600ms);
                     exchange.response().text("late");
                   },
                   {.handler_max = 10min});
        routes.get("/none",
                   [](Exchange& exchange) -> Task<> {
                     co_await exchange.sleep(600ms);
                     exchange.response().text("late");
                   },
                   {.handler_max = 0ms});
        routes.get("/begun", [](Exchange& exchange) -> Task<> {
          co_await exchange.write("begun ");
          co_await exchange.sleep(600ms);
          co_await exchange.write("and done");
        });
      },
      options);
  for (const char* target : {"/", "/g/inherits", "/"}) {
    const HttpResponse response = server.exchange(get_request(target));
    CHECK(response.status == 503);
    CHECK(LiveFrame::count() == 0);
  }
  HttpClient none = server.connect();
  HttpClient begun = server.connect();
  HttpClient longer = server.connect();
  none.send(get_request("/none"));
  begun.send(get_request("/begun"));
  CHECK(longer.exchange(get_request("/long")).body == "late");
  CHECK(none.read_response().body == "late");
  CHECK(begun.read_response().body == "begun and done");
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: a client that leaves ends a handler that waits") {
  std::atomic<bool> went_on = false;
  RunningServer server([&went_on](Server& routes) {
    routes.get("/", [&went_on](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      co_await exchange.sleep(10min);
      went_on = true;
    });
  });
  HttpClient client = server.connect();
  client.send(get_request("/"));
  REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
  client.close();
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
  CHECK_FALSE(went_on);
  CHECK(
      eventually([&] { return server->statistics().responses_by_status[499 - kStatusMin] == 1; }));
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: survive_client() goes on, and is told where it matters") {
  std::atomic<bool> go_on = false;
  std::atomic<int> steps = 0;
  RunningServer server([&](Server& routes) {
    routes.post("/",
                [&](Exchange& exchange) -> Task<> {
                  const LiveFrame live;
                  exchange.survive_client();
                  try {
                    (void)co_await exchange.read_body();  // Waits when the client leaves.
                  } catch (const ClientGone&) {
                    ++steps;
                  }
                  while (!go_on) {
                    co_await exchange.sleep(1ms);
                  }
                  steps += exchange.client_is_gone() ? 1 : 0;
                  steps += co_await exchange.offload([] { return 1; });
                  try {
                    co_await exchange.write("to nobody");
                  } catch (const ClientGone&) {
                    ++steps;
                  }
                  try {
                    co_await exchange.flush();
                  } catch (const Cancelled&) {
                    ++steps;
                  }
                },
                {.body = BodyMode::streamed});
  });
  HttpClient client = server.connect();
  client.send(post_head("/", 4));
  REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
  client.reset();
  CHECK(eventually([&] { return steps == 1; }));
  CHECK(LiveFrame::count() == 1);
  go_on = true;
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
  CHECK(steps == 5);
}

TEST_CASE_FIXTURE(LiveArenas, "exchange: a handler sees the address, and that the server stops") {
  RunningServer server([](Server& routes) {
    routes.get("/address", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      exchange.response().text(exchange.remote_address());
    });
    routes.get("/stop", [](Exchange& exchange) -> Task<> {
      co_await exchange.write(exchange.server_is_stopping() ? "stopping" : "serving ");
      while (!exchange.server_is_stopping()) {
        co_await exchange.sleep(1ms);
      }
      co_await exchange.write("stopping");
    });
  });
  CHECK(server.exchange(get_request("/address")).body.starts_with("127.0.0.1:"));
  HttpClient client = server.connect();
  client.send(get_request("/stop"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  server->stop();
  CHECK(client.read_response().body == "serving stopping");
  client.close();
  server->wait();
}

}  // namespace
}  // namespace stadion::http
