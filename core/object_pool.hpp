// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "core/block_pool.hpp"

namespace stadion {

/// Objects of one type in an arena, recycled: a BlockPool that constructs and destroys.
///
/// Lifetime   The arena outlives the pool. An object lives until it is released; what is never
///            released is not destroyed, its memory goes with the arena.
/// Threads    One at a time.
/// Throws     ArenaFailed, and what a constructor throws; the memory is then free again.
template <class T>
class ObjectPool {
 public:
  explicit ObjectPool(Arena& arena) noexcept : blocks_(arena, sizeof(T), alignof(T)) {}

  template <class... Args>
  T& acquire(Args&&... args) {
    void* block = blocks_.acquire();
    try {
      return *std::construct_at(static_cast<T*>(block), std::forward<Args>(args)...);
    } catch (...) {
      blocks_.release(block);
      throw;
    }
  }

  void release(T& object) noexcept {
    std::destroy_at(&object);
    blocks_.release(&object);
  }

 private:
  BlockPool blocks_;
};

}  // namespace stadion
