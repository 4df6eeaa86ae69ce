// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
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

TEST_CASE_FIXTURE(LiveArenas, "drain: idle connections are closed, and then it is told, once") {
  ServedPool served(4, 64);
  int drained = 0;
  bool on_loop = false;
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(served.connect());
  }
  CHECK(!served.pool.is_draining());
  served.pool.drain(1h, [&] {
    ++drained;
    on_loop = served.loop.worker().is_current();
  });
  CHECK(served.pool.is_draining());
  CHECK(served.handler.count("drain") == 3);
  for (auto& client : clients) {
    served.loop.run_until([&] { return client.peer.pump().ended(); });
    CHECK(drained == 0);
    client.peer.close();
  }
  served.loop.run_until([&] { return drained > 0; });
  CHECK(on_loop);
  CHECK(served.pool.size() == 0);
  CHECK(served.handler.count("close") == 3);
  served.loop.run_ready();
  CHECK(drained == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "drain: new connections are refused") {
  ServedPool served(4, 64);
  auto client = served.connect();
  served.handler.drain = [](Connection&) {};
  served.pool.drain(1h, nullptr);
  auto refused = served.connect();
  CHECK(refused.ref.is_stale());
  served.loop.run_until([&] { return refused.peer.pump().gone(); });
  CHECK(served.pool.statistics().refused == 1);
  CHECK(served.pool.size() == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "drain: what was written is sent, and the answer to come waited for") {
  ServedPool served(4, 64);
  int drained = 0;
  // A request is under way: its connection stays until it is answered.
  served.handler.drain = [](Connection& connection) {
    if (connection.input().empty()) {
      connection.close_after_output();
    }
  };
  auto idle = served.connect();
  auto busy = served.connect();
  busy.peer.send("request");
  served.loop.run_until([&] { return busy.connection().input() == "request"; });
  CHECK(idle.connection().write("good"));
  CHECK(idle.connection().write("bye"));
  served.pool.drain(1h, [&drained] { ++drained; });
  served.loop.run_until([&] { return idle.peer.pump().ended(); });
  CHECK(idle.peer.received() == "goodbye");
  idle.peer.close();
  served.loop.run_until([&] { return idle.ref.is_stale(); });
  CHECK(!busy.ref.is_stale());
  CHECK(drained == 0);

  CHECK(busy.connection().write("answer"));
  busy.connection().close_after_output();
  busy.connection().flush();
  served.loop.run_until([&] { return busy.peer.pump().ended(); });
  CHECK(busy.peer.received() == "answer");
  busy.peer.close();
  served.loop.run_until([&] { return drained == 1; });
}

TEST_CASE_FIXTURE(LiveArenas, "drain: what is left at the timeout is closed") {
  ServedPool served(4, 64);
  int drained = 0;
  served.handler.drain = [](Connection&) {};
  auto first = served.connect();
  auto second = served.connect();
  const auto before = Clock::now();
  served.pool.drain(1h, [&drained] { ++drained; });
  const auto after = Clock::now();
  served.pool.sweep(before + 1h - 1ms);
  CHECK(served.pool.size() == 2);
  served.pool.sweep(after + 1h);
  CHECK(served.pool.size() == 0);
  CHECK(drained == 0);
  served.loop.run_until([&] { return drained == 1; });
  CHECK(first.peer.pump().ended());
  CHECK(second.peer.pump().ended());
  CHECK(served.handler.count("close") == 2);
}

TEST_CASE_FIXTURE(LiveArenas, "drain: the timeout comes by itself") {
  ServedPool served(4, 64);
  bool drained = false;
  served.handler.drain = [](Connection&) {};
  auto client = served.connect();
  served.pool.drain(1ms, [&drained] { drained = true; });
  served.loop.run_until([&drained] { return drained; });
  CHECK(client.peer.pump().ended());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "drain: peers that never end their side hold it up no more than briefly") {
  ServedPool served(4, 64, {.linger = 1h});
  bool drained = false;
  auto client = served.connect();
  served.pool.drain(1h, [&drained] { drained = true; });
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  CHECK(!drained);
  served.loop.run_until([&drained] { return drained; });
}

TEST_CASE_FIXTURE(LiveArenas, "drain: an empty pool is drained at once, but told from the loop") {
  ServedPool served(4, 64);
  int drained = 0;
  served.loop.call([&] {
    served.pool.drain(1h, [&drained] { ++drained; });
    CHECK(drained == 0);
  });
  served.loop.run_until([&] { return drained == 1; });
}

TEST_CASE_FIXTURE(LiveArenas, "drain: a handler may begin it") {
  ServedPool served(4, 64);
  bool drained = false;
  auto other = served.connect();
  auto client = served.connect();
  served.handler.input = [&](Connection& connection) {
    CHECK(connection.write("the end"));
    served.pool.drain(1h, [&drained] { drained = true; });
  };
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone() && other.peer.pump().gone(); });
  CHECK(client.peer.received() == "the end");
  client.peer.close();
  other.peer.close();
  served.loop.run_until([&drained] { return drained; });
}

TEST_CASE_FIXTURE(LiveArenas, "drain: a pool that is not started closes its connections at once") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 4, 64);
  REQUIRE(pool.add(sockets.make()) != nullptr);
  REQUIRE(pool.add(sockets.make()) != nullptr);
  int drained = 0;
  pool.drain(1h, [&drained] { ++drained; });
  CHECK(pool.size() == 0);
  CHECK(drained == 1);
  CHECK(pool.add(sockets.make()) == nullptr);
}

TEST_CASE_FIXTURE(LiveArenas, "drain: a pool that is destroyed meanwhile tells nobody") {
  int drained = 0;
  {
    TestLoop loop;
    Arena arena;
    tests::ScriptedHandler handler;
    handler.drain = [](Connection&) {};
    ConnectedPair pair = ConnectedPair::tcp();
    {
      SocketPool pool(arena, 4, 64);
      pool.start(loop.worker(), handler);
      loop.call([&] { pool.add(net::Socket(loop.worker(), pair.ours.release())); });
      pool.drain(1h, [&drained] { ++drained; });
    }
    loop.run_ready();
    CHECK(handler.count("close") == 1);
  }
  CHECK(drained == 0);
}

}  // namespace
}  // namespace stadion::pool
