// SPDX-License-Identifier: MIT
#include "net/task_inbox.hpp"

#include <utility>

#include "core/assert.hpp"
#include "core/finally.hpp"

namespace stadion::net::detail {

struct TaskInbox::WakeHandler {
  using allocator_type = OperationAllocator<void, OperationMemory<128>>;

  TaskInbox* inbox;
  asio::io_context* context;

  allocator_type get_allocator() const noexcept { return allocator_type(inbox->wake_memory_); }
  void operator()() const { inbox->run_posted(*context); }
};

void TaskInbox::post(PostedTask& task, asio::io_context& context) {
  STADION_ASSERT(task.next_ == &task);
  PostedTask* before = newest_.load(std::memory_order_relaxed);
  do {
    task.next_ = before;
  } while (!newest_.compare_exchange_weak(before, &task));
  wake(context);  // The task may have run by now, and be gone.
}

// That is_awake_ is set before the operation is started, and unset by the loop when it has ended,
// is also what hands wake_memory_ from thread to thread.
void TaskInbox::wake(asio::io_context& context) {
  if (!is_awake_.exchange(true)) {
    asio::post(context, WakeHandler{this, &context});
  }
}

void TaskInbox::run_posted(asio::io_context& context) {
  // However this ends, an exception of a task included. Either we see here what was posted
  // meanwhile, or the one who posted it sees that we are not awake any more: both sides write first
  // and then look, and all sequentially consistent.
  const auto go_on = finally([this, &context] {
    is_awake_.store(false);
    if (oldest_ != nullptr || newest_.load() != nullptr) {
      wake(context);
    }
  });
  if (oldest_ == nullptr) {
    oldest_ = take_all();
  }
  // Worker::stop() ends the loop after the task that it is in: the others wait for it to run again.
  while (oldest_ != nullptr && !context.stopped()) {
    PostedTask& task = *oldest_;
    oldest_ = std::exchange(task.next_, &task);
    task.function_(task.context_);  // May destroy the task, or post it again.
  }
}

PostedTask* TaskInbox::take_all() noexcept {
  PostedTask* reversed = newest_.exchange(nullptr);
  PostedTask* oldest = nullptr;
  while (reversed != nullptr) {
    PostedTask* task = std::exchange(reversed, reversed->next_);
    task->next_ = std::exchange(oldest, task);
  }
  return oldest;
}

}  // namespace stadion::net::detail
