// SPDX-License-Identifier: MIT
// Arena::extend(): the last allocation grows, or shrinks, where it is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "core/arena.hpp"
#include "core/arena_scope.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "extend: the last allocation grows in place and keeps its bytes") {
  Arena arena;
  auto* text = static_cast<char*>(arena.alloc(5, 1));
  std::memcpy(text, "arena", 5);
  for (std::size_t bytes = 5; bytes < 20'000; bytes = bytes * 3 / 2 + 1) {
    REQUIRE(arena.extend(text, bytes, bytes * 3 / 2 + 1));
  }
  std::memset(text + 5, 'x', 20'000 - 5);
  CHECK(std::memcmp(text, "arenaxxx", 8) == 0);
  auto* after = static_cast<char*>(arena.alloc(1));
  CHECK(after >= text + 20'000);
}

TEST_CASE_FIXTURE(LiveArenas, "extend: it shrinks, too, and what follows takes the room") {
  Arena arena;
  auto* text = static_cast<char*>(arena.alloc(1000));
  CHECK(arena.extend(text, 1000, 100));
  CHECK(arena.bytes_used() == 112);
  CHECK(arena.statistics().bytes_used_max == 1008);
  CHECK(arena.alloc(16) == text + 112);
}

TEST_CASE_FIXTURE(LiveArenas, "extend: at most to the end of the chunk: one below, at, one above") {
  const std::size_t capacity = kArenaChunkBytes - sizeof(detail::Chunk);
  for (const std::size_t bytes : {capacity - 1, capacity, capacity + 1}) {
    CAPTURE(bytes);
    Arena arena;
    void* memory = arena.alloc(16);
    CHECK(arena.extend(memory, 16, bytes) == (bytes <= capacity));
    CHECK(arena.bytes_used() == (bytes <= capacity ? capacity : 16));
  }
  Arena arena;
  void* memory = arena.alloc(16);
  CHECK_FALSE(arena.extend(memory, 16, static_cast<std::size_t>(-1)));
  CHECK_FALSE(arena.extend(memory, 16, static_cast<std::size_t>(-16)));
  CHECK(arena.bytes_used() == 16);
}

TEST_CASE_FIXTURE(LiveArenas, "extend: not when something was allocated after it") {
  Arena arena;
  void* first = arena.alloc(100);
  void* second = arena.alloc(100);
  CHECK_FALSE(arena.extend(first, 100, 101 + 16));
  CHECK(arena.extend(second, 100, 200));
}

TEST_CASE_FIXTURE(LiveArenas, "extend: not a large block, which has a chunk of its own") {
  Arena arena;
  void* large = arena.alloc(300'000);
  CHECK_FALSE(arena.extend(large, 300'000, 300'100));
}

TEST_CASE_FIXTURE(LiveArenas, "extend: not what is older than a scope that is open") {
  Arena arena;
  void* older = arena.alloc(64);
  {
    ArenaScope outer(arena);
    CHECK_FALSE(arena.extend(older, 64, 16));
    CHECK_FALSE(arena.extend(older, 64, 100));
    void* newer = arena.alloc(64);
    {
      ArenaScope inner(arena);
      CHECK_FALSE(arena.extend(newer, 64, 100));
    }
    CHECK(arena.extend(newer, 64, 100));
  }
  CHECK(arena.extend(older, 64, 100));
}

TEST_CASE_FIXTURE(LiveArenas, "extend: not an allocation of no bytes, which may be anywhere") {
  Arena arena;
  void* empty = arena.alloc(0);
  CHECK_FALSE(arena.extend(empty, 0, 10));
}

TEST_CASE_FIXTURE(LiveArenas, "extend: each thread has its own last allocation") {
  Arena arena;
  void* mine = arena.alloc(100);
  std::thread([&arena, mine] {
    CHECK_FALSE(arena.extend(mine, 100, 200));  // It has allocated nothing yet.
    void* theirs = arena.alloc(100);
    CHECK_FALSE(arena.extend(mine, 100, 200));
    CHECK(arena.extend(theirs, 100, 200));
  }).join();
  CHECK(arena.extend(mine, 100, 200));
}

TEST_CASE_FIXTURE(LiveArenas, "extend: not in a cleared or disposed arena") {
  Arena arena;
  void* memory = arena.alloc(100);
  arena.clear();
  CHECK_FALSE(arena.extend(memory, 100, 200));
  arena.dispose();
  CHECK_FALSE(arena.extend(memory, 100, 200));
}

}  // namespace
}  // namespace stadion
