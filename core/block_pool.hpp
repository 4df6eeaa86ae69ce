// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>

#include "core/arena.hpp"
#include "core/poison.hpp"

namespace stadion {

/// Blocks of one size, carved from an arena and recycled: acquiring and releasing for ever does not
/// grow the arena.
///
/// Lifetime   The arena outlives the pool. A block is valid until it is released or the arena
///            cleared; a released block is poisoned.
/// Threads    One at a time.
/// Throws     ArenaFailed when none is free and the arena is short of memory.
class BlockPool {
 public:
  BlockPool(Arena& arena, std::size_t block_bytes,
            std::size_t alignment = alignof(std::max_align_t)) noexcept
      : arena_(&arena),
        // What no arena can hold stays so when acquire() adds to it: it raises ArenaFailed.
        block_bytes_(std::min(block_bytes, kArenaAllocationBytesMax)),
        alignment_(std::max(alignment, sizeof(Link))) {}

  [[nodiscard]] void* acquire() {
    if (void* block = acquire_released()) {
      return block;
    }
    char* memory = static_cast<char*>(arena_->alloc(alignment_ + block_bytes_, alignment_));
    ++carved_;
    return memory + alignment_;
  }
  /// One that was released; null where there is none.
  [[nodiscard]] void* acquire_released() noexcept {
    if (free_ == nullptr) {
      return nullptr;
    }
    void* block = reinterpret_cast<char*>(free_) + sizeof(Link);
    free_ = free_->next;
    detail::unpoison(block, block_bytes_);
    return block;
  }

  void release(void* block) noexcept {
    detail::scrub(block, block_bytes_);
    free_ = ::new (static_cast<char*>(block) - sizeof(Link)) Link{free_};
  }

  std::size_t block_bytes() const noexcept { return block_bytes_; }
  /// How many blocks were taken from the arena so far, in use or free.
  std::size_t carved() const noexcept { return carved_; }

 private:
  /// Right before each free block, not in it, so that the whole block can be poisoned.
  struct alignas(std::max_align_t) Link {
    Link* next;
  };

  Arena* arena_;
  std::size_t block_bytes_;
  std::size_t alignment_;
  std::size_t carved_ = 0;
  Link* free_ = nullptr;
};

}  // namespace stadion
