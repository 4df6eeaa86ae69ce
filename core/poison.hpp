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

#ifdef STADION_VALGRIND
#include <valgrind/memcheck.h>
#endif

/// Makes a stale pointer into arena memory visible where it is used (document Rule 1).
namespace stadion::detail {

/// Under AddressSanitizer, and under valgrind in a build with STADION_VALGRIND, every access is
/// reported until unpoison().
inline void poison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(STADION_ASAN)
  __asan_poison_memory_region(memory, bytes);
#elif defined(STADION_VALGRIND)
  VALGRIND_MAKE_MEM_NOACCESS(memory, bytes);
#endif
}

inline void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(STADION_ASAN)
  __asan_unpoison_memory_region(memory, bytes);
#elif defined(STADION_VALGRIND)
  VALGRIND_MAKE_MEM_UNDEFINED(memory, bytes);
#endif
}

/// For memory that has just been given up: poisoned where that is possible; in other debug builds
/// overwritten, so that what a stale pointer reads is plainly wrong (0xDD…) instead of plausible.
inline void scrub([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(STADION_ASAN) || defined(STADION_VALGRIND)
  poison(memory, bytes);
#elif !defined(NDEBUG)
  std::memset(memory, 0xDD, bytes);
#endif
}

// The same for memory that is carved from a block: valgrind then knows of each piece where it was
// handed out and, when it is used too late, where it was taken back.

/// `block` begins, or ends, to be one that pieces are carved from.
inline void begin_carving([[maybe_unused]] void* block) noexcept {
#ifdef STADION_VALGRIND
  VALGRIND_CREATE_MEMPOOL(block, 0, 0);
#endif
}
inline void end_carving([[maybe_unused]] void* block) noexcept {
#ifdef STADION_VALGRIND
  VALGRIND_DESTROY_MEMPOOL(block);
#endif
}

inline void hand_out([[maybe_unused]] void* block, void* memory, std::size_t bytes) noexcept {
#ifdef STADION_VALGRIND
  if (block != nullptr) {  // Nothing was handed out of nowhere.
    VALGRIND_MEMPOOL_ALLOC(block, memory, bytes);
  }
#else
  unpoison(memory, bytes);
#endif
}

/// Of the last piece that was handed out.
inline void resize([[maybe_unused]] void* block, void* memory, std::size_t bytes,
                   std::size_t new_bytes) noexcept {
#ifdef STADION_VALGRIND
  VALGRIND_MEMPOOL_CHANGE(block, memory, memory, new_bytes);
#endif
  if (new_bytes > bytes) {
    unpoison(static_cast<char*>(memory) + bytes, new_bytes - bytes);
  } else {
    scrub(static_cast<char*>(memory) + new_bytes, bytes - new_bytes);
  }
}

/// All pieces from `memory` on, which lie in the `bytes` there.
inline void take_back([[maybe_unused]] void* block, void* memory, std::size_t bytes) noexcept {
#ifdef STADION_VALGRIND
  VALGRIND_MEMPOOL_TRIM(block, block, static_cast<char*>(memory) - static_cast<char*>(block));
#endif
  scrub(memory, bytes);
}

}  // namespace stadion::detail
