// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/scripted_handler.hpp"
#include "tests/support/scripted_memory.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::pool {
namespace {

using tests::ConnectedPair;
using tests::IdleSockets;
using tests::LiveArenas;
using tests::ScriptedMemory;
using tests::TestLoop;

constexpr std::size_t kBufferBytes = 512;

TEST_CASE_FIXTURE(LiveArenas, "socket pool: adding and removing 100,000 times grows no arena") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 4, kBufferBytes);
  const auto add_and_remove = [&](int times) {
    for (int i = 0; i < times; ++i) {
      Connection* first = pool.add(sockets.make());
      Connection* second = pool.add(sockets.make());
      REQUIRE(first != nullptr);
      REQUIRE(second != nullptr);
      // Either may go first: the other order of slots and buffers.
      pool.remove(i % 2 == 0 ? *first : *second);
      pool.remove(i % 2 == 0 ? *second : *first);
    }
  };
  add_and_remove(2);
  const std::size_t used = arena.bytes_used();
  const std::size_t reserved = arena.bytes_reserved();
  add_and_remove(50'000);
  CHECK(arena.bytes_used() == used);
  CHECK(arena.bytes_reserved() == reserved);
  CHECK(pool.statistics().added == 100'004);
}

TEST_CASE_FIXTURE(LiveArenas, "socket pool: a connection without input and output has no buffers") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 1'000, kBufferBytes);
  const std::size_t before = arena.bytes_used();
  for (std::size_t i = 0; i < 100; ++i) {
    REQUIRE(pool.add(sockets.make()) != nullptr);
  }
  CHECK(arena.bytes_used() - before <= 100 * 128);  // What it takes to find them.
}

TEST_CASE_FIXTURE(LiveArenas, "socket pool: buffers are carved for the most in use at a time") {
  constexpr std::size_t kPeak = 20;
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 1'000, kBufferBytes);
  const auto add_with_output = [&] { CHECK(pool.add(sockets.make())->write("x")); };
  const auto remove_all = [&pool] {
    pool.for_each([&pool](Connection& connection) { pool.remove(connection); });
  };
  const std::size_t before = arena.bytes_used();
  for (std::size_t i = 0; i < kPeak; ++i) {
    add_with_output();
  }
  const std::size_t at_peak = arena.bytes_used();
  CHECK(at_peak - before >= kPeak * kBufferBytes);
  CHECK(at_peak - before <= kPeak * (kBufferBytes + 256));
  for (int round = 0; round < 5; ++round) {
    remove_all();
    for (std::size_t i = 0; i < kPeak; ++i) {
      add_with_output();
    }
    CHECK(arena.bytes_used() == at_peak);
  }
  CHECK(pool.statistics().peak == kPeak);
  add_with_output();
  CHECK(arena.bytes_used() > at_peak);
}

TEST_CASE_FIXTURE(LiveArenas, "socket pool: every connection has an output buffer of its own") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 50, kBufferBytes);
  std::vector<std::pair<const char*, const char*>> rooms;
  const auto note_room = [&rooms](Connection& connection) {
    const std::span<char> room = connection.output_room();
    CHECK(room.size() == kBufferBytes);
    std::fill(room.begin(), room.end(), 'x');  // AddressSanitizer sees whether it is all ours.
    rooms.emplace_back(room.data(), room.data() + room.size());
  };
  for (int i = 0; i < 50; ++i) {
    pool.add(sockets.make());
  }
  pool.for_each([&pool](Connection& connection) {
    if (connection.socket().native_handle() % 3 == 0) {
      pool.remove(connection);
    }
  });
  while (pool.size() < 50) {
    pool.add(sockets.make());
  }
  pool.for_each(note_room);
  std::sort(rooms.begin(), rooms.end());
  REQUIRE(rooms.size() == 50);
  for (std::size_t i = 1; i < rooms.size(); ++i) {
    CHECK(rooms[i - 1].second <= rooms[i].first);
  }
}

/// Everything one can see of a pool.
struct Seen {
  std::vector<ConnectionRef> refs;
  std::uint64_t active;
  std::uint64_t added;
  std::uint64_t peak;
  std::size_t max_connections;

  explicit Seen(SocketPool& pool)
      : active(pool.statistics().active),
        added(pool.statistics().added),
        peak(pool.statistics().peak),
        max_connections(pool.max_connections()) {
    pool.for_each([this](Connection& connection) { refs.push_back(connection.ref()); });
  }
  bool operator==(const Seen&) const = default;
};

void check_all_found(SocketPool& pool) {
  pool.for_each([&pool](Connection& connection) {
    CHECK(pool.get(connection.socket().native_handle()) == &connection);
    CHECK(connection.ref().get() == &connection);
  });
}

TEST_CASE_FIXTURE(LiveArenas, "socket pool: a connection for which there is no buffer is closed") {
  constexpr std::size_t kLimitBytes = 64 * 1024;
  const tests::RecordedLog log;
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena{{.chunk_bytes = 4096, .limit_bytes = kLimitBytes}};
  SocketPool pool(arena, 200, kBufferBytes);
  for (std::size_t i = 0; i < 100; ++i) {
    REQUIRE(pool.add(sockets.make()) != nullptr);
  }
  std::size_t with_output = 0;
  Connection* last = pool.find([&](Connection& connection) {
    const bool is_taken = connection.write("x");
    with_output += is_taken ? 1 : 0;
    return !is_taken;
  });
  REQUIRE(last != nullptr);
  CHECK(with_output > 10);
  CHECK(last->is_closing());
  CHECK(last->output_room().empty());
  CHECK(log.count(LogLevel::error, "for want of a buffer") > 0);
  CHECK(arena.bytes_reserved() <= kLimitBytes);
  check_all_found(pool);
  const ConnectionRef ref = last->ref();
  last->flush();
  CHECK(ref.is_stale());
  CHECK(pool.size() == 99);

  // The memory of one that goes serves the next.
  pool.remove(*pool.find([](Connection& connection) { return connection.output_bytes() > 0; }));
  CHECK(pool.add(sockets.make())->write("x"));
  CHECK(!pool.add(sockets.make())->write("x"));
}

