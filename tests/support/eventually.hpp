// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <thread>

namespace stadion::tests {

/// How long a test waits for what must happen before it calls that a failure: long enough for a
/// sanitizer on a busy machine. Nothing waits for all of it unless it fails.
inline constexpr std::chrono::seconds kPatience{20};

/// Waits until the condition holds; false when it still does not after kPatience.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace stadion::tests
