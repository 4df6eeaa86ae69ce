// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include "core/assert.hpp"

namespace stadion::net {

/// A piece of work for ThreadPool::post(), which its owner keeps: a function, and what to pass it.
/// It holds all the memory that posting it takes.
///
/// Lifetime   Stays where it is from post() until its function is called. From then on it is the
///            owner's again: the function may post it anew, and whatever the function tells of its
///            end may destroy it.
/// Requires   It is not posted again before its function is called.
class ThreadPoolTask {
 public:
  using Function = void (*)(void* context);

  ThreadPoolTask(Function function, void* context) noexcept
      : function_(function), context_(context) {
    STADION_ASSERT(function != nullptr);
  }

  ThreadPoolTask(const ThreadPoolTask&) = delete;
  ThreadPoolTask& operator=(const ThreadPoolTask&) = delete;

 private:
  friend class ThreadPool;

  /// For the one operation that it is posted with.
  struct Memory {
    void* allocate(std::size_t size);
    void deallocate(void* /*memory*/) noexcept {}

    alignas(std::max_align_t) std::byte bytes[96];
  };

  Function function_;
  void* context_;
  Memory memory_;
};

struct ThreadPoolOptions {
  /// From 1. Default is 2.
  std::size_t threads = 2;
  /// Tasks that wait for a thread, from 1. Default is 1024.
  std::size_t queue_max = 1024;
};

/// Threads for what blocks or takes long, and so must not run on a Worker: reading a disk, asking a
/// database, compressing much. The result goes back with Worker::post():
///
///     struct Job {
///       net::Worker& worker;
///       net::ThreadPoolTask work{[](void* job) { static_cast<Job*>(job)->read_file(); }, this};
///       net::PostedTask done{[](void* job) { static_cast<Job*>(job)->answer(); }, this};
///       void read_file() { …; worker.post(done); }  // On a thread of the pool: its last act.
///       void answer() { … }                         // On the Worker.
///     };
///
/// Tasks begin in the order in which one thread posts them. An exception that leaves one is logged.
///
/// Lifetime   The destructor waits until every task that was posted has run, those that they post
///            in the meantime included: a task that was taken is run exactly once, whatever
///            happens, so its owner never waits in vain. What the tasks use, a Worker above all,
///            outlives it.
/// Threads    post() and queued() from any thread, also from a task's own. The threads begin with
///            the first post(): a pool that nobody uses costs none.
/// Throws     std::invalid_argument for options out of range.
/// Cost       Posting allocates nothing, but for starting the threads.
class ThreadPool {
 public:
  explicit ThreadPool(ThreadPoolOptions options = {});
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Has the task's function called on a thread of the pool. False, and nothing has happened, when
  /// queue_max tasks wait already: answer 503, or try again later.
  ///
  /// Throws     std::system_error, or std::bad_alloc, when not even one thread can be started (that
  ///            there are fewer than there should be is logged). The task is then not taken.
  [[nodiscard]] bool post(ThreadPoolTask& task);

  /// Tasks that wait for a thread: posted, and not begun.
  std::size_t queued() const noexcept;

 private:
  struct State;
  struct RunHandler;

  std::unique_ptr<State> state_;
};

}  // namespace stadion::net
