// SPDX-License-Identifier: MIT
#include "http/callback.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

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

/// Keeps a callback's `done` for the test to call or to drop.
template <class... Values>
class KeptDone {
 public:
  template <class Done>
  void keep(Done done) {
    auto shared = std::make_shared<Done>(std::move(done));
    call_ = [shared](Values... values) { (*shared)(values...); };
    is_kept_ = true;
  }
  bool is_kept() const noexcept { return is_kept_; }
  void call(Values... values) { std::exchange(call_, nullptr)(values...); }
  void drop() { call_ = nullptr; }

 private:
  std::function<void(Values...)> call_;
  std::atomic<bool> is_kept_ = false;
};

constexpr auto kNoStop = [] {};

TEST_CASE_FIXTURE(LiveArenas, "callback: called within start(), it goes on with the values") {
  RunningServer server([](Server& routes) {
    routes.get("/none", [](Exchange& exchange) -> Task<> {
      co_await exchange.callback<>([](auto done) { done(); }, kNoStop);
      exchange.response().text("none");
    });
    routes.get("/one", [](Exchange& exchange) -> Task<> {
      const auto text = co_await exchange.callback<std::unique_ptr<std::string>>(
          [](auto done) { done(std::make_unique<std::string>("one")); }, kNoStop);
      exchange.response().text(*text);
    });
    routes.get("/two", [](Exchange& exchange) -> Task<> {
      const auto [number, text] =
          co_await exchange.callback<int, std::string>([](auto done) { done(2, "two"); }, kNoStop);
      exchange.response().text(text + std::to_string(number));
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/none")).body == "none");
  CHECK(client.exchange(get_request("/one")).body == "one");
  CHECK(client.exchange(get_request("/two")).body == "two2");
}

TEST_CASE_FIXTURE(LiveArenas, "callback: called from another thread, it goes on on its Worker") {
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      std::thread thread;
      int sum = 0;
      for (int i = 0; i < 20; ++i) {
        sum += co_await exchange.callback<int>(
            [&thread](auto done) {
              thread = std::thread([done = std::move(done)]() mutable { done(1); });
            },
            kNoStop);
        thread.join();
      }
      exchange.response().text(exchange.worker().is_current() ? std::to_string(sum) : "elsewhere");
    });
  });
  CHECK(server.exchange(get_request("/")).body == "20");
}

