// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>

#include "net/timer.hpp"
#include "net/worker.hpp"

namespace stadion::tests {

/// How long a test waits for what it expects before it fails.
inline constexpr std::chrono::seconds kDeadline{30};

/// A Worker whose loop runs on the test's own thread and only while the test waits, so that nothing
/// happens behind a test's back: what is under test may be touched and checked anywhere.
class TestLoop {
 public:
  net::Worker& worker() noexcept { return worker_; }

  /// Calls the function on the loop; what it throws is thrown here.
  template <class Function>
  void call(Function&& function) {
    std::exception_ptr thrown;
    worker_.post([&] {
      try {
        function();
      } catch (...) {
        thrown = std::current_exception();
      }
      worker_.stop();
    });
    run();
    if (thrown != nullptr) {
      std::rethrow_exception(thrown);
    }
  }

  /// Runs the loop until `done()`, which is asked on the loop and does not throw, holds: REQUIREs
  /// that it ever does.
  template <class Done>
  void run_until(Done&& done) {
    REQUIRE(runs_until(done));
  }

  /// Runs whatever is ready, and what that makes ready, but waits for nothing.
  void run_ready() {
    constexpr int kTurns = 5;
    int turns = 0;
    std::function<void()> turn = [&] {
      if (++turns == kTurns) {
        worker_.stop();
      } else {
        worker_.post(turn);
      }
    };
    worker_.post(turn);
    run();
  }

 private:
  template <class Done>
  bool runs_until(Done& done) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    net::Timer timer(worker_);
    bool holds = false;
    std::function<void()> look = [&] {
      holds = done();
      if (holds || std::chrono::steady_clock::now() >= deadline) {
        worker_.stop();
      } else {
        timer.expires_after(std::chrono::milliseconds(1), look);
      }
    };
    worker_.post(look);
    run();
    return holds;
  }

  void run() {
    worker_.io_context().restart();  // A Worker's loop runs once; a test's, as often as it waits.
    worker_.run();
  }

  net::Worker worker_{"test"};
};

}  // namespace stadion::tests
