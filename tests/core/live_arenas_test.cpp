// SPDX-License-Identifier: MIT
#include "core/live_arenas.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

/// Those that this file made: the test program itself may have others.
std::vector<LiveArena> made_here() {
  std::vector<LiveArena> arenas = Arena::debug_live();
  std::erase_if(arenas, [](const LiveArena& arena) {
    return arena.made.file == nullptr ||
           std::string(arena.made.file).find("live_arenas_test.cpp") == std::string::npos;
  });
  return arenas;
}

TEST_CASE_FIXTURE(LiveArenas,
                  "debug_live: lists each live arena with where it was made, oldest first") {
  CHECK(made_here().empty());
  Arena first;
  const unsigned first_line = __LINE__ - 1;
  {
    Arena second{ArenaOptions{.chunk_bytes = 4096}};
    const unsigned second_line = __LINE__ - 1;
    (void)second.alloc(1);
    const std::vector<LiveArena> live = made_here();
    REQUIRE(live.size() == 2);
    CHECK(live[0].made.line == first_line);
    CHECK(live[1].made.line == second_line);
    CHECK(live[0].id < live[1].id);
    CHECK(live[1].bytes_reserved == 4096);
    CHECK(live[0].thread == detail::this_thread_id());
  }
  CHECK(made_here().size() == 1);
  first.dispose();
  CHECK(made_here().empty());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "debug_live: sees the arenas of all threads, also of those that ended") {
  std::unique_ptr<Arena> left;
  std::uint64_t thread = 0;
  std::thread([&] {
    left = std::make_unique<Arena>();
    thread = detail::this_thread_id();
  }).join();
  std::vector<LiveArena> live = Arena::debug_live();
  CHECK(std::count_if(live.begin(), live.end(),
                      [thread](const LiveArena& arena) { return arena.thread == thread; }) == 1);
  CHECK(thread != detail::this_thread_id());
}

TEST_CASE_FIXTURE(LiveArenas, "debug_live: an id never comes twice") {
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 1000; ++round) {
    Arena arena;
    for (const LiveArena& each : made_here()) {
      ids.insert(each.id);
    }
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE_FIXTURE(LiveArenas, "debug_live: may be called while others make and dispose") {
  std::atomic<bool> done{false};
  std::thread other([&done] {
    while (!done) {
      Arena arena;
      (void)arena.alloc(10);
      Arena second;
      (void)second.alloc(200'000);
    }
  });
  for (int round = 0; round < 300; ++round) {
    for (const LiveArena& arena : Arena::debug_live()) {
      CHECK(arena.id != 0);
      CHECK_FALSE(to_string(arena).empty());
    }
  }
  done = true;
  other.join();
}

TEST_CASE_FIXTURE(LiveArenas, "debug_live: in debug builds the last four allocations are known") {
  Arena arena;
  for (std::size_t bytes = 100; bytes < 106; ++bytes) {
    (void)arena.alloc(bytes);
  }
  const unsigned line = __LINE__ - 2;
  const std::vector<LiveArena> live = made_here();
  REQUIRE(live.size() == 1);
#ifdef NDEBUG
  CHECK(live[0].last_allocations.empty());
  CHECK(line > 0);
#else
  REQUIRE(live[0].last_allocations.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(live[0].last_allocations[i].bytes == 105 - i);
    CHECK(live[0].last_allocations[i].where.line == line);
  }
  arena.dispose();
  Arena next;
  CHECK(made_here().at(0).last_allocations.empty());
#endif
}

TEST_CASE("to_string: says all that is known of an arena, in a line") {
  const LiveArena arena{.id = 7,
                        .made = {"serve.cpp", 12},
                        .thread = 3,
                        .bytes_reserved = 65536,
                        .last_allocations = {{64, {"parse.cpp", 33}}, {8, {}}}};
  CHECK(to_string(arena) ==
        "arena 7, made at serve.cpp:12 by thread 3, 65536 bytes; last: 64 bytes at parse.cpp:33, "
        "8 bytes at an unknown place");
}

}  // namespace
}  // namespace stadion
