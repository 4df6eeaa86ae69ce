// SPDX-License-Identifier: MIT
#pragma once

#include "core/assert.hpp"

namespace stadion::net {

namespace detail {
class TaskInbox;
}

/// A piece of work for Worker::post() that its owner keeps, so that posting it allocates nothing: a
/// function, and what to pass it. A member of a job, say, that a thread posts when the job is done:
///
///     struct Job {
///       net::PostedTask done{[](void* job) { static_cast<Job*>(job)->finish(); }, this};
///     };
///
/// Lifetime   Stays where it is from post() until its function is called. From then on it is the
///            owner's again: the function itself may post it anew, or destroy it. If the Worker
///            stops before that, the function is not called; the task goes after the Worker.
/// Requires   It is not posted again before its function is called.
class PostedTask {
 public:
  using Function = void (*)(void* context);

  PostedTask(Function function, void* context) noexcept : function_(function), context_(context) {
    STADION_ASSERT(function != nullptr);
  }

  PostedTask(const PostedTask&) = delete;
  PostedTask& operator=(const PostedTask&) = delete;

 private:
  friend class detail::TaskInbox;

  Function function_;
  void* context_;
  PostedTask* next_ = this;  ///< Itself while it is not posted.
};

}  // namespace stadion::net
