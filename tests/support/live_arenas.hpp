// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cstddef>

#include "core/arena.hpp"

namespace stadion::tests {

/// A fixture that fails every test case which leaves an arena, or memory in one, behind:
/// `TEST_CASE_FIXTURE(LiveArenas, "…")`.
///
/// Source     Document "Debugging Memory Issues".
class LiveArenas {
 public:
  LiveArenas() = default;
  ~LiveArenas() {
    const bool has_leaked = Arena::debug_live_count() != count_before_;
    CHECK_MESSAGE(!has_leaked, "the test case leaked an arena, or disposed another's");
    if (has_leaked) {
      for (const LiveArena& arena : Arena::debug_live()) {
        MESSAGE(to_string(arena));
      }
    }
    CHECK_MESSAGE(Arena::debug_live_bytes() == bytes_before_, "the test case leaked chunks");
  }

  LiveArenas(const LiveArenas&) = delete;
  LiveArenas& operator=(const LiveArenas&) = delete;

 private:
  std::size_t count_before_ = Arena::debug_live_count();
  std::size_t bytes_before_ = Arena::debug_live_bytes();
};

}  // namespace stadion::tests
