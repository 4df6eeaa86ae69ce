// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>

#include "core/assert.hpp"

/// The blocks of memory that arenas carve, and their sizes. Internal to core/.
namespace stadion::detail {

/// The header at the start of a block; its payload follows. Blocks are
/// kSystemMemoryAlignment-aligned and their sizes multiples of it, so both ends are.
struct alignas(16) Chunk {
  Chunk* next;
  std::size_t bytes;  ///< Of the whole block, this header included.

  char* begin() noexcept { return reinterpret_cast<char*>(this + 1); }
  char* end() noexcept { return reinterpret_cast<char*>(this) + bytes; }
  std::size_t capacity() const noexcept { return bytes - sizeof(Chunk); }
};

inline constexpr std::size_t kChunkBytesMin = 1024;
/// Blocks up to this size are recycled; larger ones come from and go to the system at once.
inline constexpr std::size_t kRecycledChunkBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kPageBytes = 4096;

/// The sizes of recycled blocks: four to each doubling, so that at most a fifth of a block is slack.
class ChunkClass {
 public:
  /// 1, 1.25, 1.5, 1.75 KiB, 2 KiB, … 2 MiB.
  static constexpr std::size_t kCount = 45;

  /// `chunk_bytes` is one that chunk_bytes_for() answered, and at most kRecycledChunkBytesMax.
  static constexpr std::size_t of(std::size_t chunk_bytes) noexcept {
    STADION_ASSERT(chunk_bytes >= kChunkBytesMin && chunk_bytes <= kRecycledChunkBytesMax);
    const auto width = static_cast<std::size_t>(std::bit_width(chunk_bytes - 1));
    return (width - kSmallestWidth) * 4 + ((chunk_bytes - 1) >> (width - 3)) - 7;
  }

 private:
  static constexpr std::size_t kSmallestWidth = std::bit_width(kChunkBytesMin - 1);
};

/// The size of the block to ask for when `bytes` (header included) are needed.
constexpr std::size_t chunk_bytes_for(std::size_t bytes) noexcept {
  if (bytes <= kChunkBytesMin) {
    return kChunkBytesMin;
  }
  const std::size_t step = bytes <= kRecycledChunkBytesMax
                               ? std::size_t{1} << (std::bit_width(bytes - 1) - 3)
                               : kPageBytes;
  return (bytes + step - 1) / step * step;
}

static_assert(ChunkClass::of(kChunkBytesMin) == 0);
static_assert(ChunkClass::of(kRecycledChunkBytesMax) == ChunkClass::kCount - 1);

}  // namespace stadion::detail
