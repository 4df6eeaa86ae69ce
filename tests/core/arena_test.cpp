// SPDX-License-Identifier: MIT
#include "core/arena.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/depot.hpp"
#include "core/thread_cache.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

bool is_aligned(const void* memory, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

bool all_bytes_are(const void* memory, std::size_t bytes, unsigned char value) {
  const auto* first = static_cast<const unsigned char*>(memory);
  return std::all_of(first, first + bytes, [value](unsigned char byte) { return byte == value; });
}

static_assert(!std::is_copy_constructible_v<Arena> && !std::is_move_constructible_v<Arena>);
static_assert(
    noexcept(std::declval<Arena&>().clear()) && noexcept(std::declval<Arena&>().dispose()));

TEST_CASE_FIXTURE(LiveArenas, "alloc: every alignment from 1 to 4096 is kept, after any odd size") {
  Arena arena;
  for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 2) {
    for (const std::size_t bytes : {std::size_t{1}, alignment, alignment + 1, std::size_t{5000}}) {
      CAPTURE(alignment);
      CAPTURE(bytes);
      void* memory = arena.alloc(bytes, alignment);
      CHECK(is_aligned(memory, alignment));
      std::memset(memory, 0xA5, bytes);
      (void)arena.alloc(1, 1);
    }
  }
}

