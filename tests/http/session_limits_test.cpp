// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/compression.hpp"
#include "http/session.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/served_shard.hpp"

/// How long a client may take, to the nanosecond, and how much is done for one before it is another's turn.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::LiveArenas;
using tests::Peer;
using tests::ServedShard;
using Moment = ServedShard::Moment;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

std::string post(std::string_view path, std::size_t bytes) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

Task<> take_body(Exchange& exchange) {
  const std::string_view body = co_await exchange.receive_body();
  exchange.response().text(std::to_string(body.size()));
}

Task<> wait_long(Exchange& exchange) { co_await exchange.sleep(24h); }

Task<> wait_behind_body(Exchange& exchange) {
  co_await exchange.read_body();
  co_await exchange.sleep(24h);
}

bool has_given_up = false;

Task<> give_up_reading(Exchange& exchange) {
  try {
    co_await exchange.read_body().within(20ms);
  } catch (const DeadlinePassed&) {
    has_given_up = true;
  }
  co_await exchange.sleep(24h);
}

Task<> be_upgraded(Exchange& exchange) {
  co_await exchange.upgrade("echo/2");
  co_await exchange.read_raw();
}

void add_routes(Routes& routes) {
  routes.get("/", [](const Request&, Response& response) { response.text("root"); });
  routes.post("/echo",
              [](const Request& request, Response& response) { response.text(request.body()); });
  routes.post("/take", take_body, {.body = BodyMode::streamed, .handler_max = 1ms});
  routes.get("/long", wait_long);
  routes.get("/hasty", wait_long, {.handler_max = 5s});
  routes.post("/behind", wait_behind_body, {.body = BodyMode::streamed, .handler_max = 20s});
  routes.post("/given_up", give_up_reading, {.body = BodyMode::streamed, .handler_max = 5s});
  routes.get("/raw", be_upgraded);
}

/// As they are by default: head 10 s, body 10 s and 1 KiB/s, handler 60 s, idle 60 s.
class TimedSession : LiveArenas {
 protected:
  /// That nothing happens to what was sent at that moment until so long after, and then this: an answer of
  /// that status, or the end alone.
  void check_ends_after(Moment moment, std::chrono::nanoseconds time, std::optional<int> status) {
    const std::size_t before = peer.received().size();
    shard.sweep(peer, moment.begin + time - 1ns);
    CHECK(peer.received().size() == before);
    CHECK(!peer.gone());
    shard.sweep(peer, moment.end + time);
    if (status.has_value()) {
      shard.loop().run_until([&] { return peer.pump().received().size() > before; });
      CHECK(peer.received().substr(before, 12) == "HTTP/1.1 " + std::to_string(*status));
    }
    shard.loop().run_until([&] { return peer.pump().gone(); });
    CHECK(peer.ended());
  }

  /// Activity is as of the sweep before.
  static Moment coarse(Moment moment) noexcept {
    return {moment.begin - pool::kSweepInterval, moment.end};
  }

  ServedShard shard{add_routes};
  Peer peer = shard.connect();
};

TEST_CASE_FIXTURE(TimedSession, "time: a head has 10 s from its first byte") {
  check_ends_after(shard.send(peer, "G"), 10s, 408);
}

TEST_CASE_FIXTURE(TimedSession, "time: a second piece of a head does not put it off") {
  const Moment first = shard.send(peer, "GET / HTTP/1.1\r\n");
  shard.send(peer, "Host: t\r\n");
  check_ends_after(first, 10s, 408);
}

TEST_CASE_FIXTURE(TimedSession, "time: a body has 10 s, and may be late by no more") {
  check_ends_after(shard.send(peer, post("/echo", 5000)), 10s, 408);
}

TEST_CASE_FIXTURE(TimedSession,
                  "time: 2,048 bytes of a body earn two seconds, read as they come or not") {
  for (const std::string_view path : {"/echo", "/take"}) {
    CAPTURE(path);
    peer = shard.connect();
    check_ends_after(shard.send(peer, post(path, 5000) + std::string(2048, 'x')), 12s, 408);
  }
}

TEST_CASE_FIXTURE(TimedSession, "time: no body earns more than the idle time") {
  const Moment moment = shard.send(peer, post("/echo", 500'000) + std::string(400'000, 'x'));
  check_ends_after(coarse(moment), 60s, 408);
}

TEST_CASE_FIXTURE(TimedSession, "time: a body that nobody wants has the time of one that is read") {
  const Moment moment = shard.send(peer, post("/missing", 2048));
  CHECK(peer.pump().received().starts_with("HTTP/1.1 404"));
  CHECK(peer.received().find("Connection: close") == std::string::npos);
  check_ends_after(moment, 12s, std::nullopt);
}

