// SPDX-License-Identifier: MIT
#include "pool/socket_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/arena.hpp"
#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::pool {
namespace {

using tests::ConnectedPair;
using tests::IdleSockets;
using tests::is_open_descriptor;
using tests::LiveArenas;
using tests::TestLoop;

static_assert(!std::is_copy_constructible_v<SocketPool> &&
              !std::is_move_constructible_v<SocketPool>);
static_assert(!std::is_copy_constructible_v<Connection>);
static_assert(!std::is_move_constructible_v<Connection>, "only a resize may move a connection");

bool has_ipv6() {
  try {
    (void)net::ListeningSocket::open(net::Endpoint::parse("[::1]:0"));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

/// A pool that is not started: it holds connections and does no I/O.
class HoldingPool : LiveArenas {
 protected:
  Connection& add(SocketPool& pool) {
    Connection* connection = pool.add(sockets.make());
    REQUIRE(connection != nullptr);
    return *connection;
  }

  TestLoop loop;
  IdleSockets sockets{loop.worker()};
  Arena arena;
};

TEST_CASE_FIXTURE(HoldingPool, "socket pool: begins empty, with what it was given") {
  SocketPool pool(arena, 3, 128);
  CHECK(pool.size() == 0);
  CHECK(pool.max_connections() == 3);
  CHECK(pool.buffer_bytes() == 128);
  CHECK(!pool.is_draining());
  CHECK(pool.get(0) == nullptr);
  CHECK(pool.find([](Connection&) { return true; }) == nullptr);
  int visits = 0;
  pool.for_each([&visits](Connection&) { ++visits; });
  CHECK(visits == 0);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: a connection is found by its socket's handle") {
  SocketPool pool(arena, 3, 128);
  Connection& first = add(pool);
  Connection& second = add(pool);
  CHECK(&first != &second);
  CHECK(&first.pool() == &pool);
  CHECK(pool.size() == 2);
  CHECK(pool.get(first.socket().native_handle()) == &first);
  CHECK(pool.get(second.socket().native_handle()) == &second);
  CHECK(pool.get(-1) == nullptr);
  CHECK(pool.get(1'000'000) == nullptr);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: find() gives a connection that matches, or null") {
  SocketPool pool(arena, 3, 128);
  int user = 0;
  add(pool);
  Connection& wanted = add(pool);
  wanted.set_data(&user);
  add(pool);
  CHECK(pool.find([&](Connection& each) { return each.data() == &user; }) == &wanted);
  CHECK(pool.find([](Connection&) { return false; }) == nullptr);
  pool.remove(wanted);
  CHECK(pool.find([&](Connection& each) { return each.data() == &user; }) == nullptr);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: takes max_connections, and refuses the one above") {
  SocketPool pool(arena, 3, 128);
  add(pool);
  add(pool);
  add(pool);
  CHECK(pool.size() == 3);
  CHECK(pool.statistics().refused == 0);

  ConnectedPair pair = ConnectedPair::tcp();
  CHECK(pool.add(net::Socket(loop.worker(), pair.ours.release())) == nullptr);
  CHECK(pool.size() == 3);
  CHECK(pool.statistics().refused == 1);
  CHECK(pool.statistics().added == 3);
  loop.run_until([&] { return pair.peer.pump().gone(); });

  pool.remove(*pool.find([](Connection&) { return true; }));
  CHECK(pool.size() == 2);
  add(pool);
  CHECK(pool.add(sockets.make()) == nullptr);
  CHECK(pool.statistics().refused == 2);
}

TEST_CASE_FIXTURE(HoldingPool,
                  "socket pool: takes so many of one client, and refuses the one above") {
  SocketPool pool(arena, 10, 128);
  add(pool);  // Comes before the limit, and is not counted.
  pool.set_connections_per_address_max(3);
  const auto add_tcp = [&] {
    ConnectedPair pair = ConnectedPair::tcp();  // All from 127.0.0.1.
    return pool.add(net::Socket(loop.worker(), pair.ours.release()));
  };
  REQUIRE(add_tcp() != nullptr);
  REQUIRE(add_tcp() != nullptr);
  Connection* third = add_tcp();
  REQUIRE(third != nullptr);
  CHECK(add_tcp() == nullptr);
  CHECK(pool.statistics().refused == 1);
  CHECK(pool.size() == 4);

  add(pool);  // Over a Unix socket: no client has an address there.
  CHECK(pool.size() == 5);
  pool.remove(*third);
  REQUIRE(add_tcp() != nullptr);
  CHECK(add_tcp() == nullptr);
  CHECK(!pool.resize(20));
  CHECK(add_tcp() == nullptr);
  pool.set_connections_per_address_max(0);
  CHECK(add_tcp() != nullptr);
  pool.set_connections_per_address_max(3);
  CHECK(add_tcp() == nullptr);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: of IPv4 and of IPv6, one client has so many each") {
  constexpr std::size_t kMax = 3;
  SocketPool pool(arena, 10, 128);
  pool.set_connections_per_address_max(kMax);
  const auto add_tcp = [&](std::string_view listen_at) {
    ConnectedPair pair = ConnectedPair::tcp(listen_at);
    return pool.add(net::Socket(loop.worker(), pair.ours.release()));
  };
  std::size_t held = 0;
  for (const std::string_view listen_at : {"127.0.0.1:0", "[::1]:0"}) {
    if (listen_at.front() == '[' && !has_ipv6()) {
      MESSAGE("left out: this machine has no IPv6");
      continue;
    }
    CAPTURE(std::string(listen_at));
    Connection* last = nullptr;
    for (std::size_t count = 1; count <= kMax; ++count) {
      last = add_tcp(listen_at);
      REQUIRE(last != nullptr);
    }
    CHECK(add_tcp(listen_at) == nullptr);
    held += kMax;
    CHECK(pool.size() == held);
    pool.remove(*last);
    CHECK(add_tcp(listen_at) != nullptr);
    CHECK(add_tcp(listen_at) == nullptr);
  }
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: holds from 1 to 2^24 connections") {
  constexpr std::size_t kLargest = std::size_t{1} << 24;
  SocketPool pool(arena, 1, 128);
  add(pool);
  CHECK(pool.add(sockets.make()) == nullptr);
  // So many are taken for good, and only then is there no memory for them.
  Arena small({.limit_bytes = 1 << 20});
  CHECK_THROWS_AS(SocketPool(small, kLargest, 128), ArenaFailed);
  CHECK_THROWS_AS(SocketPool(small, kLargest + 1, 128), std::invalid_argument);
  SocketPool growing(small, 1, 128);
  CHECK_THROWS_AS((void)growing.resize(kLargest), ArenaFailed);
  CHECK_THROWS_AS((void)growing.resize(kLargest + 1), std::invalid_argument);
  CHECK(growing.max_connections() == 1);
  CHECK_THROWS_AS(SocketPool(arena, 0, 128), std::invalid_argument);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: remove() closes the connection's socket") {
  SocketPool pool(arena, 3, 128);
  ConnectedPair pair = ConnectedPair::tcp();
  Connection* connection = pool.add(net::Socket(loop.worker(), pair.ours.release()));
  REQUIRE(connection != nullptr);
  const int handle = connection->socket().native_handle();
  const ConnectionRef ref = connection->ref();
  CHECK(!pair.peer.pump().gone());

  pool.remove(*connection);
  CHECK(pool.size() == 0);
  CHECK(pool.get(handle) == nullptr);
  CHECK(ref.is_stale());
  loop.run_until([&] { return pair.peer.pump().ended(); });
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: close() outside a handler removes the connection") {
  SocketPool pool(arena, 3, 128);
  Connection& connection = add(pool);
  const ConnectionRef ref = connection.ref();
  connection.close();
  CHECK(ref.is_stale());
  CHECK(pool.size() == 0);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: a handle that the system reuses finds its new owner") {
  SocketPool pool(arena, 3, 128);
  Connection& first = add(pool);
  const int handle = first.socket().native_handle();
  add(pool);
  pool.remove(first);
  Connection& third = add(pool);
  REQUIRE(third.socket().native_handle() == handle);
  CHECK(pool.get(handle) == &third);
}

TEST_CASE_FIXTURE(HoldingPool,
                  "socket pool: a handle that is gone finds nobody, whoever has its slot") {
  SocketPool pool(arena, 3, 128);
  Connection& first = add(pool);
  const int handle = first.socket().native_handle();
  pool.remove(first);
  const net::Socket outside = sockets.make();
  REQUIRE(outside.native_handle() == handle);
  Connection& second = add(pool);
  CHECK(&second == &first);
  CHECK(pool.get(handle) == nullptr);
  CHECK(pool.get(second.socket().native_handle()) == &second);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: for_each() visits every connection once") {
  SocketPool pool(arena, 8, 128);
  std::set<Connection*> expected;
  for (int i = 0; i < 5; ++i) {
    expected.insert(&add(pool));
  }
  Connection* removed = *expected.begin();
  pool.remove(*removed);
  expected.erase(removed);
  std::vector<Connection*> visited;
  pool.for_each([&](Connection& connection) { visited.push_back(&connection); });
  CHECK(visited.size() == 4);
  CHECK(std::set<Connection*>(visited.begin(), visited.end()) == expected);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: for_each() may remove or close what it is given") {
  SocketPool pool(arena, 8, 128);
  for (int i = 0; i < 6; ++i) {
    add(pool);
  }
  int visits = 0;
  pool.for_each([&](Connection& connection) {
    if (++visits % 3 == 1) {
      pool.remove(connection);
    } else if (visits % 3 == 2) {
      connection.close();
    }
  });
  CHECK(visits == 6);
  CHECK(pool.size() == 2);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: a connection keeps its user's data") {
  SocketPool pool(arena, 3, 128);
  Connection& first = add(pool);
  Connection& second = add(pool);
  CHECK(first.data() == nullptr);
  int user = 0;
  first.set_data(&user);
  CHECK(first.data() == &user);
  CHECK(second.data() == nullptr);
  pool.remove(first);
  // What takes the place has nothing of it.
  CHECK(add(pool).data() == nullptr);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: counts what it did") {
  SocketPool pool(arena, 3, 128);
  Connection& first = add(pool);
  add(pool);
  pool.remove(first);
  add(pool);
  add(pool);
  (void)pool.add(sockets.make());
  pool.remove(*pool.find([](Connection&) { return true; }));
  const SocketPoolStatistics statistics = pool.statistics();
  CHECK(statistics.active == 2);
  CHECK(statistics.max_connections == 3);
  CHECK(statistics.peak == 3);
  CHECK(statistics.added == 4);
  CHECK(statistics.removed == 2);
  CHECK(statistics.refused == 1);
  CHECK(statistics.timed_out == 0);
  CHECK(statistics.bytes_in == 0);
  CHECK(statistics.bytes_out == 0);
}

TEST_CASE("socket pool: statistics of several pools add up") {
  SocketPoolStatistics sum{1, 2, 3, 4, 5, 6, 7, 8, 9};
  sum += SocketPoolStatistics{10, 20, 30, 40, 50, 60, 70, 80, 90};
  CHECK(sum.active == 11);
  CHECK(sum.max_connections == 22);
  CHECK(sum.peak == 33);
  CHECK(sum.added == 44);
  CHECK(sum.removed == 55);
  CHECK(sum.refused == 66);
  CHECK(sum.timed_out == 77);
  CHECK(sum.bytes_in == 88);
  CHECK(sum.bytes_out == 99);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: another thread never reads of a removal before any") {
  constexpr std::size_t kConnections = 300;
  for (int round = 0; round < 20; ++round) {
    SocketPool pool(arena, kConnections, 128);
    std::atomic<std::uint64_t> reads{0};
    std::atomic<bool> done{false};
    std::uint64_t removals = 0;
    std::thread reader([&] {
      while (!done) {
        removals = std::max(removals, pool.statistics().removed);
        ++reads;
      }
    });
    while (reads == 0) {
      std::this_thread::yield();
    }
    for (std::size_t i = 0; i < kConnections; ++i) {
      add(pool);
    }
    done = true;
    reader.join();
    CHECK(removals == 0);
    CHECK(pool.statistics().added == kConnections);
  }
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: without start() nothing is read") {
  SocketPool pool(arena, 3, 128);
  ConnectedPair pair = ConnectedPair::tcp();
  Connection* connection = pool.add(net::Socket(loop.worker(), pair.ours.release()));
  REQUIRE(connection != nullptr);
  pair.peer.send("anybody there?");
  loop.run_ready();
  connection->flush();
  loop.run_ready();
  CHECK(connection->input().empty());
  CHECK(pool.statistics().bytes_in == 0);
}

TEST_CASE_FIXTURE(HoldingPool, "socket pool: destroying it closes every connection") {
  std::vector<int> handles;
  {
    SocketPool pool(arena, 3, 128);
    for (int i = 0; i < 3; ++i) {
      handles.push_back(add(pool).socket().native_handle());
      CHECK(is_open_descriptor(handles.back()));
    }
  }
  for (const int handle : handles) {
    CHECK(!is_open_descriptor(handle));
  }
}

TEST_CASE_FIXTURE(HoldingPool,
                  "socket pool: the arena's dispose() frees pool and connections [Pattern 2]") {
  auto& pool = arena.make<SocketPool>(arena, 3U, 128U);
  ConnectedPair pair = ConnectedPair::tcp();
  REQUIRE(pool.add(net::Socket(loop.worker(), pair.ours.release())) != nullptr);
  arena.dispose();
  loop.run_until([&] { return pair.peer.pump().ended(); });
}

}  // namespace
}  // namespace stadion::pool
