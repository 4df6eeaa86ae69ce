// SPDX-License-Identifier: MIT
#pragma once

#include "core/poison.hpp"

namespace stadion::tests {

/// Whether the framework marked this memory as given up: poisoned under AddressSanitizer, 0xDD in
/// other debug builds. Release builds, and those for valgrind (which knows by itself), mark nothing,
/// and this holds of anything.
inline bool is_given_up([[maybe_unused]] const void* memory) noexcept {
#ifdef STADION_ASAN
  return __asan_address_is_poisoned(memory) != 0;
#elif !defined(NDEBUG) && !defined(STADION_VALGRIND)
  return *static_cast<const unsigned char*>(memory) == 0xDD;
#else
  return true;
#endif
}

}  // namespace stadion::tests
