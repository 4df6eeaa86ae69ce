// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define STADION_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STADION_ASAN 1
#endif
#endif

#ifdef STADION_ASAN
#include <sanitizer/asan_interface.h>
#endif

/// Makes a stale pointer into arena memory visible where it is used (document Rule 1).
namespace stadion::detail {

/// Under AddressSanitizer every access is reported until unpoison().
inline void poison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef STADION_ASAN
  __asan_poison_memory_region(memory, bytes);
#endif
}

inline void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef STADION_ASAN
  __asan_unpoison_memory_region(memory, bytes);
#endif
}

/// For memory that has just been given up: poisoned under AddressSanitizer; in other debug builds
/// overwritten, so that what a stale pointer reads is plainly wrong (0xDD…) instead of plausible.
inline void scrub([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef STADION_ASAN
  poison(memory, bytes);
#elif !defined(NDEBUG)
  std::memset(memory, 0xDD, bytes);
#endif
}

}  // namespace stadion::detail
