// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "pool/socket_pool.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/served_pool.hpp"

namespace stadion::pool {
namespace {

using namespace std::chrono_literals;
using tests::ConnectedPair;
using tests::IdleSockets;
using tests::LiveArenas;
using tests::ServedPool;
using tests::TestLoop;
using Clock = Connection::Clock;

TEST_CASE_FIXTURE(LiveArenas, "idle time: a connection is timed out when it is over, not before") {
  ServedPool served(3, 64, {.idle = 60s});
  auto client = served.connect();
  const Clock::time_point start = client.connection().last_activity();
  served.pool.sweep(start + 60s - 1ns);
  CHECK(!client.ref.is_stale());
  CHECK(served.pool.statistics().timed_out == 0);
  served.pool.sweep(start + 60s);
  CHECK(client.ref.is_stale());
  CHECK(served.handler.calls() == "open timeout close");
  CHECK(served.pool.statistics().timed_out == 1);
  CHECK(client.peer.pump().ended());
}

TEST_CASE_FIXTURE(LiveArenas, "idle time: by default there is none") {
  ServedPool served(3, 64);
  auto client = served.connect();
  served.pool.sweep(Clock::now() + 24h * 365);
  CHECK(!client.ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas, "idle time: bytes that come or go begin it anew") {
  ServedPool served(3, 64, {.idle = 1h});
  auto client = served.connect();
  Clock::time_point start = client.connection().last_activity();
  const auto check_begun_anew = [&] {
    // As of the pool's last sweep: later than at the beginning.
    const Clock::time_point active = client.connection().last_activity();
    CHECK(active > start);
    served.pool.sweep(start + 1h);
    CHECK(!client.ref.is_stale());
    start = active;
  };
  served.pool.sweep(start + 30min);
  client.peer.send("in");
  served.loop.run_until([&] { return client.connection().input() == "in"; });
  check_begun_anew();

  served.pool.sweep(start + 30min);
  CHECK(client.connection().write("out"));
  client.connection().flush();
  served.loop.run_until([&] { return client.connection().output_bytes() == 0; });
  check_begun_anew();
  CHECK(served.handler.count("timeout") == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "idle time: a handler that doesn't close gives as much time again") {
  ServedPool served(3, 64, {.idle = 60s});
  served.handler.timeout = [&](Connection& connection) {
    if (served.handler.count("timeout") == 2) {
      connection.close();
    }
  };
  auto client = served.connect();
  const Clock::time_point start = client.connection().last_activity();
  served.pool.sweep(start + 60s);
  CHECK(served.handler.count("timeout") == 1);
  served.pool.sweep(start + 120s - 1ns);
  CHECK(served.handler.count("timeout") == 1);
  CHECK(!client.ref.is_stale());
  served.pool.sweep(start + 120s);
  CHECK(served.handler.count("timeout") == 2);
  CHECK(client.ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas, "idle time: a last word in on_timeout() is sent before the close") {
  ServedPool served(3, 64, {.idle = 60s});
  served.handler.timeout = [](Connection& connection) {
    CHECK(connection.write("too slow"));
    connection.close_after_output();
  };
  auto client = served.connect();
  served.pool.sweep(client.connection().last_activity() + 60s);
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  CHECK(client.peer.received() == "too slow");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "idle time: begins with start() for connections that were added before") {
  TestLoop loop;
  Arena arena;
  tests::ScriptedHandler handler;
  SocketPool pool(arena, 2, 64, {.idle = 60s});
  ConnectedPair pair = ConnectedPair::tcp();
  REQUIRE(pool.add(net::Socket(loop.worker(), pair.ours.release())) != nullptr);
  pool.start(loop.worker(), handler);
  pool.sweep(Clock::now());
  CHECK(handler.calls() == "open");
  CHECK(pool.size() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "idle time: without a handler the connection is removed") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 2, 64, {.idle = 60s});
  const Clock::time_point start = Clock::now();
  pool.sweep(start);
  const ConnectionRef ref = pool.add(sockets.make())->ref();
  pool.sweep(start + 60s - 1ns);
  CHECK(!ref.is_stale());
  pool.sweep(start + 60s);
  CHECK(ref.is_stale());
  CHECK(pool.statistics().timed_out == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "expiry: on_timeout() is told at the time that was set, once") {
  ServedPool served(3, 64);
  served.handler.timeout = [](Connection&) {};
  auto client = served.connect();
  const Clock::time_point time = Clock::now() + 1h;
  client.connection().expires_at(time);
  served.pool.sweep(time - 1ns);
  CHECK(served.handler.count("timeout") == 0);
  served.pool.sweep(time);
  CHECK(served.handler.count("timeout") == 1);
  CHECK(served.pool.statistics().timed_out == 1);
  served.pool.sweep(time + 24h);
  CHECK(served.handler.count("timeout") == 1);
  CHECK(!client.ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas, "expiry: after a delay, by default it closes") {
  ServedPool served(3, 64);
  auto client = served.connect();
  const auto before = Clock::now();
  client.connection().expires_after(1h);
  const auto after = Clock::now();
  served.pool.sweep(before + 1h - 1ms);
  CHECK(!client.ref.is_stale());
  served.pool.sweep(after + 1h);
  CHECK(client.ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "expiry: bytes don't put it off, setting it again or cancelling it do") {
  ServedPool served(3, 64);
  served.handler.timeout = [](Connection&) {};
  auto client = served.connect();
  const Clock::time_point time = Clock::now() + 1h;
  client.connection().expires_at(time);
  client.connection().expires_at(time + 1h);
  served.pool.sweep(time);
  CHECK(served.handler.count("timeout") == 0);
  client.peer.send("x");
  served.loop.run_until([&] { return client.connection().input() == "x"; });
  served.pool.sweep(time + 1h);
  CHECK(served.handler.count("timeout") == 1);

  client.connection().expires_at(time + 2h);
  client.connection().cancel_expiry();
  served.pool.sweep(time + 24h);
  CHECK(served.handler.count("timeout") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "expiry: only those that are due are timed out") {
  ServedPool served(5, 64);
  std::vector<ServedPool::Client> clients;
  const Clock::time_point time = Clock::now() + 1h;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(served.connect());
    clients.back().connection().expires_at(time + i * 1s);
  }
  served.pool.sweep(time + 1s);
  CHECK(clients[0].ref.is_stale());
  CHECK(clients[1].ref.is_stale());
  CHECK(!clients[2].ref.is_stale());
  CHECK(!clients[3].ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "expiry: on_timeout() may remove other connections and resize the pool") {
  ServedPool served(5, 64);
  std::vector<ServedPool::Client> clients;
  const Clock::time_point time = Clock::now() + 1h;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(served.connect());
    clients.back().connection().expires_at(time);
  }
  served.handler.timeout = [&](Connection& connection) {
    const ConnectionRef ref = connection.ref();
    CHECK(!served.pool.resize(50));
    if (!clients[3].ref.is_stale() && ref != clients[3].ref) {
      served.pool.remove(clients[3].connection());
    }
    ref.get()->close();
  };
  served.pool.sweep(time);
  CHECK(served.pool.size() == 0);
  CHECK(served.handler.count("timeout") == 3);
  CHECK(served.handler.count("close") == 4);
}

/// A connection whose peer takes nothing of its endless output, and when a byte last went.
class StalledWriter : LiveArenas {
 protected:
  explicit StalledWriter(SocketPoolTimes times = {.write_stalled = 30s}) : served(3, 64, times) {
    served.handler.open = [this](Connection& connection) {
      CHECK(connection.write_by_reference(output));
    };
    ConnectedPair pair = ConnectedPair::local();
    pair.peer.receive_at_most(0);
    client.emplace(served.connect(std::move(pair)));
    served.run_to_rest(client->peer);
    CHECK(client->connection().output_bytes() > 0);
    last_sent = client->connection().last_activity();  // For nothing came.
  }

  const std::string output = std::string(8 * 1024 * 1024, 'x');
  ServedPool served;
  std::optional<ServedPool::Client> client;
  Clock::time_point last_sent;
};

TEST_CASE_FIXTURE(StalledWriter,
                  "stalled write: a peer that takes nothing is disconnected in time") {
  served.pool.sweep(last_sent + 30s - 1ns);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(last_sent + 30s);
  CHECK(client->ref.is_stale());
  // There is no use in asking the handler: it could not tell the peer anything.
  CHECK(served.handler.calls() == "open close");
  CHECK(served.pool.statistics().timed_out == 1);
}

TEST_CASE_FIXTURE(StalledWriter, "stalled write: bytes that the peer takes begin the time anew") {
  served.pool.sweep(last_sent + 20s);
  client->peer.receive_at_most(1024 * 1024);
  served.run_to_rest(client->peer);
  CHECK(client->connection().output_bytes() > 0);
  CHECK(client->connection().last_activity() > last_sent);
  served.pool.sweep(last_sent + 30s);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(last_sent + 60s - 1ns);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(last_sent + 60s);
  CHECK(client->ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas, "stalled write: what the system has for the peer is forgotten, too") {
  ServedPool served(3, 64, {.write_stalled = 30s});
  const std::string output(8 * 1024 * 1024, 'x');
  served.handler.open = [&output](Connection& connection) {
    CHECK(connection.write_by_reference(output));
  };
  ConnectedPair pair = ConnectedPair::tcp();
  pair.peer.receive_at_most(0);
  auto client = served.connect(std::move(pair));
  served.run_to_rest(client.peer);
  const auto start = client.connection().last_activity();
  served.pool.sweep(start);
  served.pool.sweep(start + 30s);
  CHECK(client.ref.is_stale());
  client.peer.receive_at_most(output.size());
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.peer.broken());
}

/// A connection of which all output has gone to our system, and nothing to its peer yet.
class SlowTaker : LiveArenas {
 protected:
  SlowTaker() : served(3, 64, {.idle = 60s, .write_stalled = 30s, .linger = 2s}) {}

  void connect(bool closes) {
    served.handler.open = [this, closes](Connection& connection) {
      CHECK(connection.write_by_reference(output));
      if (closes) {
        connection.close_after_output();
      }
    };
    ConnectedPair pair = ConnectedPair::local();
    pair.peer.receive_at_most(0);
    client.emplace(served.connect(std::move(pair)));
    served.run_to_rest(client->peer);
    CHECK(client->connection().output_bytes() == 0);
    CHECK(client->connection().socket().send_queue_bytes() > 0);
    over = Clock::now() + 60s;  // Whichever of the two times it is.
    served.pool.sweep(over);
    REQUIRE(!client->ref.is_stale());
  }

  const std::string output = std::string(64 * 1024, 'x');
  ServedPool served;
  std::optional<ServedPool::Client> client;
  Clock::time_point over;
};

TEST_CASE_FIXTURE(SlowTaker,
                  "slow taker: is not idle, nor at its end, but has the time of a writer") {
  for (const bool closes : {false, true}) {
    CAPTURE(closes);
    connect(closes);
    served.pool.sweep(over + 30s - 1ns);
    CHECK(!client->ref.is_stale());
    served.pool.sweep(over + 30s);
    CHECK(client->ref.is_stale());
    CHECK(served.handler.count("timeout") == 0);
  }
}

TEST_CASE_FIXTURE(SlowTaker, "slow taker: who takes enough has the time anew") {
  connect(true);
  client->peer.receive_at_most(48 * 1024);
  client->peer.pump();
  served.pool.sweep(over + 30s);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(over + 60s - 1ns);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(over + 60s);
  CHECK(client->ref.is_stale());
}

TEST_CASE_FIXTURE(SlowTaker, "slow taker: when all is taken, it is idle, or at its end") {
  for (const bool closes : {false, true}) {
    CAPTURE(closes);
    connect(closes);
    client->peer.receive_at_most(output.size());
    client->peer.pump();
    served.pool.sweep(over + 30s);  // However little it was in that time.
    CHECK(client->ref.is_stale());
    CHECK(served.handler.count("timeout") == 1);  // Who closes already is not told.
    client->peer.receive_at_most(output.size() + 1);
    CHECK(client->peer.pump().ended());
  }
}

TEST_CASE_FIXTURE(SlowTaker, "slow taker: a stop does not wait for it") {
  connect(true);
  served.pool.drain(10min, [] {});
  served.pool.sweep(over + 500ms);
  CHECK(client->ref.is_stale());
}

struct DemandingWriter : StalledWriter {
  DemandingWriter() : StalledWriter({.write_stalled = 30s, .write_bytes_per_second_min = 50'000}) {}
};

TEST_CASE_FIXTURE(DemandingWriter, "stalled write: a peer that takes too little is disconnected") {
  served.pool.sweep(last_sent);
  client->peer.receive_at_most(1'000'000);
  served.run_to_rest(client->peer);
  served.pool.sweep(last_sent + 30s - 1ns);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(last_sent + 30s);
  CHECK(client->ref.is_stale());
}

TEST_CASE_FIXTURE(DemandingWriter, "stalled write: a peer that takes enough is not") {
  served.pool.sweep(last_sent);
  client->peer.receive_at_most(2'000'000);
  served.run_to_rest(client->peer);
  served.pool.sweep(last_sent + 30s);
  CHECK(!client->ref.is_stale());
}

TEST_CASE_FIXTURE(DemandingWriter, "stalled write: a rate counts what waits in our own system") {
  served.pool.sweep(last_sent);
  // Over 1.5 MB have gone to the system by now, and nothing of it to the peer.
  const std::size_t room = client->connection().output_bytes();
  client->peer.receive_at_most(1'000'000);
  served.run_to_rest(client->peer);
  CHECK(room > client->connection().output_bytes());
  served.pool.sweep(last_sent + 30s);
  CHECK(client->ref.is_stale());
}

struct UnlimitedWriter : StalledWriter {
  UnlimitedWriter() : StalledWriter({.idle = 60s, .write_stalled = 0s}) {}
};

TEST_CASE_FIXTURE(UnlimitedWriter, "stalled write: 0 means no limit, and output is not idleness") {
  served.pool.sweep(last_sent + 24h);
  CHECK(!client->ref.is_stale());
  CHECK(served.handler.calls() == "open");
}

TEST_CASE_FIXTURE(LiveArenas, "stalled write: the time counts from when output begins to wait") {
  ServedPool served(3, 64, {.write_stalled = 30s});
  ConnectedPair pair = ConnectedPair::local();
  pair.peer.receive_at_most(0);
  auto client = served.connect(std::move(pair));
  const Clock::time_point later = Clock::now() + 1h;
  const std::string output(8 * 1024 * 1024, 'x');
  served.loop.call([&] {
    served.pool.sweep(later);
    CHECK(client.connection().write_by_reference(output));
    client.connection().flush();
    served.pool.sweep(later + 30s - 1ns);
    CHECK(!client.ref.is_stale());
    served.pool.sweep(later + 30s);
    CHECK(client.ref.is_stale());
  });
}

TEST_CASE_FIXTURE(LiveArenas, "sweep: the pool does it by itself, again and again") {
  ServedPool served(3, 64, {.idle = 1ms});
  for (int i = 0; i < 2; ++i) {
    auto client = served.connect();
    CHECK(!client.ref.is_stale());
    served.loop.run_until([&] { return client.ref.is_stale(); });
    CHECK(client.peer.pump().ended());
  }
  CHECK(served.pool.statistics().timed_out == 2);
}

}  // namespace
}  // namespace stadion::pool
