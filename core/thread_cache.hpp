// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/chunk.hpp"
#include "core/thread_local.hpp"

/// The chunks that each thread keeps for its next arenas, without a lock; between it and the system
/// stands the depot. Internal to core/.
namespace stadion::detail {

/// What one thread keeps at the most: in this cache, and with its waiting arena states.
inline constexpr std::size_t kThreadKeptBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kThreadCacheBytesMax = kThreadKeptBytesMax / 4 * 3;
/// Chunks above this size bypass the threads' caches: one would push everything else out.
inline constexpr std::size_t kThreadCachedChunkBytesMax = 1024 * 1024;

/// The chunks themselves, by size; without a destructor, so that it outlives every other thread-local
/// object: those may hold arenas.
struct ThreadCache {
  enum class State : std::uint8_t { unborn, alive, ended };

  std::array<Chunk*, ChunkClass::kCount> chunks{};
  std::size_t bytes = kThreadCacheBytesMax;  ///< As if full while it may not be used.
  State state = State::unborn;

  Chunk* pop(std::size_t chunk_class) noexcept {
    Chunk* chunk = chunks[chunk_class];
    if (chunk != nullptr) {
      chunks[chunk_class] = chunk->next;
      bytes -= chunk->bytes;
    }
    return chunk;
  }
  void push(Chunk* chunk) noexcept {
    Chunk*& list = chunks[ChunkClass::of(chunk->bytes)];
    chunk->next = list;
    list = chunk;
    bytes += chunk->bytes;
  }
};
inline STADION_HOT_THREAD_LOCAL ThreadCache thread_cache{};

/// Why there is no chunk.
enum class ChunkRefusal : unsigned char { system, process_limit };

Chunk* acquire_chunk_elsewhere(std::size_t chunk_bytes, ChunkRefusal& refusal) noexcept;
void release_chunk_elsewhere(Chunk* chunk) noexcept;

/// A block of exactly `chunk_bytes`, which chunk_bytes_for() answered: from this thread's cache, the
/// depot or the system, in this order. Before it is refused (null), what this thread and the depot
/// keep is given back. Its payload is poisoned under AddressSanitizer.
inline Chunk* acquire_chunk(std::size_t chunk_bytes, ChunkRefusal& refusal) noexcept {
  if (chunk_bytes <= kThreadCachedChunkBytesMax) [[likely]] {
    if (Chunk* chunk = thread_cache.pop(ChunkClass::of(chunk_bytes))) [[likely]] {
      return chunk;
    }
  }
  return acquire_chunk_elsewhere(chunk_bytes, refusal);
}

/// Takes a block back whose payload is poisoned. From any thread, also from one that is ending.
inline void release_chunk(Chunk* chunk) noexcept {
  if (thread_cache.bytes + chunk->bytes <= kThreadCacheBytesMax &&
      chunk->bytes <= kThreadCachedChunkBytesMax) [[likely]] {
    thread_cache.push(chunk);
  } else {
    release_chunk_elsewhere(chunk);
  }
}

/// Before fork(), which must not meet the initialisation of a static in another thread.
void prepare_thread_cache_for_fork() noexcept;

/// Gives this thread's cached chunks and those of the depot back to the system. Answers whether
/// there were any.
bool trim_caches() noexcept;

}  // namespace stadion::detail
