// SPDX-License-Identifier: MIT
// Arenas across fork(): the child has one thread, and whatever the others were doing.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

// The allocators of GCC 12's sanitizers, under our own, take no care of fork(): a child that allocates
// waits for ever for a lock that some thread held at that moment.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kForksWhileOthersAllocate = false;
#else
constexpr bool kForksWhileOthersAllocate = true;
#endif

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

TEST_CASE_FIXTURE(LiveArenas, "fork: the child goes on with the arenas of the thread that forked") {
  Arena arena;
  const std::string_view before = arena.copy("before");
  const tests::ForkedEnd end = tests::run_forked([&] {
    require(before == "before");
    require(arena.copy("after") == "after");
    arena.clear();
    Arena made;
    (void)made.alloc(100'000);
  });
  CHECK(end.status == 0);
  CHECK(before == "before");
}

TEST_CASE_FIXTURE(
    LiveArenas, "fork: at any moment of other threads' work, the child can use arenas of its own" *
                    doctest::skip(!kForksWhileOthersAllocate)) {
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&done] {
      while (!done) {
        // More than the thread's cache holds, in many pieces: the depot's lock is taken all the time,
        // and held long.
        std::vector<std::unique_ptr<Arena>> arenas;
        for (int count = 0; count < 4000; ++count) {
          arenas.push_back(std::make_unique<Arena>(ArenaOptions{.chunk_bytes = 1024}));
          (void)arenas.back()->alloc(900);
        }
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    const tests::ForkedEnd end = tests::run_forked([] {
      ::alarm(60);  // A child that waits for a lock is ended, and fails the test.
      for (int count = 0; count < 50; ++count) {
        Arena arena;
        std::memset(arena.alloc(60'000), 1, 60'000);
        std::memset(arena.alloc(600'000), 1, 600'000);
      }
      (void)Arena::debug_live();
      require(Arena::debug_live_count() < 100'000);
      Arena::trim();
    });
    REQUIRE(end.status == 0);
  }
  done = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace stadion
