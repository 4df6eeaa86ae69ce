// SPDX-License-Identifier: MIT
#include "net/timer.hpp"

#include <algorithm>
#include <utility>

#include "core/assert.hpp"
#include "net/timer_queue.hpp"
#include "net/worker.hpp"

namespace stadion::net {

std::chrono::milliseconds bounded_delay(std::chrono::milliseconds delay) noexcept {
  constexpr std::chrono::milliseconds kDelayMax = std::chrono::hours(24 * 365 * 100);
  return std::clamp(delay, std::chrono::milliseconds::zero(), kDelayMax);
}

Timer::Timer(Worker& worker) noexcept : queue_(&worker.timer_queue()) {}

void Timer::expires_after(std::chrono::milliseconds delay, Callback expired) {
  expires_at(Clock::now() + bounded_delay(delay), expired);
}

void Timer::expires_at(Clock::time_point time, Callback expired) {
  STADION_ASSERT(expired.function != nullptr);
  STADION_ASSERT(queue_->is_usable_here());
  cancel();
  callback_ = expired;
  queue_->set(*this, time);
}

void Timer::expires_after(std::chrono::milliseconds delay, std::function<void()> expired) {
  expires_after(delay, Callback{call_function, this});
  function_ = std::move(expired);
}

void Timer::cancel() noexcept {
  if (!is_set_) {
    return;
  }
  STADION_ASSERT(queue_->is_usable_here());
  queue_->remove(*this);
  // Destroyed last: it may own this timer.
  const std::function<void()> withdrawn = std::exchange(function_, nullptr);
}

void Timer::call_function(void* timer) {
  // Out of the timer while it runs, for it may set or destroy it.
  const std::function<void()> function =
      std::exchange(static_cast<Timer*>(timer)->function_, nullptr);
  function();
}

}  // namespace stadion::net
