// SPDX-License-Identifier: MIT
#pragma once

#include <memory_resource>

#include "core/arena.hpp"

namespace stadion {

/// Lets standard containers live in an arena: `std::pmr::vector<int> numbers(&resource);`
///
/// Deallocation does nothing; the memory returns with the arena. A container that grows leaves its
/// old blocks behind, so reserve where the size is known.
///
/// Lifetime   The arena outlives the resource, the resource the containers; they may stay
///            undestroyed when their elements hold nothing but memory of the same arena.
/// Threads    Those of Arena::alloc().
/// Throws     ArenaFailed.
class ArenaResource final : public std::pmr::memory_resource {
 public:
  explicit ArenaResource(Arena& arena) noexcept : arena_(&arena) {}

  Arena& arena() const noexcept { return *arena_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return arena_->alloc(bytes, alignment, SourceLocation{});
  }
  void do_deallocate(void* /*memory*/, std::size_t /*bytes*/, std::size_t /*alignment*/) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    const auto* same_kind = dynamic_cast<const ArenaResource*>(&other);
    return same_kind != nullptr && same_kind->arena_ == arena_;
  }

  Arena* arena_;
};

}  // namespace stadion
