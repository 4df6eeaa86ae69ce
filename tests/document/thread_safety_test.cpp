// SPDX-License-Identifier: MIT

// The document's "Thread Safety", in its own lines.

#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

constexpr int kThreads = 4;
constexpr int kAllocations = 1'000;
constexpr std::size_t kBytes = 40;

/// Runs the function on several threads at once, and waits for them.
template <class Function>
void on_threads(Function function) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(function, thread);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

/// Blocks that a thread filled with its own number, and whether they still are.
struct Blocks {
  int thread = 0;
  std::vector<unsigned char*> blocks;

  void fill(void* block) {
    std::memset(block, thread, kBytes);
    blocks.push_back(static_cast<unsigned char*>(block));
  }
  bool are_untouched() const {
    for (const unsigned char* block : blocks) {
      for (std::size_t i = 0; i < kBytes; ++i) {
        if (block[i] != thread) {
          return false;
        }
      }
    }
    return blocks.size() == static_cast<std::size_t>(kAllocations);
  }
};

TEST_CASE_FIXTURE(LiveArenas, "Thread Safety: allocate from same arena in multiple threads") {
  Arena arena;
  std::vector<Blocks> all(kThreads);
  on_threads([&](int thread) {
    Blocks& mine = all[static_cast<std::size_t>(thread)];
    mine.thread = thread + 1;
    for (int i = 0; i < kAllocations; ++i) {
      mine.fill(arena.alloc(kBytes));
    }
  });
  for (const Blocks& blocks : all) {
    CHECK(blocks.are_untouched());
  }
  CHECK(arena.bytes_used() >= kThreads * kAllocations * kBytes);

  // But: coordinate dispose() - only one thread should dispose
  std::thread([&arena] { arena.dispose(); }).join();
  CHECK(arena.is_disposed());
  CHECK(arena.bytes_reserved() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "Thread Safety: Thread-safe allocation") {
  pthread_mutex_t arena_mutex = PTHREAD_MUTEX_INITIALIZER;
  Arena shared_arena;
  const std::size_t size = kBytes;
  std::vector<Blocks> all(kThreads);
  on_threads([&](int thread) {
    Blocks& mine = all[static_cast<std::size_t>(thread)];
    mine.thread = thread + 1;
    for (int i = 0; i < kAllocations; ++i) {
      pthread_mutex_lock(&arena_mutex);
      void* ptr = shared_arena.alloc(size);
      pthread_mutex_unlock(&arena_mutex);
      mine.fill(ptr);
    }
  });
  for (const Blocks& blocks : all) {
    CHECK(blocks.are_untouched());
  }
}

thread_local std::unique_ptr<Arena> thread_arena;

void* alloc_thread_local(std::size_t size) {
  if (!thread_arena) {
    thread_arena = std::make_unique<Arena>();
  }
  return thread_arena->alloc(size);
}

TEST_CASE_FIXTURE(LiveArenas, "Thread Safety: Better: per-thread arenas") {
  const std::size_t live_before = Arena::debug_live_count();
  std::atomic<int> ready{0};
  std::atomic<int> untouched{0};
  std::atomic<int> all_alive{0};
  on_threads([&](int thread) {
    Blocks mine{thread + 1, {}};
    for (int i = 0; i < kAllocations; ++i) {
      mine.fill(alloc_thread_local(kBytes));
    }
    ++ready;
    while (ready < kThreads) {  // Until each thread has its arena.
      std::this_thread::yield();
    }
    all_alive += Arena::debug_live_count() == live_before + kThreads ? 1 : 0;
    untouched += mine.are_untouched() ? 1 : 0;
    ++ready;
    while (ready < 2 * kThreads) {  // Until each has looked.
      std::this_thread::yield();
    }
  });
  CHECK(untouched == kThreads);
  CHECK(all_alive == kThreads);
  // A thread's arena goes with the thread.
  CHECK(Arena::debug_live_count() == live_before);
}

}  // namespace
}  // namespace stadion
