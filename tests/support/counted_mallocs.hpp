// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace stadion::tests {

/// How often this thread has called malloc and its kin, or operator new.
///
/// Requires   One file of the program stands in front of them and counts, as
///            tests/json/json_allocations_test.cpp does.
inline constinit thread_local std::uint64_t mallocs_of_thread = 0;

// Really read and written: compilers know that malloc changes no variable of ours.
inline std::uint64_t mallocs_so_far() noexcept {
  const volatile std::uint64_t& counted = mallocs_of_thread;
  return counted;
}
inline void count_malloc() noexcept {
  volatile std::uint64_t& counted = mallocs_of_thread;
  counted = counted + 1;
}

}  // namespace stadion::tests
