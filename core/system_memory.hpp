// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace stadion {

/// Where arenas get their chunks from: by default the C library's aligned_alloc() and free(), from
/// 64 KiB on pages of their own, from 2 MiB on huge pages where the system has them.
///
/// Both functions are called from any thread; `bytes` is a multiple of kSystemMemoryAlignment, from
/// 64 KiB on of 4096. `allocate` answers null when there is no memory; the
/// alignment is kSystemMemoryAlignment.
struct SystemMemory {
  void* (*allocate)(std::size_t bytes) noexcept;
  void (*release)(void* memory, std::size_t bytes) noexcept;
};

inline constexpr std::size_t kSystemMemoryAlignment = 64;

/// Puts another source of memory in place and returns the one before, for tests that let the Nth
/// allocation fail and for services that want their arenas elsewhere.
///
/// Threads    Safe from any thread; but memory is given back to the source that is in place at that
///            time, so exchange only between sources that can release each other's memory, or while
///            Arena::process_bytes() is 0: no arena lives, and Arena::trim() was called (of other
///            threads' caches, they have ended or trimmed).
SystemMemory exchange_system_memory(SystemMemory source) noexcept;

namespace detail {
void* system_allocate(std::size_t bytes) noexcept;
void system_release(void* memory, std::size_t bytes) noexcept;
}  // namespace detail

}  // namespace stadion
