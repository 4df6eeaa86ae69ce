// SPDX-License-Identifier: MIT
#include "core/block_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

TEST_CASE_FIXTURE(
    LiveArenas,
    "block pool: carves nothing before the first block, and only what is held at once") {
  Arena arena;
  BlockPool pool(arena, 1000);
  CHECK(pool.block_bytes() == 1000);
  CHECK(pool.carved() == 0);
  CHECK(arena.bytes_used() == 0);
  for (int round = 0; round < 10'000; ++round) {
    void* first = pool.acquire();
    void* second = pool.acquire();
    CHECK(first != second);
    pool.release(first);
    pool.release(second);
  }
  CHECK(pool.carved() == 2);
  CHECK(arena.bytes_used() <= 2 * 1100);
}

TEST_CASE_FIXTURE(LiveArenas, "block pool: what was released can be had alone") {
  Arena arena;
  BlockPool pool(arena, 100);
  CHECK(pool.acquire_released() == nullptr);
  CHECK(pool.carved() == 0);
  void* block = pool.acquire();
  CHECK(pool.acquire_released() == nullptr);
  pool.release(block);
  CHECK(pool.acquire_released() == block);
  CHECK(pool.acquire_released() == nullptr);
  CHECK(pool.carved() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "block pool: blocks of every size are aligned and do not overlap") {
  for (const std::size_t block_bytes : {0U, 1U, 7U, 8U, 15U, 16U, 17U, 100U, 70'000U}) {
    CAPTURE(block_bytes);
    Arena arena;
    BlockPool pool(arena, block_bytes);
    std::vector<unsigned char*> blocks;
    for (unsigned char number = 0; number < 20; ++number) {
      (void)arena.alloc(1, 1);
      blocks.push_back(static_cast<unsigned char*>(pool.acquire()));
      CHECK(reinterpret_cast<std::uintptr_t>(blocks.back()) % alignof(std::max_align_t) == 0);
      std::memset(blocks.back(), number, block_bytes);
    }
    CHECK(std::set<unsigned char*>(blocks.begin(), blocks.end()).size() == 20);
    for (std::size_t number = 0; number < blocks.size(); ++number) {
      CHECK(std::all_of(blocks[number], blocks[number] + block_bytes,
                        [number](unsigned char byte) { return byte == number; }));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "block pool: every alignment is kept, for new and recycled blocks") {
  for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 2) {
    CAPTURE(alignment);
    Arena arena;
    BlockPool pool(arena, 100, alignment);
    for (int round = 0; round < 2; ++round) {
      std::vector<void*> blocks;
      for (int i = 0; i < 10; ++i) {
        (void)arena.alloc(1, 1);
        blocks.push_back(pool.acquire());
        CHECK(reinterpret_cast<std::uintptr_t>(blocks.back()) % alignment == 0);
        std::memset(blocks.back(), 0xA5, 100);
      }
      std::for_each(blocks.begin(), blocks.end(), [&pool](void* block) { pool.release(block); });
    }
    CHECK(pool.carved() == 10);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "block pool: random acquiring and releasing keeps every held block intact") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const std::size_t block_bytes = 1 + random() % 300;
    Arena arena;
    BlockPool pool(arena, block_bytes);
    std::vector<std::pair<unsigned char*, unsigned char>> held;
    std::size_t most_held = 0;
    for (int step = 0; step < 1000; ++step) {
      if (held.empty() || random() % 2 == 0) {
        const auto pattern = static_cast<unsigned char>(random() % 256);
        held.emplace_back(static_cast<unsigned char*>(pool.acquire()), pattern);
        std::memset(held.back().first, pattern, block_bytes);
        most_held = std::max(most_held, held.size());
      } else {
        std::swap(held[random() % held.size()], held.back());
        const auto [block, pattern] = held.back();
        CHECK(std::count(block, block + block_bytes, pattern) ==
              static_cast<std::ptrdiff_t>(block_bytes));
        pool.release(block);
        held.pop_back();
      }
      CHECK(pool.carved() == most_held);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "block pool: out of memory raises ArenaFailed, and what was released serves on") {
  ScriptedMemory memory;
  Arena arena;
  BlockPool pool(arena, 1000);
  void* block = pool.acquire();
  memory.refuse_all();
  const auto acquire_all = [&pool] {
    for (int i = 0; i < 1000; ++i) {
      (void)pool.acquire();
    }
  };
  CHECK_THROWS_AS(acquire_all(), ArenaFailed);
  const std::size_t carved = pool.carved();
  pool.release(block);
  CHECK(pool.acquire() == block);
  CHECK_THROWS_AS((void)pool.acquire(), ArenaFailed);
  CHECK(pool.carved() == carved);
  memory.allow_all();
  CHECK(pool.acquire() != nullptr);
  CHECK(pool.carved() == carved + 1);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "block pool: a block size near the largest number raises instead of wrapping round") {
  Arena arena;
  for (std::size_t below = 0; below < 64; ++below) {
    CAPTURE(below);
    BlockPool pool(arena, std::numeric_limits<std::size_t>::max() - below);
    CHECK_THROWS_AS((void)pool.acquire(), ArenaFailed);
  }
}

}  // namespace
}  // namespace stadion
