// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pool/socket_pool.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/served_pool.hpp"

namespace stadion::pool {
namespace {

using tests::ConnectedPair;
using tests::LiveArenas;
using tests::ServedPool;
using Clock = Connection::Clock;

constexpr std::size_t kBufferBytes = 64;

/// A pool whose handler leaves all input where it is, as one that waits for something else does.
class WaitingHandler : LiveArenas {
 protected:
  ServedPool::Client connect_full(ConnectedPair pair = ConnectedPair::tcp()) {
    auto client = served.connect(std::move(pair));
    client.peer.send(std::string(kBufferBytes + 10, 'x'));
    served.loop.run_until([&] { return client.connection().input_full(); });
    return client;
  }
  void sweep_often() {
    for (int i = 0; i < 5; ++i) {
      served.loop.call([this] { served.pool.sweep(Clock::now()); });
    }
  }

  ServedPool served{200, kBufferBytes};
};

TEST_CASE_FIXTURE(WaitingHandler, "gone: a peer's reset is told soon though the input is full") {
  auto client = connect_full();
  auto other = connect_full();
  client.peer.reset();
  served.loop.run_until([&] { return client.ref.is_stale(); });
  CHECK(served.handler.count("close") == 1);
  CHECK(served.pool.statistics().timed_out == 0);
  sweep_often();
  CHECK(!other.ref.is_stale());
}

TEST_CASE_FIXTURE(WaitingHandler, "gone: a peer's reset is told soon after it has ended its side") {
  served.handler.input_end = [](Connection&) {};
  auto client = served.connect();
  client.peer.send("question").end();
  served.loop.run_until([&] { return client.connection().input_ended(); });
  sweep_often();
  CHECK(!client.ref.is_stale());  // It still waits for the answer.
  client.peer.reset();
  served.loop.run_until([&] { return client.ref.is_stale(); });
}

TEST_CASE_FIXTURE(WaitingHandler, "gone: many peers' resets are told, and of nobody else") {
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 150; ++i) {
    clients.push_back(connect_full());
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i % 3 != 0) {
      clients[i].peer.reset();
    }
  }
  served.loop.run_until([&] { return served.pool.size() <= 50; });
  sweep_often();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CHECK(clients[i].ref.is_stale() == (i % 3 != 0));
  }
}

TEST_CASE_FIXTURE(WaitingHandler, "gone: on_close() may remove the others that are gone, too") {
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connect_full());
  }
  served.handler.close = [&](Connection&) {
    for (auto& client : clients) {
      if (!client.ref.is_stale()) {
        served.pool.remove(client.connection());
      }
    }
    CHECK(!served.pool.resize(150));
  };
  for (auto& client : clients) {
    client.peer.reset();
  }
  served.loop.run_until([&] { return served.pool.size() == 0; });
  CHECK(served.handler.count("close") == 5);
}

TEST_CASE_FIXTURE(WaitingHandler, "gone: what a peer sent before its orderly end is not lost") {
  for (ConnectedPair& pair : tests::pairs_of_each_kind()) {
    auto client = connect_full(std::move(pair));
    client.peer.close();
    sweep_often();
    REQUIRE(!client.ref.is_stale());
    std::size_t seen = 0;
    served.handler.input = [&seen](Connection& connection) {
      seen += connection.input().size();
      connection.consume(connection.input().size());
    };
    served.loop.call([&] {
      served.handler.input(client.connection());
      client.connection().flush();
    });
    served.loop.run_until([&] { return client.ref.is_stale(); });
    CHECK(seen == kBufferBytes + 10);
    served.handler.input = nullptr;
  }
}

TEST_CASE_FIXTURE(LiveArenas, "gone: without a handler nobody is asked") {
  tests::TestLoop loop;
  Arena arena;
  SocketPool pool(arena, 2, kBufferBytes);
  ConnectedPair pair = ConnectedPair::tcp();
  const ConnectionRef ref = pool.add(net::Socket(loop.worker(), pair.ours.release()))->ref();
  pair.peer.reset();
  pool.sweep(Clock::now());
  CHECK(!ref.is_stale());
}

}  // namespace
}  // namespace stadion::pool
