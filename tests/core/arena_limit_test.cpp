// SPDX-License-Identifier: MIT
// ArenaOptions::limit_bytes: the budget for all chunks of an arena together.
#include <doctest/doctest.h>

#include <array>
#include <barrier>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

bool can_allocate(std::size_t limit_bytes) {
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = limit_bytes}};
  return arena.try_alloc(1) != nullptr;
}

TEST_CASE_FIXTURE(LiveArenas, "limit_bytes: one below, at and above the first chunk") {
  CHECK_FALSE(can_allocate(0));
  CHECK_FALSE(can_allocate(1023));
  CHECK(can_allocate(1024));
  CHECK(can_allocate(1025));
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = 1023}};
  CHECK_THROWS_WITH_AS((void)arena.alloc(1, 1, SourceLocation{}),
                       "arena: cannot allocate 1 bytes: over the arena's limit_bytes of 1023",
                       ArenaFailed);
}

TEST_CASE_FIXTURE(LiveArenas, "limit_bytes: one below, at and above a large block beside a chunk") {
  const std::size_t block_bytes = 1000 * 4096;  // Too large to be recycled: whole pages.
  const std::size_t needed = 1024 + block_bytes + sizeof(detail::Chunk);
  const std::size_t rounded = 1024 + block_bytes + 4096;
  REQUIRE(needed < rounded);
  for (const std::size_t limit_bytes : {rounded - 1, rounded, rounded + 1}) {
    CAPTURE(limit_bytes);
    Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = limit_bytes}};
    int& before = arena.make<int>(1);
    const bool fits = arena.try_alloc(block_bytes) != nullptr;
    CHECK(fits == (limit_bytes >= rounded));
    CHECK(arena.bytes_reserved() == (fits ? rounded : 1024));
    CHECK(arena.make<int>(2) == 2);
    CHECK(before == 1);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "limit_bytes: a budget below the preferred chunk is served in smaller ones") {
  Arena arena{ArenaOptions{.chunk_bytes = kArenaChunkBytes, .limit_bytes = kArenaChunkBytes - 1}};
  std::size_t bytes = 0;
  while (arena.try_alloc(1000) != nullptr) {
    bytes += 1000;
  }
  CHECK(bytes >= kArenaChunkBytes / 4 * 3);
  CHECK(arena.bytes_reserved() <= kArenaChunkBytes - 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "limit_bytes: no mix of sizes passes it, and clear gives the whole budget back") {
  for (std::size_t limit_bytes = 900; limit_bytes < 5'000'000; limit_bytes = limit_bytes * 5 / 2) {
    CAPTURE(limit_bytes);
    Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = limit_bytes}};
    std::array<std::size_t, 2> blocks_of_round{};
    for (std::size_t& blocks : blocks_of_round) {
      while (arena.try_alloc(1 + blocks * 911 % 20'000) != nullptr) {
        ++blocks;
      }
      CHECK(arena.bytes_reserved() <= limit_bytes);
      arena.clear();
    }
    CHECK(blocks_of_round[1] == blocks_of_round[0]);
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "limit_bytes: chunks kept by clear give way to a block that would not fit beside them") {
  const std::size_t limit_bytes = 64 * 1024;
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = limit_bytes}};
  while (arena.try_alloc(500) != nullptr) {
  }
  arena.clear();
  CHECK_NOTHROW((void)arena.alloc(limit_bytes - sizeof(detail::Chunk)));
  CHECK(arena.bytes_reserved() == limit_bytes);
}