TEST_CASE_FIXTURE(
    LiveArenas, "alloc: the first allocation of an arena is aligned too, in chunks of every size") {
  for (std::size_t chunk_bytes = 1024; chunk_bytes <= 1024 * 1024; chunk_bytes *= 4) {
    for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 2) {
      CAPTURE(chunk_bytes);
      CAPTURE(alignment);
      Arena arena{ArenaOptions{.chunk_bytes = chunk_bytes}};
      void* memory = arena.alloc(chunk_bytes, alignment);
      CHECK(is_aligned(memory, alignment));
      std::memset(memory, 0xA5, chunk_bytes);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "alloc: without a stated alignment the memory suits every fundamental type") {
  Arena arena;
  (void)arena.alloc(1, 1);
  CHECK(is_aligned(arena.alloc(1), alignof(std::max_align_t)));
  (void)arena.alloc(1, 1);
  CHECK(is_aligned(arena.calloc(1, 1), alignof(std::max_align_t)));
}

TEST_CASE_FIXTURE(LiveArenas, "alloc: zero bytes give a pointer, at every alignment") {
  Arena::trim();
  Arena arena;
  for (int i = 0; i < 2; ++i) {
    CHECK(arena.alloc(0, 1) != nullptr);
    CHECK(arena.try_alloc(0, 1) != nullptr);
    CHECK(arena.calloc(0, 8) != nullptr);
    CHECK(arena.calloc(8, 0) != nullptr);
    for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 2) {
      void* memory = arena.alloc(0, alignment);
      CHECK(memory != nullptr);
      CHECK(is_aligned(memory, alignment));
    }
    (void)arena.alloc(1);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "alloc: sizes around a chunk's capacity are handed out whole") {
  const std::size_t capacity = kArenaChunkBytes - sizeof(detail::Chunk);
  for (const std::size_t bytes : {capacity - 1, capacity, capacity + 1}) {
    CAPTURE(bytes);
    Arena arena;
    auto* before = static_cast<char*>(arena.alloc(16));
    auto* block = static_cast<char*>(arena.alloc(bytes));
    auto* after = static_cast<char*>(arena.alloc(16));
    std::memset(before, 1, 16);
    std::memset(after, 3, 16);
    std::memset(block, 2, bytes);
    CHECK(all_bytes_are(before, 16, 1));
    CHECK(all_bytes_are(block, bytes, 2));
    CHECK(all_bytes_are(after, 16, 3));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "alloc: a large block leaves the chunk in use to what comes after") {
  Arena arena;
  auto* before = static_cast<char*>(arena.alloc(16));
  (void)arena.alloc(300'000);
  auto* after = static_cast<char*>(arena.alloc(16));
  CHECK(after == before + 16);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "arena: making one asks the system for nothing until its first allocation") {
  ScriptedMemory memory;
  Arena arena;
  CHECK(memory.call_count() == 0);
  CHECK(arena.bytes_reserved() == 0);
  (void)arena.alloc(1);
  CHECK(memory.call_count() == 1);
  CHECK(arena.bytes_reserved() == kArenaChunkBytes);
}

TEST_CASE_FIXTURE(LiveArenas, "chunk_bytes: rounded up to a power of two of at least 1 KiB") {
  struct Case {
    std::size_t asked;
    std::size_t given;
  };
  const Case cases[] = {{0, 1024},
                        {1, 1024},
                        {1023, 1024},
                        {1024, 1024},
                        {1025, 2048},
                        {100'000, 131'072},
                        {1024 * 1024, 1024 * 1024}};
  for (const Case& each : cases) {
    CAPTURE(each.asked);
    Arena arena{ArenaOptions{.chunk_bytes = each.asked}};
    (void)arena.alloc(1);
    CHECK(arena.bytes_reserved() == each.given);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "chunk_bytes: a size that cannot be represented is no trap") {
  ScriptedMemory memory;
  Arena arena{ArenaOptions{.chunk_bytes = static_cast<std::size_t>(-1)}};
  CHECK_NOTHROW((void)arena.alloc(1));
  CHECK(memory.largest_request_bytes() <= detail::kRecycledChunkBytesMax);
}

TEST_CASE_FIXTURE(LiveArenas, "chunks: a large arena takes few, a small one takes small ones") {
  ScriptedMemory memory;
  Arena arena{ArenaOptions{.chunk_bytes = 1024}};
  (void)arena.alloc(1);
  CHECK(memory.bytes_held() == 1024);
  for (std::size_t bytes = 0; bytes < 16 * 1024 * 1024; bytes += 512) {
    (void)arena.alloc(512);
  }
  CHECK(memory.call_count() < 100);
  CHECK(memory.bytes_held() < 20 * 1024 * 1024);
}

TEST_CASE_FIXTURE(LiveArenas, "calloc: the memory is zero even where it was used before") {
  Arena arena;
  void* first = arena.alloc(10'000);
  std::memset(first, 0xFF, 10'000);
  arena.clear();
  void* again = arena.calloc(100, 100);
  CHECK(again == first);
  CHECK(all_bytes_are(again, 10'000, 0));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make_array: elements are value-initialised, aligned, and none is none") {
  struct alignas(128) Wide {
    int number = 7;
    int zero;
  };
  Arena arena;
  void* dirty = arena.alloc(4096);
  std::memset(dirty, 0xFF, 4096);
  arena.clear();

  const std::span<Wide> wide = arena.make_array<Wide>(5);
  REQUIRE(wide.size() == 5);
  CHECK(is_aligned(wide.data(), 128));
  CHECK(std::all_of(wide.begin(), wide.end(),
                    [](const Wide& each) { return each.number == 7 && each.zero == 0; }));
  const std::span<int> numbers = arena.make_array<int>(1000);
  CHECK(std::all_of(numbers.begin(), numbers.end(), [](int number) { return number == 0; }));
  CHECK(arena.make_array<int>(0).empty());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "copy: the text survives the original, embedded zero bytes included") {
  Arena arena;
  std::string original("GET \0/ HTTP/1.1", 15);
  const std::string_view copy = arena.copy(original);
  CHECK(copy.data() != original.data());
  const std::string expected = original;
  original.assign(original.size(), '#');
  CHECK(copy == expected);
  CHECK(arena.copy("").empty());
  CHECK(arena.copy({}).empty());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "ALLOC and CALLOC: the document's macros take any arena expression [Core API]") {
  Arena arena;
  Arena* pointer = &arena;
  void* memory = ALLOC(*pointer, 10 + 6);
  CHECK(is_aligned(memory, alignof(std::max_align_t)));
  void* zeroed = CALLOC(arena, 2 + 2, 4 + 4);
  CHECK(all_bytes_are(zeroed, 32, 0));
  CHECK(arena.bytes_used() == 48);
}

TEST_CASE_FIXTURE(LiveArenas, "bytes_used: counts what was handed out, rounded up, in all chunks") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024}};
  CHECK(arena.bytes_used() == 0);
  (void)arena.alloc(1, 1);
  CHECK(arena.bytes_used() == 16);
  (void)arena.alloc(16, 16);
  CHECK(arena.bytes_used() == 32);
  (void)arena.alloc(100'000, 1);
  CHECK(arena.bytes_used() == 100'032);
  for (int i = 0; i < 10; ++i) {
    (void)arena.alloc(1000, 1);
  }
  CHECK(arena.bytes_used() == 100'032 + 10 * 1008);
  CHECK(arena.bytes_used() <= arena.bytes_reserved());
  arena.clear();
  CHECK(arena.bytes_used() == 0);
}

/// A program of allocations that needs many chunks, a large block and large alignments.
std::vector<void*> run_mixed_program(Arena& arena) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 300; ++i) {
    blocks.push_back(arena.alloc(1 + i * 37 % 3000, std::size_t{1} << i % 13));
    if (i % 50 == 7) {
      blocks.push_back(arena.alloc(100'000 + i));
    }
  }
  blocks.push_back(arena.alloc(1'500'000));
  blocks.push_back(arena.alloc(1));
  return blocks;
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "clear: the same program gets the same bytes, and asks the system no more [Pattern 3]") {
  for (const std::size_t chunk_bytes : {std::size_t{1024}, kArenaChunkBytes}) {
    CAPTURE(chunk_bytes);
    ScriptedMemory memory;
    Arena arena{ArenaOptions{.chunk_bytes = chunk_bytes}};
    const std::vector<void*> first = run_mixed_program(arena);
    const std::int64_t calls_before = memory.call_count();
    const std::size_t reserved_before = arena.bytes_reserved();
    for (int round = 0; round < 5; ++round) {
      arena.clear();
      CHECK(arena.bytes_reserved() <= kArenaKeptBytesMax);
      CHECK(run_mixed_program(arena) == first);
      CHECK(arena.bytes_reserved() == reserved_before);
    }
    CHECK(memory.call_count() == calls_before);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "clear: after a short round the long one still finds all its chunks") {
  ScriptedMemory memory;
  Arena arena;
  const std::vector<void*> first = run_mixed_program(arena);
  const std::int64_t calls_before = memory.call_count();
  arena.clear();
  (void)arena.alloc(1);
  arena.clear();
  arena.clear();
  CHECK(run_mixed_program(arena) == first);
  CHECK(memory.call_count() == calls_before);
}

TEST_CASE_FIXTURE(LiveArenas, "clear: an arena that was never used stays usable") {
  Arena arena;
  arena.clear();
  arena.clear();
  CHECK(arena.make<int>(7) == 7);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "dispose: from then on every way to allocate refuses, and it may be repeated") {
  Arena arena;
  (void)arena.alloc(100);
  CHECK_FALSE(arena.is_disposed());
  arena.dispose();
  for (int round = 0; round < 2; ++round) {
    CHECK(arena.is_disposed());
    CHECK(arena.bytes_used() == 0);
    CHECK(arena.bytes_reserved() == 0);
    CHECK_THROWS_AS((void)arena.alloc(1), ArenaFailed);
    CHECK_THROWS_AS((void)arena.alloc(0), ArenaFailed);
    CHECK_THROWS_AS((void)ALLOC(arena, 1), ArenaFailed);
    CHECK_THROWS_AS((void)arena.calloc(1, 1), ArenaFailed);
    CHECK_THROWS_AS((void)CALLOC(arena, 1, 1), ArenaFailed);
    CHECK_THROWS_AS(arena.make<int>(1), ArenaFailed);
    CHECK_THROWS_AS(arena.make<std::string>("text"), ArenaFailed);
    CHECK_THROWS_AS(arena.make_array<int>(1), ArenaFailed);
    CHECK_THROWS_AS(arena.copy("text"), ArenaFailed);
    CHECK(arena.try_alloc(1) == nullptr);
    arena.clear();
    arena.dispose();
  }
}

TEST_CASE_FIXTURE(LiveArenas, "dispose: an arena that never allocated refuses as well") {
  Arena arena;
  arena.dispose();
  CHECK(arena.is_disposed());
  CHECK_THROWS_AS((void)arena.alloc(1), ArenaFailed);
}

TEST_CASE_FIXTURE(LiveArenas, "dispose: gives every chunk back, those kept by clear included") {
  ScriptedMemory memory;
  Arena arena;
  (void)run_mixed_program(arena);
  arena.clear();
  (void)arena.alloc(1);
  arena.dispose();
  CHECK(arena.bytes_reserved() == 0);
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE("debug_live_count: counts an arena from its making to its disposal or its end") {
  const std::size_t count_before = Arena::debug_live_count();
  const std::size_t bytes_before = Arena::debug_live_bytes();
  {
    Arena first;
    CHECK(Arena::debug_live_count() == count_before + 1);
    auto second = std::make_unique<Arena>();
    CHECK(Arena::debug_live_count() == count_before + 2);
    (void)first.alloc(1);
    (void)second->alloc(300'000);
    CHECK(Arena::debug_live_bytes() ==
          bytes_before + first.bytes_reserved() + second->bytes_reserved());
    second.reset();
    CHECK(Arena::debug_live_count() == count_before + 1);
    CHECK(Arena::debug_live_bytes() == bytes_before + first.bytes_reserved());
    first.clear();
    CHECK(Arena::debug_live_count() == count_before + 1);
    CHECK(Arena::debug_live_bytes() == bytes_before + first.bytes_reserved());
    first.dispose();
    first.dispose();
    CHECK(Arena::debug_live_count() == count_before);
    CHECK(Arena::debug_live_bytes() == bytes_before);
  }
  CHECK(Arena::debug_live_count() == count_before);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "recycling: making, using and disposing an arena asks the system for nothing in steady state") {
  ScriptedMemory memory;
  const auto serve_request = [] {
    Arena arena;
    for (std::size_t i = 0; i < 40; ++i) {
      (void)arena.alloc(16 + i * 200);
    }
  };
  serve_request();
  const std::int64_t calls_before = memory.call_count();
  for (int i = 0; i < 1000; ++i) {
    serve_request();
  }
  CHECK(calls_before > 0);
  CHECK(memory.call_count() == calls_before);
}

TEST_CASE_FIXTURE(
    LiveArenas, "recycling: after a burst of 64 MiB at most 10 MiB are kept, after trim nothing") {
  ScriptedMemory memory;
  std::vector<std::unique_ptr<Arena>> burst;
  while (memory.bytes_held() < 64 * 1024 * 1024) {
    burst.push_back(std::make_unique<Arena>());
    for (int i = 0; i < 20; ++i) {
      (void)burst.back()->alloc(60'000);
    }
  }
  burst.clear();
  CHECK(memory.bytes_held() > 0);
  CHECK(memory.bytes_held() <=
        static_cast<std::int64_t>(detail::kThreadKeptBytesMax + detail::kDepotBytesMax));
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "recycling: a block above 2 MiB goes straight back, one of 2 MiB is kept") {
  const std::size_t largest = detail::kRecycledChunkBytesMax - sizeof(detail::Chunk);
  ScriptedMemory memory;
  {
    Arena arena;
    (void)arena.alloc(largest + 1);
  }
  CHECK(memory.bytes_held() == 0);
  {
    Arena arena;
    (void)arena.alloc(8 * 1024 * 1024);
  }
  CHECK(memory.bytes_held() == 0);
  {
    Arena arena;
    (void)arena.alloc(largest);
  }
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(detail::kRecycledChunkBytesMax));
}

}  // namespace
}  // namespace stadion
