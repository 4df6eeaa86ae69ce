// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>

namespace stadion::tests {

/// Ends a fuzz target that has found something, so that the fuzzer keeps the input.
inline void expect(bool condition, const char* what) noexcept {
  if (!condition) {
    std::fprintf(stderr, "fuzz: expected that %s\n", what);
    std::abort();
  }
}

}  // namespace stadion::tests
