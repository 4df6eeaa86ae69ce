// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "apps/bench/arena/contestant.hpp"
#include "apps/bench/arena/storage.hpp"
#include "apps/bench/arena/workloads.hpp"
#include "apps/bench/machine.hpp"

/// What two threads do with a contestant: functions that Google Benchmark runs on both, with
/// thread_index() 0 and 1.
namespace stadion::bench {

/// W4: per iteration each thread makes this many allocations, so many that the barrier and the
/// clear() between rounds cost next to nothing.
inline constexpr std::size_t kSharedAllocations = 10'000;

template <class Arena>
[[gnu::noinline]] void allocate_shared_round(Arena& arena) {
  for (std::size_t i = 0; i < kSharedAllocations; ++i) {
    keep(arena.alloc(kSmallBytes));
  }
}

/// Both threads allocate from the one arena that thread 0 made; it clears while the other waits.
template <template <std::size_t> class Contestant>
void allocate_from_one_arena(benchmark::State& state) {
  static std::unique_ptr<Contestant<kSharedAllocations>> arena;
  static SpinBarrier barrier(2);
  const auto thread = static_cast<std::size_t>(state.thread_index());
  pin_this_thread(thread);
  if (thread == 0) {
    arena = std::make_unique<Contestant<kSharedAllocations>>();
  }
  for ([[maybe_unused]] auto _ : state) {
    allocate_shared_round(*arena);
    barrier.arrive_and_wait();
    if (thread == 0) {
      arena->clear();
    }
    barrier.arrive_and_wait();
  }
  if (thread == 0) {
    arena.reset();
  }
}

/// The same of a heap, which is shared as it is; or by one thread, of the ideal.
template <template <std::size_t> class Contestant>
void allocate_from_own_arena(benchmark::State& state) {
  pin_this_thread(static_cast<std::size_t>(state.thread_index()));
  auto arena = std::make_unique<Contestant<kSharedAllocations>>();
  for ([[maybe_unused]] auto _ : state) {
    allocate_shared_round(*arena);
    arena->clear();
  }
}

/// A bounded queue from one thread to one other, in whose slots the arenas themselves live: an
/// Arena stays where it was made.
template <class Arena>
class ArenaQueue {
 public:
  /// Makes an arena in the next slot, calls fill(arena), and hands it over; waits for a free slot.
  template <class Fill>
  void push(Fill fill) {
    for (SpinWait wait; pushed_ - popped_seen_ == kSlots; wait.once()) {
      popped_seen_ = popped_.load(std::memory_order_acquire);
    }
    fill(slots_[pushed_ % kSlots].make());
    published_.store(++pushed_, std::memory_order_release);
  }

  /// Disposes the oldest arena; waits for one.
  void pop() {
    const std::size_t oldest = popped_.load(std::memory_order_relaxed);
    for (SpinWait wait; published_seen_ == oldest; wait.once()) {
      published_seen_ = published_.load(std::memory_order_acquire);
    }
    slots_[oldest % kSlots].dispose();
    popped_.store(oldest + 1, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kSlots = 32;

  struct alignas(64) Slot : Storage<Arena> {};
  std::array<Slot, kSlots> slots_;
  alignas(64) std::size_t pushed_ = 0;  // The pusher's.
  std::size_t popped_seen_ = 0;
  alignas(64) std::size_t published_seen_ = 0;  // The popper's.
  alignas(64) std::atomic<std::size_t> published_{0};
  alignas(64) std::atomic<std::size_t> popped_{0};
};

/// W8: made and filled on one thread, disposed on the other.
template <template <std::size_t> class Contestant>
void hand_over(benchmark::State& state) {
  static ArenaQueue<Contestant<kHttpAllocations>> queue;
  pin_this_thread(static_cast<std::size_t>(state.thread_index()));
  for ([[maybe_unused]] auto _ : state) {
    if (state.thread_index() == 0) {
      queue.push([](auto& arena) { fill_as_http_does(arena); });
    } else {
      queue.pop();
    }
  }
}

/// W9: two threads, each with the W2 cycle.
template <template <std::size_t> class Contestant>
void http_cycles_on_two_threads(benchmark::State& state) {
  pin_this_thread(static_cast<std::size_t>(state.thread_index()));
  HttpCycle<Contestant> cycle;
  for ([[maybe_unused]] auto _ : state) {
    cycle.round();
  }
}

}  // namespace stadion::bench