TEST_CASE_FIXTURE(LiveArenas, "callback: dropped uncalled, it throws Abandoned") {
  RecordedLog log;
  KeptDone<int> kept;
  RunningServer server([&kept](Server& routes) {
    routes.get("/at-once", [](Exchange& exchange) -> Task<> {
      bool is_abandoned = false;
      try {
        (void)co_await exchange.callback<int>([](auto) {}, kNoStop);
      } catch (const Abandoned&) {
        is_abandoned = true;
      }
      exchange.response().text(is_abandoned ? "abandoned" : "told");
    });
    routes.get("/later", [&kept](Exchange& exchange) -> Task<> {
      (void)co_await exchange.callback<int>([&](auto done) { kept.keep(std::move(done)); },
                                            kNoStop);
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/at-once")).body == "abandoned");
  client.send(get_request("/later"));
  REQUIRE(eventually([&] { return kept.is_kept(); }));
  kept.drop();
  CHECK(client.read_response().status == 500);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "callback: what start() throws comes out, once nobody calls any more") {
  KeptDone<> kept;
  RunningServer server([&kept](Server& routes) {
    const auto with = [](auto start) {
      return [start](Exchange& exchange) -> Task<> {
        std::string caught = "nothing";
        try {
          co_await exchange.callback<>(start, kNoStop);
        } catch (const std::runtime_error& error) {
          caught = error.what();
        }
        exchange.response().text(caught);
      };
    };
    routes.get("/before", with([](auto) { throw std::runtime_error("before"); }));
    routes.get("/after", with([](auto done) {
                 done();
                 throw std::runtime_error("after");
               }));
    routes.get("/kept", with([&kept](auto done) {
                 kept.keep(std::move(done));
                 throw std::runtime_error("kept");
               }));
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/before")).body == "before");
  CHECK(client.exchange(get_request("/after")).body == "after");
  client.send(get_request("/kept"));
  REQUIRE(eventually([&] { return kept.is_kept(); }));
  CHECK_FALSE(client.has_input());
  kept.call();
  CHECK(client.read_response().body == "kept");
}

TEST_CASE_FIXTURE(LiveArenas, "callback: values that can't be taken count as none") {
  struct Refuses {
    Refuses() = default;
    Refuses(const Refuses&) {}
    Refuses(Refuses&&) { throw std::runtime_error("not moved"); }
  };
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      bool is_abandoned = false;
      try {
        (void)co_await exchange.callback<Refuses>(
            [](auto done) {
              const Refuses refuses;
              try {
                done(refuses);
              } catch (const std::runtime_error&) {
              }
            },
            kNoStop);
      } catch (const Abandoned&) {
        is_abandoned = true;
      }
      exchange.response().text(is_abandoned ? "abandoned" : "told");
    });
  });
  CHECK(server.exchange(get_request("/")).body == "abandoned");
}

TEST_CASE_FIXTURE(LiveArenas, "callback: a deadline asks it to stop, once, and waits for its end") {
  RecordedLog log;
  KeptDone<int> kept;
  std::atomic<int> stops = 0;
  ServerOptions options;
  options.times.handler_max = 300ms;
  RunningServer server(
      [&](Server& routes) {
        routes.get("/", [&](Exchange& exchange) -> Task<> {
          const LiveFrame live;
          (void)co_await exchange
              .callback<int>([&](auto done) { kept.keep(std::move(done)); }, [&] { ++stops; })
              .within(1ms);
        });
        routes.get("/sleep", [](Exchange& exchange) -> Task<> { co_await exchange.sleep(10min); });
      },
      options);
  HttpClient client = server.connect();
  client.send(get_request("/"));
  REQUIRE(eventually([&] { return stops == 1; }));
  // By the second of these, handler_max has been over for a sweep at least.
  CHECK(server.exchange(get_request("/sleep")).status == 503);
  CHECK(server.exchange(get_request("/sleep")).status == 503);
  CHECK(LiveFrame::count() == 1);
  CHECK_FALSE(client.has_input());
  kept.call(1);
  CHECK(client.read_response().status == 503);
  CHECK(stops == 1);
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "callback: stop() may call `done` itself, or throw") {
  KeptDone<> kept;
  RunningServer server([&](Server& routes) {
    routes.get("/{what}", [&](Exchange& exchange) -> Task<> {
      const bool throws = exchange.request().param("what") == "throws";
      bool has_passed = false;
      try {
        co_await exchange
            .callback<>([&](auto done) { kept.keep(std::move(done)); },
                        [&kept, throws] {
                          kept.call();
                          if (throws) {
                            throw std::runtime_error("can't be stopped");
                          }
                        })
            .within(1ms);
      } catch (const DeadlinePassed&) {
        has_passed = true;
      }
      exchange.response().text(has_passed ? "passed" : "told");
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/calls")).body == "passed");
  CHECK(client.exchange(get_request("/throws")).body == "passed");
}

TEST_CASE_FIXTURE(LiveArenas, "callback: a client that leaves asks it to stop, and waits for it") {
  for (const bool survives : {false, true}) {
    CAPTURE(survives);
    KeptDone<> kept;
    std::atomic<int> stops = 0;
    std::atomic<int> went_on = 0;
    RunningServer server([&](Server& routes) {
      routes.get("/", [&](Exchange& exchange) -> Task<> {
        const LiveFrame live;
        if (survives) {
          exchange.survive_client();
        }
        co_await exchange.callback<>([&](auto done) { kept.keep(std::move(done)); },
                                     [&] { ++stops; });
        ++went_on;
      });
    });
    HttpClient client = server.connect();
    client.send(get_request("/"));
    REQUIRE(eventually([&] { return kept.is_kept(); }));
    client.close();
    CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
    CHECK(stops == (survives ? 0 : 1));
    CHECK(LiveFrame::count() == 1);
    kept.call();
    CHECK(eventually([] { return LiveFrame::count() == 0; }));
    CHECK(went_on == (survives ? 1 : 0));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "callback: waits for an Asio timer, whose memory is the arena's") {
  RunningServer server([](Server& routes) {
    routes.get("/expires", [](Exchange& exchange) -> Task<> {
      asio::steady_timer timer(exchange.worker().io_context());
      std::size_t used = 0;
      for (int i = 0; i < 50; ++i) {
        timer.expires_after(0ms);
        const std::error_code error = co_await exchange.callback<std::error_code>(
            [&timer](auto done) { timer.async_wait(std::move(done)); }, [&] { timer.cancel(); });
        used = used == 0 ? exchange.arena().bytes_used() : used;
        if (error) {
          throw std::system_error(error);
        }
      }
      // What an operation took it gave back.
      exchange.response().text(exchange.arena().bytes_used() == used ? "expired" : "grown");
    });
    routes.get("/cancelled", [](Exchange& exchange) -> Task<> {
      asio::steady_timer timer(exchange.worker().io_context(), 10min);
      bool has_passed = false;
      try {
        (void)co_await exchange
            .callback<std::error_code>([&timer](auto done) { timer.async_wait(std::move(done)); },
                                       [&timer] { timer.cancel(); })
            .within(1ms);
      } catch (const DeadlinePassed&) {
        has_passed = true;
      }
      exchange.response().text(has_passed ? "passed" : "expired");
    });
  });
  HttpClient client = server.connect();
  CHECK(client.exchange(get_request("/expires")).body == "expired");
  CHECK(client.exchange(get_request("/cancelled")).body == "passed");
}

}  // namespace
}  // namespace stadion::http
