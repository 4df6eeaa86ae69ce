// SPDX-License-Identifier: MIT
#include "net/timer_queue.hpp"

#include <tuple>
#include <utility>

#include "core/finally.hpp"

namespace stadion::net::detail {

struct TimerQueue::AlarmHandler {
  using allocator_type = OperationAllocator<void, RecycledMemory>;

  TimerQueue* queue;

  allocator_type get_allocator() const noexcept { return allocator_type(queue->alarm_memory_); }
  void operator()(const std::error_code& error) const {
    if (!error) {
      queue->run_expired();
    }
  }
};

void TimerQueue::attach(asio::io_context& context, const std::atomic<std::thread::id>& runner) {
  context_ = &context;
  runner_ = &runner;
  alarm_.emplace(context);
  // For the one that waits, and for the one that is cancelled and not yet freed.
  alarm_memory_.reserve();
  alarm_memory_.reserve();
}

void TimerQueue::detach() noexcept { alarm_.reset(); }

bool TimerQueue::is_usable_here() const noexcept {
  const std::thread::id runner = runner_->load();
  return runner == std::thread::id{} || runner == std::this_thread::get_id();
}

void TimerQueue::set(Timer& timer, Timer::Clock::time_point time) {
  timer.time_ = time;
  timer.order_ = ++last_order_;
  timer.is_set_ = true;
  first_ = merge(first_, &timer);
  move_alarm();
}

void TimerQueue::remove(Timer& timer) noexcept {
  if (&timer == first_) {
    first_ = merge_siblings(timer.child_);
  } else {
    Timer*& link =
        timer.previous_->child_ == &timer ? timer.previous_->child_ : timer.previous_->next_;
    link = timer.next_;
    if (timer.next_ != nullptr) {
      timer.next_->previous_ = timer.previous_;
    }
    first_ = merge(first_, merge_siblings(timer.child_));
  }
  timer.child_ = timer.next_ = timer.previous_ = nullptr;
  timer.is_set_ = false;
}

// Timers for the same time expire in the order in which they were set.
bool TimerQueue::is_before(const Timer& left, const Timer& right) noexcept {
  return std::tie(left.time_, left.order_) < std::tie(right.time_, right.order_);
}

// Of two heaps the one with the later root becomes the first child of the other. A root has neither
// siblings nor a parent; `previous_` of a first child is its parent.
Timer* TimerQueue::merge(Timer* left, Timer* right) noexcept {
  if (left == nullptr || right == nullptr) {
    return left == nullptr ? right : left;
  }
  if (is_before(*right, *left)) {
    std::swap(left, right);
  }
  right->previous_ = left;
  right->next_ = left->child_;
  if (right->next_ != nullptr) {
    right->next_->previous_ = right;
  }
  left->child_ = right;
  return left;
}

// In pairs from the left, then all of those from the right: that is what makes a removal cost
// O(log n) on average.
Timer* TimerQueue::merge_siblings(Timer* first) noexcept {
  Timer* pairs = nullptr;
  while (first != nullptr) {
    Timer* left = first;
    Timer* right = left->next_;
    first = right == nullptr ? nullptr : right->next_;
    left->next_ = left->previous_ = nullptr;
    if (right != nullptr) {
      right->next_ = right->previous_ = nullptr;
    }
    Timer* pair = merge(left, right);
    pair->next_ = pairs;
    pairs = pair;
  }
  Timer* merged = nullptr;
  while (pairs != nullptr) {
    Timer* pair = std::exchange(pairs, pairs->next_);
    pair->next_ = nullptr;
    merged = merge(merged, pair);
  }
  return merged;
}

void TimerQueue::move_alarm() {
  if (first_ == nullptr || first_->time_ >= alarm_time_ || !alarm_) {
    return;
  }
  alarm_time_ =
      Timer::Clock::time_point::max();  // Until it waits: there may be no memory for that.
  alarm_->expires_at(first_->time_);    // Cancels what it waited for before.
  alarm_->async_wait(AlarmHandler{this});
  alarm_time_ = first_->time_;
}

void TimerQueue::run_expired() {
  alarm_time_ = Timer::Clock::time_point::max();
  // However this ends, an exception of a timer's function included.
  const auto go_on = finally([this] { move_alarm(); });
  const Timer::Clock::time_point now = Timer::Clock::now();
  // Worker::stop() ends the loop after the function that it is in, not after all that are due.
  while (first_ != nullptr && first_->time_ <= now && !context_->stopped()) {
    Timer& timer = *first_;
    remove(timer);
    const Timer::Callback callback = timer.callback_;
    callback.function(callback.context);  // May destroy the timer.
  }
}

}  // namespace stadion::net::detail
