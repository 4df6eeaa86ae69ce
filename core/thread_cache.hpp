// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

/// What each thread keeps for its arenas: recycled chunks and counters. Internal to core/.
namespace stadion::detail {

/// The header at the start of a block of memory that arenas carve; its payload follows. Blocks are
/// kSystemMemoryAlignment-aligned.
struct alignas(16) Chunk {
  Chunk* next;
  std::size_t bytes;  ///< Of the whole block, this header included.

  char* begin() noexcept { return reinterpret_cast<char*>(this + 1); }
  char* end() noexcept { return reinterpret_cast<char*>(this) + bytes; }
  std::size_t capacity() const noexcept { return bytes - sizeof(Chunk); }
};

/// Chunk sizes in this range are powers of two and recycled; larger blocks come from and go to the
/// system at once.
inline constexpr std::size_t kRecycledChunkBytesMin = 1024;
inline constexpr std::size_t kRecycledChunkBytesMax = 1024 * 1024;
/// What one thread's cache holds at the most.
inline constexpr std::size_t kThreadCacheBytesMax = 2 * 1024 * 1024;

/// The size of the block to ask for when `bytes` (header included) are needed.
std::size_t chunk_bytes_for(std::size_t bytes) noexcept;

/// A block of exactly `bytes`, which chunk_bytes_for() answered; null when the system has no
/// memory. Its payload is poisoned under AddressSanitizer.
Chunk* acquire_chunk(std::size_t bytes) noexcept;
void release_chunk(Chunk* chunk) noexcept;
/// Gives this thread's cached chunks back to the system.
void trim_thread_cache() noexcept;

/// A thread's number: counted from 1 and never used again, so that a dead owner is never mistaken
/// for a new thread.
std::uint64_t assign_thread_id() noexcept;
/// 0 until assign_thread_id() was called on this thread.
inline constinit thread_local std::uint64_t thread_id = 0;
inline std::uint64_t this_thread_id() noexcept {
  return thread_id != 0 ? thread_id : assign_thread_id();
}

/// Counters are per thread and summed when read: a shared one would cost the hot path a contended
/// cache line.
void count_live_arenas(std::int64_t change) noexcept;
std::size_t live_arenas() noexcept;
std::size_t bytes_in_arenas() noexcept;

}  // namespace stadion::detail
