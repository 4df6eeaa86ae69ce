// SPDX-License-Identifier: MIT
#include "http/offload.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::RecordedLog;
using tests::RunningServer;

TEST_CASE_FIXTURE(LiveArenas, "offload: gives what the function returns, from another thread") {
  RunningServer server([](Server& routes) {
    routes.get("/value", [](Exchange& exchange) -> Task<> {
      const auto here = std::this_thread::get_id();
      const bool is_elsewhere =
          co_await exchange.offload([here] { return std::this_thread::get_id() != here; });
      const bool is_back = std::this_thread::get_id() == here && exchange.worker().is_current();
      exchange.response().text(is_elsewhere && is_back ? "yes" : "no");
    });
    routes.get("/void", [](Exchange& exchange) -> Task<> {
      int called = 0;
      co_await exchange.offload([&called] { ++called; });
      exchange.response().text(std::to_string(called));
    });
    routes.get("/move-only", [](Exchange& exchange) -> Task<> {
      auto work = [owned = std::make_unique<int>(41)]() mutable {
        ++*owned;
        return std::move(owned);
      };
      const std::unique_ptr<int> result = co_await exchange.offload([&work] { return work(); });
      exchange.response().text(std::to_string(*result));
    });
    routes.get("/arena", [](Exchange& exchange) -> Task<> {
      const std::string_view text = co_await exchange.offload([&exchange] {
        (void)exchange.arena().alloc(100'000);
        return exchange.arena().copy("made elsewhere");
      });
      (void)exchange.arena().alloc(100'000);
      exchange.response().body_by_reference(text, "text/plain");
    });
  });
  HttpClient client = server.connect();
  for (int i = 0; i < 20; ++i) {
    CHECK(client.exchange(get_request("/value")).body == "yes");
    CHECK(client.exchange(get_request("/void")).body == "1");
    CHECK(client.exchange(get_request("/move-only")).body == "42");
    CHECK(client.exchange(get_request("/arena")).body == "made elsewhere");
  }
}

// With a name: of a lambda that is made within the co_await's own expression, and holds what has a
// destructor, GCC 12 destroys a second copy (https://gcc.gnu.org/PR99576).
TEST_CASE_FIXTURE(LiveArenas, "offload: what the function holds is destroyed as often as made") {
  static std::atomic<int> live = 0;
  struct Counted {
    Counted() { ++live; }
    Counted(const Counted&) { ++live; }
    ~Counted() { --live; }
  };
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      {
        auto work = [counted = Counted(), text = std::string(100, 'x')] { return text.size(); };
        const std::size_t size = co_await exchange.offload(work);
        exchange.response().header("X-Size", std::to_string(size));
      }
      exchange.response().text(std::to_string(live.load()));
    });
  });
  CHECK(server.exchange(get_request("/")).body == "0");
  CHECK(live == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "offload: what the function throws comes out of co_await") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/caught", [](Exchange& exchange) -> Task<> {
      std::string caught;
      try {
        (void)co_await exchange.offload([]() -> int { throw std::runtime_error("over there"); });
      } catch (const std::runtime_error& error) {
        caught = error.what();
      }
      exchange.response().text(caught);
    });
    routes.get("/uncaught", [](Exchange& exchange) -> Task<> {
      co_await exchange.offload([] { throw HttpError(Status::bad_gateway, "Down.\n"); });
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/caught")).body == "over there");
  CHECK(client.exchange(get_request("/uncaught")).body == "Down.\n");
}

TEST_CASE_FIXTURE(LiveArenas, "offload: one more than the queue holds is 503, and not called") {
  RecordedLog log;
  std::binary_semaphore may_go(0);
  std::atomic<int> called = 0;
  ServerOptions options;
  options.offload_threads = 1;
  options.offload_queue_max = 1;
  RunningServer server(
      [&](Server& routes) {
        routes.get("/", [&](Exchange& exchange) -> Task<> {
          const LiveFrame live;
          co_await exchange.offload([&] {
            ++called;
            may_go.acquire();
            may_go.release();
          });
        });
        routes.get("/caught", [&](Exchange& exchange) -> Task<> {
          try {
            co_await exchange.offload([&] { ++called; }).within(10min);
          } catch (const PoolFull&) {
            exchange.response().text("full");
          }
        });
      },
      options);
  HttpClient runs = server.connect();
  runs.send(get_request("/"));
  REQUIRE(eventually([&] { return called == 1; }));
  HttpClient waits = server.connect();
  waits.send(get_request("/"));
  REQUIRE(eventually([] { return LiveFrame::count() == 2; }));
  HttpClient refused = server.connect();
  CHECK(refused.exchange(get_request("/")).status == 503);
  CHECK(refused.exchange(get_request("/caught")).body == "full");
  CHECK(called == 1);
  may_go.release();
  CHECK(runs.read_response().status == 200);
  CHECK(waits.read_response().status == 200);
  CHECK(refused.exchange(get_request("/")).status == 200);
  CHECK(called == 3);
}

TEST_CASE_FIXTURE(LiveArenas, "offload: past its deadline it throws when the function has ended") {
  RecordedLog log;
  std::binary_semaphore may_go(0);
  std::atomic<bool> has_ended = false;
  RunningServer server([&](Server& routes) {
    routes.get("/", [&](Exchange& exchange) -> Task<> {
      std::string outcome = "in time";
      try {
        co_await exchange
            .offload([&] {
              may_go.acquire();
              has_ended = true;
            })
            .within(1ms);
      } catch (const DeadlinePassed&) {
        outcome = has_ended ? "late" : "early";
      }
      exchange.response().text(outcome);
    });
    routes.get("/sleep", [](Exchange& exchange) -> Task<> { co_await exchange.sleep(20ms); });
  });
  HttpClient client = server.connect();
  client.send(get_request("/"));
  CHECK(server.exchange(get_request("/sleep")).status == 200);
  CHECK_FALSE(client.has_input());
  may_go.release();
  CHECK(client.read_response().body == "late");
}

TEST_CASE_FIXTURE(LiveArenas, "offload: handler_max answers 503 when the function has ended") {
  RecordedLog log;
  std::binary_semaphore may_go(0);
  std::atomic<int> went_on = 0;
  ServerOptions options;
  options.times.handler_max = 1ms;
  RunningServer server(
      [&](Server& routes) {
        routes.get("/", [&](Exchange& exchange) -> Task<> {
          const LiveFrame live;
          co_await exchange.offload([&] { may_go.acquire(); });
          ++went_on;
        });
        routes.get("/sleep", [](Exchange& exchange) -> Task<> { co_await exchange.sleep(10min); });
      },
      options);
  HttpClient client = server.connect();
  client.send(get_request("/"));
  REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
  CHECK(server.exchange(get_request("/sleep")).status == 503);
  CHECK(LiveFrame::count() == 1);
  may_go.release();
  CHECK(client.read_response().status == 503);
  CHECK(LiveFrame::count() == 0);
  CHECK(went_on == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "offload: a client that leaves meanwhile waits for the function") {
  for (const bool survives : {false, true}) {
    CAPTURE(survives);
    std::binary_semaphore may_go(0);
    std::atomic<int> went_on = 0;
    std::atomic<bool> is_left = false;
    RunningServer server([&](Server& routes) {
      routes.get("/", [&](Exchange& exchange) -> Task<> {
        const LiveFrame live;
        if (survives) {
          exchange.survive_client();
        }
        co_await exchange.offload([&] {
          while (!is_left) {  // Meanwhile the Worker learns that the client is gone.
            (void)exchange.arena().alloc(1);
            std::this_thread::yield();
          }
          may_go.acquire();
          (void)exchange.arena().alloc(100'000);
        });
        went_on += exchange.client_is_gone() ? 1 : 100;
      });
    });
    HttpClient client = server.connect();
    client.send(get_request("/"));
    REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
    client.reset();
    CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
    CHECK(LiveFrame::count() == 1);
    is_left = true;
    may_go.release();
    CHECK(eventually([] { return LiveFrame::count() == 0; }));
    CHECK(went_on == (survives ? 1 : 0));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "offload: many at once, on several Workers, each get their own") {
  constexpr int kClients = 40;
  ServerOptions options;
  options.workers = 2;
  options.offload_threads = 4;
  RunningServer server(
      [](Server& routes) {
        routes.get("/{n}", [](Exchange& exchange) -> Task<> {
          std::string_view text = exchange.request().param("n");
          for (int i = 0; i < 20; ++i) {
            text = co_await exchange.offload(
                [&exchange, text] { return exchange.arena().copy(std::string(text) + "."); });
          }
          exchange.response().text(text);
        });
      },
      options);
  std::vector<HttpClient> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(server.connect());
    clients.back().send(get_request("/" + std::to_string(i)));
  }
  for (int i = 0; i < kClients; ++i) {
    CHECK(clients[static_cast<std::size_t>(i)].read_response().body ==
          std::to_string(i) + std::string(20, '.'));
  }
}

}  // namespace
}  // namespace stadion::http
