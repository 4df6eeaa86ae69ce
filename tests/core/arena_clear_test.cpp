// SPDX-License-Identifier: MIT
// What clear(), clear(keep_bytes) and release() keep, and what statistics() says of it.
#include <doctest/doctest.h>

#include <thread>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

void fill(Arena& arena, std::size_t bytes) {
  for (std::size_t used = 0; used < bytes; used += 1000) {
    (void)arena.alloc(1000);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "clear: keeps 2 MiB at the most, and the first chunks of them") {
  Arena arena;
  void* first = arena.alloc(10);
  fill(arena, 10'000'000);
  CHECK(arena.bytes_reserved() > 10'000'000);
  arena.clear();
  CHECK(arena.bytes_reserved() <= kArenaKeptBytesMax);
  CHECK(arena.bytes_reserved() > kArenaKeptBytesMax / 2);
  CHECK(arena.alloc(10) == first);
}

TEST_CASE_FIXTURE(LiveArenas, "clear: keep_bytes one below, at and above two chunks") {
  const std::size_t chunk = kArenaChunkBytes;
  for (const std::size_t keep_bytes :
       {std::size_t{0}, chunk - 1, chunk, chunk + 1, 2 * chunk - 1, 2 * chunk, 2 * chunk + 1}) {
    CAPTURE(keep_bytes);
    Arena arena;
    fill(arena, 3 * chunk);
    arena.clear(keep_bytes);
    CHECK(arena.bytes_reserved() == keep_bytes / chunk * chunk);
    fill(arena, 3 * chunk);
    arena.clear(kArenaNoLimit);
    CHECK(arena.bytes_reserved() == 4 * chunk);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "release: keeps nothing, and the arena stays usable") {
  ScriptedMemory memory;
  Arena arena;
  fill(arena, 5'000'000);
  arena.release();
  CHECK(arena.bytes_reserved() == 0);
  CHECK(arena.bytes_used() == 0);
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
  CHECK(arena.make<int>(7) == 7);
}

TEST_CASE_FIXTURE(LiveArenas, "clear: a large block goes back, whatever its size") {
  Arena arena;
  (void)arena.alloc(1);
  const std::size_t reserved = arena.bytes_reserved();
  (void)arena.alloc(100'000);
  (void)arena.alloc(10'000'000);
  arena.clear();
  CHECK(arena.bytes_reserved() == reserved);
}

TEST_CASE_FIXTURE(LiveArenas, "clear: what other threads reserved goes back") {
  Arena arena;
  (void)arena.alloc(1);
  const std::size_t reserved = arena.bytes_reserved();
  std::thread([&arena] { fill(arena, 300'000); }).join();
  CHECK(arena.bytes_reserved() > reserved + 300'000);
  CHECK(arena.statistics().lanes == 2);
  arena.clear();
  CHECK(arena.bytes_reserved() == reserved);
  CHECK(arena.statistics().lanes == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "statistics: of an arena where nothing was allocated, and a disposed one") {
  Arena::trim();
  Arena arena;
  for (int i = 0; i < 2; ++i) {
    const ArenaStatistics statistics = arena.statistics();
    CHECK(statistics.bytes_used == 0);
    CHECK(statistics.bytes_used_max == 0);
    CHECK(statistics.bytes_reserved == 0);
    CHECK(statistics.bytes_wasted == 0);
    CHECK(statistics.chunks == 0);
    CHECK(statistics.lanes == 0);
    arena.dispose();
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "statistics: used, reserved, wasted and free add up in each situation") {
  Arena arena;
  (void)arena.alloc(1);
  ArenaStatistics statistics = arena.statistics();
  CHECK(statistics.bytes_used == 16);
  CHECK(statistics.bytes_used_max == 16);
  CHECK(statistics.bytes_reserved == kArenaChunkBytes);
  CHECK(statistics.bytes_wasted == sizeof(detail::Chunk));
  CHECK(statistics.chunks == 1);
  CHECK(statistics.lanes == 1);

  (void)arena.alloc(60'000);   // Nearly fills the first chunk.
  (void)arena.alloc(10'000);   // The end of the first is lost; the second begins.
  (void)arena.alloc(100'000);  // A block of its own.
  statistics = arena.statistics();
  CHECK(statistics.bytes_used == 16 + 60'000 + 10'000 + 100'000);
  CHECK(statistics.chunks == 3);
  const std::size_t free_bytes = kArenaChunkBytes - sizeof(detail::Chunk) - 10'000;
  CHECK(statistics.bytes_reserved == statistics.bytes_used + statistics.bytes_wasted + free_bytes);

  const std::size_t most = statistics.bytes_used;
  arena.clear();
  statistics = arena.statistics();
  CHECK(statistics.bytes_used == 0);
  CHECK(statistics.bytes_used_max == most);
  CHECK(statistics.chunks == 2);
  CHECK(statistics.bytes_reserved == 2 * kArenaChunkBytes);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "statistics: an arena that takes over what another left begins anew") {
  {
    Arena arena;
    fill(arena, 50'000);
  }
  Arena arena;
  CHECK(arena.statistics().bytes_used_max == 0);
  CHECK(arena.bytes_used() == 0);
  CHECK(arena.statistics().bytes_reserved == arena.bytes_reserved());
}

}  // namespace
}  // namespace stadion
