// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "core/chunk.hpp"

/// Chunks that all threads share: a bounded store between their caches and the system. Internal to
/// core/.
namespace stadion::detail {

/// What the depot holds at the most.
inline constexpr std::size_t kDepotBytesMax = 8 * 1024 * 1024;

/// Stores a list of recycled chunks (linked by `next`); what is over kDepotBytesMax goes back to the
/// system.
void depot_store(Chunk* list) noexcept;
/// A list of chunks of exactly `chunk_bytes`, which are at most kRecycledChunkBytesMax: as many as
/// fit into `bytes_max`, but one if there is any. Null when there is none.
Chunk* depot_take(std::size_t chunk_bytes, std::size_t bytes_max) noexcept;
/// Gives everything back to the system. Answers whether there was something.
bool depot_trim() noexcept;

/// A new block, charged to the process limit; or null, and `over_limit` says whether it was the
/// limit or the system that refused. Its payload is poisoned under AddressSanitizer.
Chunk* chunk_from_system(std::size_t chunk_bytes, bool& over_limit) noexcept;
void chunk_to_system(Chunk* chunk) noexcept;
void chunks_to_system(Chunk* list) noexcept;

/// Bytes taken from the system and not given back: in arenas, waiting ones included, threads' caches
/// and the depot.
std::size_t process_bytes() noexcept;
std::size_t process_limit_bytes() noexcept;
std::size_t exchange_process_limit_bytes(std::size_t limit_bytes) noexcept;

/// Around fork(), so that the child finds the depot in a state it can use.
void depot_lock() noexcept;
void depot_unlock() noexcept;

}  // namespace stadion::detail
