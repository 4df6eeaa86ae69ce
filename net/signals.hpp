// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

namespace stadion::net {

class Worker;

/// Calls a function on a Worker's thread for each signal of a set, such as {SIGINT, SIGTERM}, that
/// the process gets.
///
/// While it lives the signals don't have their default effect, in the whole process.
/// Lifetime   The Worker outlives it. After its destruction the function is not called.
/// Threads    Its Worker's alone.
/// Throws     std::system_error for a signal that cannot be caught.
class SignalSet {
 public:
  SignalSet(Worker& worker, std::initializer_list<int> signals,
            std::function<void(int signal)> on_signal);
  ~SignalSet();

  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stadion::net
