// SPDX-License-Identifier: MIT
#include "core/arena_scope.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::Recorded;
using tests::ScriptedMemory;

TEST_CASE_FIXTURE(LiveArenas,
                  "scope: what was allocated within is taken back, what was before stays") {
  Arena arena;
  const std::string_view before = arena.copy("before");
  const std::size_t used = arena.bytes_used();
  void* within = nullptr;
  {
    ArenaScope scope(arena);
    within = arena.alloc(1000);
    CHECK(arena.bytes_used() > used);
  }
  CHECK(arena.bytes_used() == used);
  CHECK(before == "before");
  CHECK(arena.alloc(1000) == within);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: its end runs the destructors owed since, newest first") {
  std::vector<int> record;
  Arena arena;
  arena.make<Recorded>(record, 1);
  {
    ArenaScope scope(arena);
    arena.make<Recorded>(record, 2);
    arena.make<Recorded>(record, 3);
  }
  CHECK(record == std::vector{3, 2});
  arena.clear();
  CHECK(record == std::vector{3, 2, 1});
}

TEST_CASE_FIXTURE(LiveArenas, "scope: they nest, also where there was no chunk yet") {
  for (const bool fresh : {true, false}) {
    CAPTURE(fresh);
    Arena::trim();
    Arena arena;
    if (!fresh) {
      (void)arena.alloc(1);
    }
    const std::size_t used = arena.bytes_used();
    {
      ArenaScope outer(arena);
      int& one = arena.make<int>(1);
      {
        ArenaScope inner(arena);
        (void)arena.alloc(100'000);
        (void)arena.alloc(100);
      }
      CHECK(one == 1);
      CHECK(arena.bytes_used() == used + 16);
      ArenaScope second(arena);
      (void)arena.alloc(5);
    }
    CHECK(arena.bytes_used() == used);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "scope: chunks that it filled are kept, large blocks are not") {
  ScriptedMemory memory;
  Arena arena;
  (void)arena.alloc(1);
  const auto fill = [&arena] {
    ArenaScope scope(arena);
    for (int i = 0; i < 100; ++i) {
      (void)arena.alloc(5000);
    }
  };
  fill();
  const std::size_t reserved = arena.bytes_reserved();
  const std::int64_t calls = memory.call_count();
  fill();
  CHECK(arena.bytes_reserved() == reserved);
  CHECK(memory.call_count() == calls);
  {
    ArenaScope scope(arena);
    (void)arena.alloc(5'000'000);
    CHECK(arena.bytes_reserved() > 5'000'000);
  }
  CHECK(arena.bytes_reserved() == reserved);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "scope: a large block from before stays, also where there is no chunk") {
  Arena::trim();
  Arena arena;
  auto* large = static_cast<char*>(arena.alloc(500'000));
  std::memset(large, 7, 500'000);
  const std::size_t used = arena.bytes_used();
  for (int round = 0; round < 2; ++round) {
    ArenaScope scope(arena);
    (void)arena.alloc(10);
    (void)arena.alloc(600'000);
  }
  CHECK(arena.bytes_used() == used);
  CHECK(large[0] == 7);
  CHECK(large[499'999] == 7);
  arena.clear();
  CHECK(arena.bytes_used() == 0);
  CHECK(arena.make<int>(1) == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: it ends with an exception, too") {
  std::vector<int> record;
  Arena arena;
  const auto work = [&] {
    ArenaScope scope(arena);
    arena.make<Recorded>(record, 1);
    throw std::runtime_error("no");
  };
  CHECK_THROWS_AS(work(), std::runtime_error);
  CHECK(record == std::vector{1});
  CHECK(arena.bytes_used() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: statistics remember the most that was used within") {
  Arena arena;
  {
    ArenaScope scope(arena);
    (void)arena.alloc(10'000);
  }
  CHECK(arena.statistics().bytes_used == 0);
  CHECK(arena.statistics().bytes_used_max == 10'000);
  arena.clear();
  CHECK(arena.statistics().bytes_used_max == 10'000);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: on a disposed arena it does nothing") {
  Arena arena;
  arena.dispose();
  ArenaScope scope(arena);
  CHECK_THROWS_AS((void)arena.alloc(1), ArenaFailed);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: those of other threads leave each other's memory alone") {
  constexpr int kThreads = 3;
  constexpr int kRounds = 200;
  Arena arena;
  std::atomic<int> wrong{0};
  const auto work = [&arena, &wrong](int number) {
    const auto pattern = static_cast<char>('a' + number);
    char* kept = static_cast<char*>(arena.alloc(100));
    std::memset(kept, pattern, 100);
    for (int round = 0; round < kRounds; ++round) {
      ArenaScope scope(arena);
      for (int i = 0; i < 20; ++i) {
        std::memset(arena.alloc(700), '#', 700);
      }
    }
    const std::string expected(100, pattern);
    wrong += std::memcmp(kept, expected.data(), 100) != 0 ? 1 : 0;
  };
  std::vector<std::thread> threads;
  for (int number = 1; number < kThreads; ++number) {
    threads.emplace_back(work, number);
  }
  work(0);
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
  CHECK(arena.bytes_used() == kThreads * 112);
}

TEST_CASE_FIXTURE(LiveArenas, "scope: another thread's first allocation may be within one") {
  Arena arena;
  std::thread([&arena] {
    for (int round = 0; round < 3; ++round) {
      ArenaScope scope(arena);
      std::memset(arena.alloc(10'000), 1, 10'000);
      ArenaScope inner(arena);
      std::memset(arena.alloc(10), 1, 10);
    }
    int& after = arena.make<int>(7);
    CHECK(after == 7);
  }).join();
  CHECK(arena.bytes_used() == 16);
}

}  // namespace
}  // namespace stadion
