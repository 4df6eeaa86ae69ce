// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/chunk.hpp"
#include "core/poison.hpp"
#include "core/thread_id.hpp"

/// A run of chunks from which one thread bumps. Internal to core/.
namespace stadion::detail {

/// Sizes are rounded up to this: what follows is then aligned for every fundamental type without
/// arithmetic, which is a third of the work of an allocation.
inline constexpr std::size_t kArenaGranuleBytes = 16;

constexpr std::size_t round_to_granule(std::size_t bytes) noexcept {
  return (bytes + kArenaGranuleBytes - 1) & ~(kArenaGranuleBytes - 1);
}

/// Where a lane stands that has no chunk: nowhere, but not at the null pointer, for that is where an
/// allocation of no bytes is then. Aligned as the end of a chunk is.
inline constexpr std::uintptr_t kNowhere = 64;

/// Stands before an object whose destructor is to be run.
struct Obligation {
  void (*destroy)(Obligation* obligation) noexcept;
  Obligation* earlier;
};

/// Where a lane stood: what came later can be taken back.
struct LaneMark {
  Chunk* current = nullptr;
  std::uintptr_t position = kNowhere;
  std::size_t bytes_before = 0;
  std::size_t blocks_in_use = 0;
  Chunk* large = nullptr;
  Obligation* obligations = nullptr;
};

/// The chunks from `first` to `current` are in use, those after it were used before and are kept;
/// `large` blocks hold one allocation each.
struct Lane {
  std::uintptr_t position = kNowhere;  ///< A multiple of kArenaGranuleBytes.
  std::uintptr_t end = kNowhere;       ///< A multiple of 64.
  Chunk* current = nullptr;
  Obligation* obligations = nullptr;
  std::size_t bytes_before = 0;  ///< Handed out of chunks before `current` and of large blocks.
  Chunk* first = nullptr;
  Chunk* large = nullptr;         ///< The newest first.
  std::size_t blocks_in_use = 0;  ///< Chunks and large ones: the next chunk's size grows with it.
  std::size_t used_max = 0;       ///< The most bytes_used() that was seen before a rewind().
  unsigned scope_count = 0;       ///< How many ArenaScopes are open.
  /// Where the innermost of them began: what is older must not grow or shrink.
  Chunk* scope_chunk = nullptr;
  std::uintptr_t scope_position = 0;

  constexpr Lane() noexcept = default;
  /// With the chunk, if any, open and nothing handed out of it.
  explicit Lane(Chunk* chunk) noexcept
      : position(chunk != nullptr ? reinterpret_cast<std::uintptr_t>(chunk->begin()) : kNowhere),
        end(chunk != nullptr ? reinterpret_cast<std::uintptr_t>(chunk->end()) : kNowhere),
        current(chunk),
        first(chunk),
        blocks_in_use(chunk != nullptr ? 1 : 0) {}

  void* bump(std::size_t bytes, std::size_t alignment) noexcept;
  /// Whether nothing was handed out behind this.
  bool ends_with(const void* memory, std::size_t bytes) const noexcept {
    return reinterpret_cast<std::uintptr_t>(memory) + round_to_granule(bytes) == position;
  }
  bool extend(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept;
  /// Also those of another lane, as newer ones.
  void push_obligations(Lane& other) noexcept;
  void push_obligation(Obligation& obligation) noexcept {
    obligation.earlier = obligations;
    obligations = &obligation;
  }

  std::size_t bytes_used() const noexcept {
    return bytes_before +
           (current != nullptr ? position - reinterpret_cast<std::uintptr_t>(current->begin()) : 0);
  }
  std::size_t bytes_used_max() const noexcept;
  /// The chunk that comes after the current one, when one is kept.
  Chunk* kept() const noexcept { return current != nullptr ? current->next : first; }
  void open(Chunk& chunk) noexcept {
    bytes_before = bytes_used();
    current = &chunk;
    position = reinterpret_cast<std::uintptr_t>(chunk.begin());
    end = reinterpret_cast<std::uintptr_t>(chunk.end());
    ++blocks_in_use;
  }
  /// Puts the chunk right after the current one, before those that are kept.
  void append(Chunk& chunk) noexcept {
    chunk.next = kept();
    (current != nullptr ? current->next : first) = &chunk;
  }
  LaneMark mark() const noexcept {
    return {current, position, bytes_before, blocks_in_use, large, obligations};
  }
  /// Takes back what was handed out of the only chunk.
  void restart() noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(first->begin());
    take_back(first, first->begin(), position - begin);
    position = begin;
    blocks_in_use = 1;
    used_max = 0;
  }
  void destroy_down_to(const Obligation* earlier) noexcept;
  /// Requires that the destructors were run and the large blocks freed down to the mark.
  void rewind(const LaneMark& mark) noexcept;
};

/// The lane of a thread that was not the arena's owner when it began; it lives in its own first chunk.
struct OtherLane : Lane {
  explicit OtherLane(OtherLane* next) noexcept : thread(this_thread_id()), older(next) {}

  const std::uint64_t thread;
  OtherLane* older;
  LaneMark origin;  ///< Right after this lane itself.
};

inline void* Lane::bump(std::size_t bytes, std::size_t alignment) noexcept {
  const std::uintptr_t limit = end;
  // The position is read after the end, and the compiler must not turn that round: recent processors
  // then guess best that it is what the last allocation stored, and a run of allocations takes 0.7
  // ns each instead of, by luck, up to 2.4.
  asm volatile("" : : "r"(limit) : "memory");
  std::uintptr_t start = position;
  if (alignment > kArenaGranuleBytes) {
    start = (start + alignment - 1) & ~(alignment - 1);
    // Only an alignment above that of a chunk's end can pass it.
    if (alignment > 64 && start > limit) [[unlikely]] {
      return nullptr;
    }
  }
  // Compared as the room that is left, so that no size can overflow; the room is a multiple of the
  // granule, so what fits also fits when it is rounded up.
  if (bytes > limit - start) [[unlikely]] {
    return nullptr;
  }
  position = start + round_to_granule(bytes);
  auto* memory = reinterpret_cast<void*>(start);
  hand_out(current, memory, bytes);
  if (memory == nullptr) {
    __builtin_unreachable();  // Not even without a chunk; saves the caller a second test.
  }
  return memory;
}

}  // namespace stadion::detail
