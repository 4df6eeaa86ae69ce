// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace stadion::tests {

/// A local of a handler under test: counts the handlers that began and have not ended, whichever way.
class LiveFrame {
 public:
  LiveFrame() noexcept { ++count_; }
  ~LiveFrame() { --count_; }

  LiveFrame(const LiveFrame&) = delete;
  LiveFrame& operator=(const LiveFrame&) = delete;

  static int count() noexcept { return count_; }

 private:
  static inline std::atomic<int> count_ = 0;
};

}  // namespace stadion::tests