TEST_CASE_FIXTURE(TimedSession, "time: a handler has 60 s to begin its response") {
  check_ends_after(shard.send(peer, "GET /long HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"),
                   60s, 503);
}

TEST_CASE_FIXTURE(TimedSession, "time: a handler has what its route says") {
  check_ends_after(shard.send(peer, "GET /hasty HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"),
                   5s, 503);
}

TEST_CASE_FIXTURE(TimedSession, "time: a handler's time begins anew with the body that it reads") {
  shard.send(peer, post("/behind", 10));
  check_ends_after(shard.send(peer, "0123456789"), 20s, 503);
}

TEST_CASE_FIXTURE(TimedSession,
                  "time: a handler's time does not begin anew with what it gives up") {
  const Moment moment = shard.send(peer, post("/given_up", 10));
  shard.loop().run_until([] { return std::exchange(has_given_up, false); });
  check_ends_after(moment, 5s, 503);
}

TEST_CASE_FIXTURE(TimedSession, "time: an upgraded connection has the idle time") {
  const Moment moment = shard.send(
      peer, "GET /raw HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: echo/2\r\n\r\n");
  CHECK(peer.pump().received().starts_with("HTTP/1.1 101"));
  check_ends_after(coarse(moment), 60s, std::nullopt);
}

TEST_CASE_FIXTURE(TimedSession, "time: an idle connection has the idle time") {
  check_ends_after(coarse(shard.send(peer, kGet)), 60s, std::nullopt);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

/// Two clients whose requests are there when the loop goes on, and in which order they are answered.
class TwoClients : LiveArenas {
 protected:
  /// How many of the first one's requests were answered before the second's.
  std::size_t answered_before_other(std::string_view request, std::size_t times,
                                    const ServerOptions& options = {}) {
    std::size_t answered = 0;
    std::optional<std::size_t> before_other;
    ServedShard shard(
        [&](Routes& routes) {
          routes.use(compression());
          routes.get("/small", [&](const Request&, Response& response) {
            ++answered;
            response.text("small");
          });
          routes.get("/whole", [&](const Request&, Response& response) {
            ++answered;
            response.body_by_reference(whole, "text/plain");
          });
          routes.get("/written", [&](Exchange& exchange) -> Task<> {
            exchange.response().set_header("Content-Type", "text/plain");
            for (std::size_t i = 0; i < 1000; ++i) {
              co_await exchange.write(whole);
              ++answered;
            }
          });
          routes.get("/other", [&](const Request&, Response& response) {
            before_other = answered;
            response.text("other");
          });
        },
        options);
    Peer first = shard.connect();
    Peer other = shard.connect();
    first.send(repeated(request, times));
    other.send("GET /other HTTP/1.1\r\nHost: t\r\n\r\n");
    shard.loop().run_until([&] {
      first.pump();
      return before_other.has_value();
    });
    return *before_other;
  }

  const std::string whole = std::string(64 * 1024, 'x');
};

TEST_CASE_FIXTURE(TwoClients, "turn: 64 pipelined requests, then others") {
  constexpr std::string_view kSmall = "GET /small HTTP/1.1\r\nHost: t\r\n\r\n";
  for (const std::size_t times : {1U, 63U, 64U}) {
    CHECK(answered_before_other(kSmall, times) == times);
  }
  for (const std::size_t times : {65U, 200U, 400U}) {
    CHECK(answered_before_other(kSmall, times) == 64);
  }
  ServerOptions options;
  options.limits.pipelined_requests_max = 1;
  CHECK(answered_before_other(kSmall, 2, options) == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "turn: behind a response by reference, the next request has one") {
  const std::string large(100'000, 'x');
  ServerOptions options;
  options.limits.pipelined_requests_max = 1;
  ServedShard shard(
      [&large](Routes& routes) {
        routes.get("/", [&large](const Request&, Response& response) {
          response.body_by_reference(large, "text/plain");
        });
      },
      options);
  Peer peer = shard.connect();
  peer.send(repeated(kGet, 3));
  shard.loop().run_until([&] { return peer.pump().received().size() > 3 * large.size(); });
}

TEST_CASE_FIXTURE(TwoClients, "turn: 128 KiB are compressed, then others") {
  for (const ContentCoding coding : tests::available_codings()) {
    const std::string fields =
        "Host: t\r\nAccept-Encoding: " + std::string(to_string(coding)) + "\r\n\r\n";
    CAPTURE(fields);
    CHECK(answered_before_other("GET /whole HTTP/1.1\r\n" + fields, 1) == 1);
    CHECK(answered_before_other("GET /whole HTTP/1.1\r\n" + fields, 20) == 2);
    // Whatever little becomes of it.
    CHECK(answered_before_other("GET /written HTTP/1.1\r\n" + fields, 1) == 2);
  }
}

}  // namespace
}  // namespace stadion::http