TEST_CASE_FIXTURE(LiveArenas, "limit_bytes: holds for all threads together") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = 4096}};
  std::thread([&arena] {
    while (arena.try_alloc(500) != nullptr) {
    }
  }).join();
  CHECK(arena.bytes_reserved() == 4096);
  CHECK_THROWS_AS((void)arena.alloc(1024), ArenaFailed);
  CHECK(arena.bytes_reserved() == 4096);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "limit_bytes: what fits is served while another thread asks for too much") {
  constexpr int kRounds = 500;
  std::optional<Arena> arena;
  std::barrier step(2);
  int refusals = 0;
  std::thread other([&] {
    for (int round = 0; round < kRounds; ++round) {
      step.arrive_and_wait();
      refusals += arena->try_alloc(100) == nullptr ? 1 : 0;
      step.arrive_and_wait();
    }
  });
  int served_too_much = 0;
  for (int round = 0; round < kRounds; ++round) {
    arena.emplace(ArenaOptions{.chunk_bytes = 64 * 1024, .limit_bytes = 65 * 1024});
    (void)arena->alloc(60'000);
    step.arrive_and_wait();
    for (int attempt = 0; attempt < 100; ++attempt) {
      served_too_much += arena->try_alloc(20'000) != nullptr ? 1 : 0;
    }
    step.arrive_and_wait();
  }
  other.join();
  CHECK(refusals == 0);
  CHECK(served_too_much == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "limit_bytes: what clear kept in chunks that are too small gives way, too") {
  constexpr std::size_t kKiB = 1024;
  Arena arena{ArenaOptions{.chunk_bytes = 64 * kKiB, .limit_bytes = 1344 * kKiB}};
  for (int i = 0; i < 170; ++i) {
    (void)arena.alloc(4000);
  }
  arena.clear();
  (void)arena.alloc(2000);
  for (const std::size_t bytes : {63 * kKiB, 63 * kKiB, 63 * kKiB, 79 * kKiB, 79 * kKiB, 79 * kKiB,
                                  79 * kKiB, 79 * kKiB, 100 * kKiB}) {
    CHECK(arena.try_alloc(bytes) != nullptr);
  }
}

TEST_CASE_FIXTURE(
    LiveArenas, "limit_bytes: one chunk's worth serves another thread first, whatever was before") {
  for (int round = 0; round < 3; ++round) {
    Arena arena{ArenaOptions{.chunk_bytes = 64 * 1024, .limit_bytes = 64 * 1024}};
    std::thread([&arena] { CHECK(arena.try_alloc(100) != nullptr); }).join();
    arena.clear();
    CHECK(arena.try_alloc(100) != nullptr);
  }
}

/// Sets the process limit for one scope, counted from what is held now.
class ProcessLimit {
 public:
  explicit ProcessLimit(std::size_t bytes_from_now) noexcept {
    Arena::trim();
    before_ = Arena::set_process_limit_bytes(Arena::process_bytes() + bytes_from_now);
  }
  ~ProcessLimit() { Arena::set_process_limit_bytes(before_); }
  ProcessLimit(const ProcessLimit&) = delete;
  ProcessLimit& operator=(const ProcessLimit&) = delete;

 private:
  std::size_t before_ = 0;
};

TEST_CASE_FIXTURE(LiveArenas, "process limit: one below, at and above what an arena needs") {
  for (const std::size_t bytes : {std::size_t{4095}, std::size_t{4096}, std::size_t{4097}}) {
    CAPTURE(bytes);
    const ProcessLimit limit(bytes);
    Arena arena{ArenaOptions{.chunk_bytes = 4096}};
    CHECK((arena.try_alloc(4096 - sizeof(detail::Chunk)) != nullptr) == (bytes >= 4096));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "process limit: says what it is, what was asked and where") {
  const ProcessLimit limit(100);
  Arena arena;
  std::string text;
  try {
    (void)arena.alloc(12345);
  } catch (const ArenaFailed& failure) {
    text = failure.what();
  }
  CHECK(text.find("12345 bytes: over the process limit of ") != std::string::npos);
  CHECK(text.find("arena_limit_test.cpp") != std::string::npos);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "process limit: holds for all arenas together, and what one gives back serves another") {
  const ProcessLimit limit(3 * 1024 * 1024);
  std::optional<Arena> first(std::in_place);
  Arena second;
  (void)first->alloc(2'000'000);
  CHECK_THROWS_AS((void)second.alloc(2'000'000), ArenaFailed);
  CHECK(second.alloc(100) != nullptr);
  first.reset();  // The block stays with the process; it is given back for the next, when needed.
  CHECK_NOTHROW((void)second.alloc(2'500'000));
}

TEST_CASE_FIXTURE(LiveArenas, "process limit: counts what is kept for reuse, until it is trimmed") {
  Arena::trim();
  const std::size_t before = Arena::process_bytes();
  {
    Arena arena;
    (void)arena.alloc(1);
    CHECK(Arena::process_bytes() == before + kArenaChunkBytes);
  }
  CHECK(Arena::process_bytes() == before + kArenaChunkBytes);
  Arena::trim();
  CHECK(Arena::process_bytes() == before);
}

}  // namespace
}  // namespace stadion
