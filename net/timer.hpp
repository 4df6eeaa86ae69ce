// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace stadion::net {

class Worker;

namespace detail {
class TimerQueue;
}

/// None where it is less, and a hundred years where it is more, so that no time that is reckoned with it
/// overflows. For delays that come from elsewhere.
std::chrono::milliseconds bounded_delay(std::chrono::milliseconds delay) noexcept;

/// Calls a function once, later, on its Worker's thread.
///
///     Timer timer(worker);  // Or in an arena: arena.make<Timer>(worker).
///     timer.expires_after(30s, {[](void* job) { static_cast<Job*>(job)->give_up(); }, &job});
///
/// It may be set, cancelled and destroyed in its own function, and in that of another. Timers
/// expire in the order of their times; those of one time, in the order in which they were set.
///
/// Lifetime   The Worker outlives it. Destroying or cancelling it means that the function is not
///            called, even if its time has come already.
/// Threads    Its Worker's alone, or any one while the Worker does not run.
/// Cost       All that it needs is in the object: making, setting, expiring, cancelling and
///            destroying allocate nothing (but what a std::function of yours may hold). Setting and
///            cancelling are some ten nanoseconds beside a look at the clock; the system is asked
///            only for a timer that is to expire before all others.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Whom to call: a function, and what to pass it. Owns nothing.
  struct Callback {
    void (*function)(void* context);
    void* context;
  };

  explicit Timer(Worker& worker) noexcept;
  ~Timer() { cancel(); }

  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Calls `expired` after at least bounded_delay(delay); what was set before is cancelled. No delay
  /// means soon: from the loop, never within this call.
  void expires_after(std::chrono::milliseconds delay, Callback expired);
  /// The same for any function, which is destroyed when it has run or is cancelled.
  void expires_after(std::chrono::milliseconds delay, std::function<void()> expired);
  /// Calls `expired` at a time, or as soon as may be if it is over; without a look at the clock.
  void expires_at(Clock::time_point time, Callback expired);
  void cancel() noexcept;
  bool is_set() const noexcept { return is_set_; }

 private:
  friend class detail::TimerQueue;

  static void call_function(void* timer);

  detail::TimerQueue* queue_;
  Callback callback_{};
  std::function<void()> function_;  ///< Called by callback_, for the one who gave a std::function.

  // Its place among the Worker's timers, while it is set.
  bool is_set_ = false;
  Clock::time_point time_{};
  std::uint64_t order_ = 0;
  Timer* child_ = nullptr;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;  ///< Of the first child, its parent.
};

}  // namespace stadion::net
