// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>

namespace stadion::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file,
                                          int line) noexcept {
  std::fprintf(stderr, "stadion: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace stadion::detail

/// Checks a precondition of our own in debug builds; never what a peer sent, which is reported
/// instead.
#ifdef NDEBUG
#define STADION_ASSERT(condition) static_cast<void>(0)
#else
#define STADION_ASSERT(condition)     \
  ((condition) ? static_cast<void>(0) \
               : ::stadion::detail::assertion_failed(#condition, __FILE__, __LINE__))
#endif
