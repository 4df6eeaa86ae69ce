// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace stadion::net {

class Worker;

/// Calls a function once, later, on its Worker's thread.
///
/// Lifetime   The Worker outlives it. Destroying or cancelling it means that the function is not
///            called.
/// Threads    Its Worker's alone.
class Timer {
 public:
  explicit Timer(Worker& worker);
  ~Timer();

  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Calls `expired` after at least `delay`; what was set before is cancelled.
  void expires_after(std::chrono::milliseconds delay, std::function<void()> expired);
  void cancel() noexcept;
  bool is_set() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stadion::net
