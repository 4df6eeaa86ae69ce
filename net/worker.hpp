// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/posted_task.hpp"

// Asio stays out of this header; include <asio/io_context.hpp> to use io_context().
namespace asio {
class io_context;
}

namespace stadion::net {

namespace detail {
class EventSet;
class TimerQueue;
}  // namespace detail

/// One thread and one event loop, which share nothing with the next Worker: what is made on a
/// Worker (sockets, timers, pools) is used on its thread alone.
///
/// Lifetime   Outlives everything made on it, and every call of post(), which may still be on its
///            way out when its task has run. The destructor stops the loop and joins the thread.
/// Threads    post() and stop() from any thread; run(), start(), join() from the one that owns the
///            Worker.
class Worker {
 public:
  /// The name shows in debuggers and `top -H`; the system keeps its first 15 bytes.
  explicit Worker(std::string name = "worker");
  ~Worker();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs the loop on a new thread until stop().
  void start();
  /// Runs the loop on the calling thread until stop().
  void run();
  /// Ends the loop after the handler that it is in. From any thread, any number of times.
  void stop() noexcept;
  /// Waits for the thread of start() to end.
  void join();

  /// Runs the task on this Worker's thread, later: never within this call, and in the order in
  /// which one thread posts. What is posted when the Worker has stopped is not run, only destroyed
  /// with it. An exception that leaves the task is logged. From any thread.
  void post(std::function<void()> task);
  /// The same for a task that its owner keeps, see PostedTask. Nothing is allocated; the first of
  /// several tasks that come between two turns of the loop wakes it, the others cost an atomic
  /// exchange or two. Of tasks that were posted in the other way this one may run before or after.
  void post(PostedTask& task);

  /// Whether the calling thread runs this Worker's loop.
  bool is_current() const noexcept;

  /// The loop itself, for operations of your own on the same thread.
  asio::io_context& io_context() noexcept;

 private:
  friend class Socket;
  friend class Timer;

  struct Loop;

  detail::EventSet& event_set() noexcept;
  detail::TimerQueue& timer_queue() noexcept;

  std::unique_ptr<Loop> loop_;
};

}  // namespace stadion::net
