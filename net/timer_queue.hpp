// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>

#include "net/asio.hpp"
#include "net/operation_memory.hpp"
#include "net/timer.hpp"

namespace stadion::net::detail {

/// The timers of one Worker that are set, in the order of their times. Internal to net/.
///
/// They are linked into a pairing heap, so that it needs no memory of its own; and one timer of
/// Asio's serves them all. That one, the alarm, is moved when a timer is to expire before it, and
/// never for one that is cancelled: then it goes off in vain, once. So a timer that is set for some
/// seconds and cancelled before that, as most are, costs Asio nothing.
///
/// Lifetime   Outlives the io_context and its handlers, which may own timers; detach() comes first.
/// Threads    The loop's alone.
/// Source     Fredman, Sedgewick, Sleator, Tarjan: "The Pairing Heap" (1986).
class TimerQueue {
 public:
  TimerQueue() noexcept = default;

  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// `runner` is the thread that runs the loop, or none.
  void attach(asio::io_context& context, const std::atomic<std::thread::id>& runner);
  /// From here on timers can still be cancelled, but none expires.
  void detach() noexcept;

  /// Whether the calling thread may touch timers: that of the loop, or any while it does not run.
  bool is_usable_here() const noexcept;

  /// Requires   The timer is not set.
  void set(Timer& timer, Timer::Clock::time_point time);
  /// Requires   The timer is set.
  void remove(Timer& timer) noexcept;

 private:
  struct AlarmHandler;

  static bool is_before(const Timer& left, const Timer& right) noexcept;
  static Timer* merge(Timer* left, Timer* right) noexcept;
  static Timer* merge_siblings(Timer* first) noexcept;
  void move_alarm();
  void run_expired();

  Timer* first_ = nullptr;  ///< The root of the heap.
  std::uint64_t last_order_ = 0;
  RecycledMemory alarm_memory_;  ///< An alarm that is moved leaves its operation to the loop.
  asio::io_context* context_ = nullptr;
  const std::atomic<std::thread::id>* runner_ = nullptr;
  std::optional<SteadyTimer> alarm_;
  Timer::Clock::time_point alarm_time_ = Timer::Clock::time_point::max();
};

}  // namespace stadion::net::detail
