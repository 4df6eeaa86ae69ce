// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>

namespace stadion {

inline constexpr std::size_t kArenaChunkBytes = 64 * 1024;
inline constexpr std::size_t kArenaNoLimit = std::numeric_limits<std::size_t>::max();
/// One allocation is at most this large: 64 GiB.
inline constexpr std::size_t kArenaAllocationBytesMax = std::size_t{1} << 36;
inline constexpr std::size_t kArenaAlignmentMax = 4096;
/// What clear() keeps, unless told otherwise: 2 MiB.
inline constexpr std::size_t kArenaKeptBytesMax = 2 * 1024 * 1024;

struct ArenaOptions {
  /// Size of the first chunks, rounded up to a power of two from 1 KiB to 2 MiB. After every four
  /// chunks the next ones are twice as large, up to 2 MiB. Default is 64 KiB.
  std::size_t chunk_bytes = kArenaChunkBytes;
  /// Budget for all chunks together, those kept by clear() included; over it, allocation raises
  /// ArenaFailed. Default is no limit.
  std::size_t limit_bytes = kArenaNoLimit;
};

/// Where an arena's memory is.
struct ArenaStatistics {
  std::size_t bytes_used = 0;  ///< Handed out since the last clear(), gaps and rounding included.
  std::size_t bytes_used_max =
      0;  ///< The most that ever was; where several threads rewind scopes of
          ///< their own, the sum of each one's most.
  std::size_t bytes_reserved = 0;  ///< Of all chunks, in use or kept.
  std::size_t bytes_wasted = 0;    ///< Lost until the next clear(): headers, ends of full chunks.
  std::size_t chunks = 0;
  std::size_t lanes =
      0;  ///< Runs of chunks: the owner's, and one for each other thread that has allocated.
};

}  // namespace stadion
