// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "net/asio.hpp"
#include "net/operation_memory.hpp"
#include "net/posted_task.hpp"

namespace stadion::net::detail {

/// The tasks that were posted to one Worker and have not run. Internal to net/.
///
/// Whoever posts the first of some also wakes the loop, with the one operation for which there is
/// memory here; all that come until it has run them go along.
///
/// Lifetime   Outlives the io_context, and touches no task that was not run when it goes.
/// Threads    post() from any; the rest is the loop's.
class TaskInbox {
 public:
  TaskInbox() noexcept = default;

  TaskInbox(const TaskInbox&) = delete;
  TaskInbox& operator=(const TaskInbox&) = delete;

  void post(PostedTask& task, asio::io_context& context);

 private:
  struct WakeHandler;

  void wake(asio::io_context& context);
  void run_posted(asio::io_context& context);
  PostedTask* take_all() noexcept;

  std::atomic<PostedTask*> newest_{nullptr};  ///< Each points to the one that was posted before it.
  std::atomic<bool> is_awake_{false};         ///< The operation is under way.
  OperationMemory<128> wake_memory_;          ///< Of the thread that has set is_awake_.
  PostedTask* oldest_ = nullptr;              ///< Taken by the loop, in their order.
};

}  // namespace stadion::net::detail
