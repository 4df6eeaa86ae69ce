// SPDX-License-Identifier: MIT
// Document Rule 1: a stale pointer into arena memory shows itself.
#include "core/poison.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "core/arena.hpp"
#include "core/block_pool.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

#if defined(STADION_ASAN)

bool is_poisoned(const void* memory) { return __asan_address_is_poisoned(memory) != 0; }

bool is_wholly_poisoned(const void* memory, std::size_t bytes) {
  const auto* first = static_cast<const char*>(memory);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (!is_poisoned(first + i)) {
      return false;
    }
  }
  return true;
}

bool is_wholly_usable(void* memory, std::size_t bytes) {
  return __asan_region_is_poisoned(memory, bytes) == nullptr;
}

TEST_CASE_FIXTURE(LiveArenas,
                  "poison: what is not yet handed out is reported, what is handed out is not") {
  Arena arena;
  for (std::size_t bytes = 1; bytes < 100; ++bytes) {
    CAPTURE(bytes);
    auto* memory = static_cast<char*>(arena.alloc(bytes));
    CHECK(is_wholly_usable(memory, bytes));
    CHECK(is_poisoned(memory + bytes));
  }
  auto* large = static_cast<char*>(arena.alloc(2'000'000));
  CHECK(is_wholly_usable(large, 2'000'000));
  CHECK(is_poisoned(large + 2'000'000));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "poison: memory of a cleared arena is reported, until it is handed out again") {
  Arena arena;
  void* small = arena.alloc(100);
  void* large = arena.alloc(2'000'000);
  arena.clear();
  CHECK(is_wholly_poisoned(small, 100));
  CHECK(is_wholly_poisoned(large, 2'000'000));
  CHECK(arena.alloc(100) == small);
  CHECK(is_wholly_usable(small, 100));
  CHECK(is_wholly_poisoned(large, 2'000'000));
}

TEST_CASE_FIXTURE(
    LiveArenas, "poison: memory of a disposed or ended arena is reported, in every size of block") {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{100}, std::size_t{70'000}, std::size_t{5'000'000}}) {
    CAPTURE(bytes);
    void* of_disposed = nullptr;
    void* of_ended = nullptr;
    Arena disposed;
    {
      Arena ended;
      of_disposed = disposed.alloc(bytes);
      of_ended = ended.alloc(bytes);
      disposed.dispose();
    }
    CHECK(is_wholly_poisoned(of_disposed, bytes));
    CHECK(is_wholly_poisoned(of_ended, bytes));
    Arena::trim();
    CHECK(is_wholly_poisoned(of_disposed, bytes));
    CHECK(is_wholly_poisoned(of_ended, bytes));
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "poison: a copy's and an array's last byte is usable, the next is reported") {
  Arena arena;
  const std::string_view text = arena.copy("a text of 20 letters");
  CHECK_FALSE(is_poisoned(text.data() + 19));
  CHECK(is_poisoned(text.data() + 20));
  const std::span<int> numbers = arena.make_array<int>(3);
  CHECK_FALSE(is_poisoned(&numbers[2]));
  CHECK(is_poisoned(numbers.data() + 3));
}

TEST_CASE_FIXTURE(
    LiveArenas, "poison: a released block of any size is reported whole, its neighbours are not") {
  for (std::size_t bytes = 1; bytes < 70; ++bytes) {
    CAPTURE(bytes);
    Arena arena;
    BlockPool pool(arena, bytes);
    void* before = pool.acquire();
    void* block = pool.acquire();
    void* after = pool.acquire();
    pool.release(block);
    CHECK(is_wholly_poisoned(block, bytes));
    CHECK(is_wholly_usable(before, bytes));
    CHECK(is_wholly_usable(after, bytes));
    CHECK(pool.acquire() == block);
    CHECK(is_wholly_usable(block, bytes));
  }
}

#elif !defined(NDEBUG) && !defined(STADION_VALGRIND)

bool is_scrubbed(const void* memory, std::size_t bytes) {
  const auto* first = static_cast<const unsigned char*>(memory);
  return std::all_of(first, first + bytes, [](unsigned char byte) { return byte == 0xDD; });
}

TEST_CASE_FIXTURE(LiveArenas, "scrub: memory of a cleared arena is overwritten in debug builds") {
  Arena arena;
  void* small = std::memset(arena.alloc(100), 1, 100);
  void* large = std::memset(arena.alloc(2'000'000), 1, 2'000'000);
  arena.clear();
  CHECK(is_scrubbed(small, 100));
  CHECK(is_scrubbed(large, 2'000'000));
}

TEST_CASE_FIXTURE(LiveArenas, "scrub: memory of a disposed arena is overwritten in debug builds") {
  Arena arena;
  // Small enough for the thread's cache to keep its chunk: the bytes may still be looked at.
  void* memory = std::memset(arena.alloc(100), 1, 100);
  arena.dispose();
  CHECK(is_scrubbed(memory, 100));
}

TEST_CASE_FIXTURE(
    LiveArenas, "scrub: a released block is overwritten in debug builds, its neighbours are not") {
  Arena arena;
  BlockPool pool(arena, 21);
  void* before = std::memset(pool.acquire(), 1, 21);
  void* block = std::memset(pool.acquire(), 1, 21);
  void* after = std::memset(pool.acquire(), 1, 21);
  pool.release(block);
  CHECK(is_scrubbed(block, 21));
  CHECK(static_cast<char*>(before)[20] == 1);
  CHECK(static_cast<char*>(after)[0] == 1);
}

#elif defined(STADION_VALGRIND)

TEST_CASE_FIXTURE(LiveArenas, "poison: of a build for valgrind, arena_death_test tells") {
  Arena arena;
  auto* memory = static_cast<char*>(std::memset(arena.alloc(100), 1, 100));
  CHECK(memory[99] == 1);
}

#else

TEST_CASE_FIXTURE(LiveArenas, "scrub: release builds leave given-up memory as it is") {
  MESSAGE(
      "skipped: stale pointers are made visible under AddressSanitizer and in debug builds only");
  Arena arena;
  auto* memory = static_cast<char*>(std::memset(arena.alloc(100), 1, 100));
  arena.clear();
  CHECK(memory[99] == 1);
}

#endif

}  // namespace
}  // namespace stadion
