// SPDX-License-Identifier: MIT
// Each thread allocates from a lane of its own; the owner's is the arena's first, and adopt() hands it
// over.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "core/arena_scope.hpp"
#include "core/depot.hpp"
#include "core/thread_cache.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::Recorded;
using tests::ScriptedMemory;

template <class Function>
void on_another_thread(Function&& function) {
  std::thread(std::forward<Function>(function)).join();
}

TEST_CASE_FIXTURE(LiveArenas,
                  "lanes: another thread's allocations follow each other, apart from the owner's") {
  Arena arena;
  auto* mine = static_cast<char*>(arena.alloc(16));
  on_another_thread([&arena] {
    auto* first = static_cast<char*>(arena.alloc(16));
    CHECK(arena.alloc(16) == first + 16);
    CHECK(arena.alloc(16) == first + 32);
  });
  CHECK(arena.alloc(16) == mine + 16);
  CHECK(arena.bytes_used() == 80);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "lanes: a thread that owns none of many arenas finds its lane in each again") {
  std::vector<std::unique_ptr<Arena>> arenas;
  for (int i = 0; i < 40; ++i) {
    arenas.push_back(std::make_unique<Arena>());
  }
  on_another_thread([&arenas] {
    for (int round = 0; round < 5; ++round) {
      for (const auto& arena : arenas) {
        std::memset(arena->alloc(100), 1, 100);
      }
    }
  });
  for (const auto& arena : arenas) {
    CHECK(arena->statistics().lanes == 1 + (arena->bytes_reserved() > 4096 ? 1 : 0));
    CHECK(arena->bytes_used() == 5 * 112);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "lanes: many short-lived threads take little each") {
  Arena arena;
  (void)arena.alloc(1);
  for (int i = 0; i < 50; ++i) {
    on_another_thread([&arena] { std::memset(arena.alloc(100), 1, 100); });
  }
  CHECK(arena.statistics().lanes == 51);
  CHECK(arena.bytes_reserved() == kArenaChunkBytes + 50 * 4096);
}

TEST_CASE_FIXTURE(LiveArenas, "lanes: after clear a thread that had one begins another") {
  Arena arena;
  std::barrier step(2);
  std::thread other([&] {
    for (int round = 0; round < 20; ++round) {
      std::memset(arena.alloc(1000), 2, 1000);
      step.arrive_and_wait();
      step.arrive_and_wait();
    }
  });
  for (int round = 0; round < 20; ++round) {
    std::memset(arena.alloc(1000), 1, 1000);
    step.arrive_and_wait();
    CHECK(arena.bytes_used() == 2 * 1008);
    arena.clear();
    CHECK(arena.bytes_used() == 0);
    step.arrive_and_wait();
  }
  other.join();
}

TEST_CASE_FIXTURE(LiveArenas,
                  "lanes: an arena at the same address is not taken for the one before") {
  std::optional<Arena> arena;
  std::barrier step(2);
  std::thread other([&] {
    for (int round = 0; round < 50; ++round) {
      step.arrive_and_wait();
      std::memset(arena->alloc(100), 1, 100);
      step.arrive_and_wait();
    }
  });
  for (int round = 0; round < 50; ++round) {
    arena.emplace();
    step.arrive_and_wait();
    step.arrive_and_wait();
    CHECK(arena->bytes_used() == 112);
  }
  other.join();
}

TEST_CASE_FIXTURE(LiveArenas, "lanes: a thread born after another's end is not taken for it") {
  Arena arena;
  for (int round = 0; round < 30; ++round) {
    on_another_thread([&arena] { arena.make<int>(1); });
  }
  CHECK(arena.statistics().lanes >= 30);
}

TEST_CASE_FIXTURE(LiveArenas, "adopt: the new owner goes on where the old one stood") {
  Arena arena;
  auto* first = static_cast<char*>(arena.alloc(16));
  on_another_thread([&arena, first] {
    arena.adopt();
    CHECK(arena.alloc(16) == first + 16);
  });
  CHECK(arena.statistics().lanes == 1);
  auto* apart = static_cast<char*>(arena.alloc(16));  // No longer the owner.
  CHECK(apart != first + 32);
  CHECK(arena.statistics().lanes == 2);
  arena.adopt();
  CHECK(arena.alloc(16) == first + 32);
}

TEST_CASE_FIXTURE(LiveArenas, "adopt: to and fro between threads, nothing is lost") {
  Arena arena;
  std::barrier step(2);
  std::vector<int*> numbers;
  const auto work = [&](int remainder) {
    for (int round = 0; round < 100; ++round) {
      if (round % 2 == remainder) {
        arena.adopt();
        numbers.push_back(&arena.make<int>(round));
        (void)arena.alloc(static_cast<std::size_t>(round) * 97);
      }
      step.arrive_and_wait();
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  for (int round = 0; round < 100; ++round) {
    CHECK(*numbers[static_cast<std::size_t>(round)] == round);
  }
  CHECK(arena.statistics().lanes == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "adopt: a thread that had a lane leaves it for the owner's") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024}};
  (void)arena.alloc(900);
  on_another_thread([&arena] {
    (void)arena.alloc(16);
    arena.adopt();
    void* memory = arena.alloc(200);
    CHECK(arena.extend(memory, 200, 100));
    const std::size_t used = arena.bytes_used();
    {
      ArenaScope scope(arena);
      (void)arena.alloc(200);
    }
    CHECK(arena.bytes_used() == used);
  });
}

TEST_CASE_FIXTURE(LiveArenas,
                  "adopt: what the new owner made before is destroyed after what it makes then") {
  std::vector<int> record;
  Arena arena;
  arena.make<Recorded>(record, 1);
  on_another_thread([&] {
    arena.make<Recorded>(record, 2);
    arena.make<Recorded>(record, 3);
    arena.adopt();
    arena.make<Recorded>(record, 4);
  });
  arena.clear();
  CHECK(record == std::vector{4, 3, 2, 1});
}

TEST_CASE_FIXTURE(LiveArenas, "adopt: a disposed arena stays disposed") {
  Arena arena;
  arena.dispose();
  arena.adopt();
  CHECK(arena.is_disposed());
  CHECK_THROWS_AS((void)arena.alloc(1), ArenaFailed);
}

TEST_CASE_FIXTURE(
    LiveArenas, "hand-over: arenas made here and disposed there, for ever, keep a bounded amount") {
  ScriptedMemory memory;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Arena>> arenas;
    for (int i = 0; i < 50; ++i) {
      arenas.push_back(std::make_unique<Arena>());
      (void)arenas.back()->alloc(30'000);
    }
    on_another_thread([&arenas] { arenas.clear(); });
  }
  CHECK(memory.bytes_held() <=
        static_cast<std::int64_t>(2 * detail::kThreadKeptBytesMax + detail::kDepotBytesMax));
}

TEST_CASE_FIXTURE(LiveArenas, "hand-over: in steady state neither thread asks the system") {
  ScriptedMemory memory;
  std::optional<Arena> slot;
  std::barrier step(2);
  constexpr int kRounds = 500;
  std::thread other([&] {
    for (int round = 0; round < kRounds; ++round) {
      step.arrive_and_wait();
      slot.reset();
      step.arrive_and_wait();
    }
  });
  std::int64_t calls_when_warm = 0;
  for (int round = 0; round < kRounds; ++round) {
    slot.emplace();
    std::memset(slot->alloc(20'000), 1, 20'000);
    step.arrive_and_wait();
    step.arrive_and_wait();
    calls_when_warm = round == kRounds / 2 ? memory.call_count() : calls_when_warm;
  }
  other.join();
  CHECK(memory.call_count() == calls_when_warm);
}

/// Holds an arena for as long as the thread's thread_local objects live, and makes one more at the
/// very end.
struct LastWill {
  ~LastWill() {
    Arena at_the_end;
    std::memset(at_the_end.alloc(1000), 1, 1000);
  }
  Arena arena;
};

TEST_CASE_FIXTURE(LiveArenas, "end of thread: arenas of thread_local objects end with them") {
  for (int round = 0; round < 20; ++round) {
    on_another_thread([] {
      thread_local LastWill last_will;
      (void)last_will.arena.alloc(100);
      Arena arena;  // Ends before.
      (void)arena.alloc(100);
    });
  }
}

TEST_CASE_FIXTURE(LiveArenas, "end of thread: its live arenas go on elsewhere") {
  std::vector<std::unique_ptr<Arena>> arenas;
  for (int round = 0; round < 10; ++round) {
    on_another_thread([&arenas] {
      arenas.push_back(std::make_unique<Arena>());
      arenas.back()->make<int>(1);
    });
    // This thread's own store of states is another one.
    Arena mine;
    (void)mine.alloc(10);
    (void)arenas.back()->alloc(100'000);
  }
  CHECK(arenas.size() == 10);
}

}  // namespace
}  // namespace stadion