/// A served pool whose arena has no room for a buffer.
struct CrampedPool : LiveArenas {
  static constexpr std::size_t kLimitBytes = 16 * 1024;

  tests::RecordedLog log;
  TestLoop loop;
  Arena arena{{.chunk_bytes = 4096, .limit_bytes = kLimitBytes}};
  tests::ScriptedHandler handler;
  SocketPool pool{arena, 10, 2 * kLimitBytes};

  CrampedPool() { pool.start(loop.worker(), handler); }
  tests::Peer connect() {
    ConnectedPair pair = ConnectedPair::tcp();
    loop.call([&] { pool.add(net::Socket(loop.worker(), pair.ours.release())); });
    return std::move(pair.peer);
  }
};

TEST_CASE_FIXTURE(CrampedPool, "no memory: to read into, the handler's last word is sent") {
  handler.no_memory = [](Connection& connection) {
    CHECK(connection.is_closing());
    CHECK(!connection.write("x"));
    CHECK(connection.write_by_reference("sorry"));
  };
  tests::Peer peer = connect();
  peer.send("hello");
  loop.run_until([&] { return peer.pump().ended(); });
  CHECK(peer.received() == "sorry");
  peer.send(std::string(100'000, 'x')).end();  // What comes now needs no buffer.
  loop.run_until([&] { return peer.pump().unsent_bytes() == 0 && pool.size() == 0; });
  CHECK(handler.calls() == "open no_memory output_sent close");
  CHECK(log.count(LogLevel::error, "for want of a buffer") >= 1);
}

TEST_CASE_FIXTURE(CrampedPool, "no memory: to write to, the handler learns of it when it returns") {
  handler.open = [](Connection& connection) {
    CHECK(!connection.write("hello"));
    CHECK(connection.is_closing());
  };
  handler.no_memory = [](Connection& connection) { connection.close(); };
  tests::Peer peer = connect();
  loop.run_until([&] { return peer.pump().gone(); });
  CHECK(peer.received().empty());
  CHECK(handler.calls() == "open no_memory close");
}

TEST_CASE_FIXTURE(CrampedPool, "no memory: others live on") {
  handler.open = [](Connection& connection) { CHECK(connection.write_by_reference("welcome")); };
  tests::Peer quiet = connect();
  tests::Peer asking = connect();
  asking.send("hello");
  loop.run_until([&] { return asking.pump().ended(); });
  loop.run_until([&] { return quiet.pump().received() == "welcome"; });
  CHECK(!quiet.gone());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "socket pool: whichever allocation of add() fails, nothing happened") {
  constexpr std::size_t kConnections = 40;
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  int failures = 0;
  bool failed = true;
  for (int nth = 1; failed; ++nth) {
    CAPTURE(nth);
    failed = false;
    ScriptedMemory memory;
    Arena arena{{.chunk_bytes = 1024}};
    SocketPool pool(arena, kConnections, kBufferBytes);
    memory.refuse_from(nth);
    while (pool.size() < kConnections) {
      const Seen before(pool);
      try {
        pool.add(sockets.make());
      } catch (const ArenaFailed&) {
        failed = true;
        ++failures;
        const Seen after(pool);
        const bool unchanged = after == before;
        CHECK(unchanged);
        check_all_found(pool);
        memory.allow_all();
      }
    }
    check_all_found(pool);
  }
  CHECK(failures > 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "socket pool: whichever allocation of resize() fails, nothing happened") {
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  int failures = 0;
  bool failed = true;
  for (int nth = 1; failed; ++nth) {
    CAPTURE(nth);
    failed = false;
    ScriptedMemory memory;
    Arena arena{{.chunk_bytes = 1024}};
    SocketPool pool(arena, 4, kBufferBytes);
    int resizes = 0;
    pool.set_pre_resize_callback([](SocketPool&, void* count) { ++*static_cast<int*>(count); },
                                 &resizes);
    Connection* connection = pool.add(sockets.make());
    const Seen before(pool);
    memory.refuse_from(nth);
    try {
      const std::error_code error = pool.resize(200);
      CHECK(!error);
    } catch (const ArenaFailed&) {
      failed = true;
      ++failures;
      const Seen after(pool);
      const bool unchanged = after == before;
      CHECK(unchanged);
      CHECK(resizes == 0);
      CHECK(before.refs[0].get() == connection);
      memory.allow_all();
      CHECK(!pool.resize(200));
    }
    CHECK(resizes == 1);
    CHECK(pool.max_connections() == 200);
    CHECK(!before.refs[0].is_stale());
    check_all_found(pool);
  }
  CHECK(failures > 1);
}

TEST_CASE_FIXTURE(LiveArenas, "socket pool: an arena that is too small for the pool refuses it") {
  Arena arena{{.chunk_bytes = 1024, .limit_bytes = 4096}};
  CHECK_THROWS_AS(SocketPool(arena, 1'000, kBufferBytes), ArenaFailed);
  CHECK_NOTHROW(SocketPool(arena, 1, kBufferBytes));
}

}  // namespace
}  // namespace stadion::pool
