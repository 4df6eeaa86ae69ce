// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>

#include "apps/bench/arena/contestant.hpp"
#include "apps/bench/arena/shared_objects.hpp"

/// The contestants of the malloc type: each allocation is freed by its pointer.
namespace stadion::bench {

/// A heap used as an arena: whoever has many allocations must remember them to free them, so the
/// array of pointers is part of the cost. It is there before anything is timed.
template <std::size_t allocations_max, class Heap>
class HeapArena : public ContestantDefaults {
 public:
  static constexpr const char* kName = Heap::kName;
  static constexpr Sharing kSharing = Sharing::own_pointers;

  HeapArena() noexcept {}  // Not defaulted: the pointers stay uninitialised.
  ~HeapArena() { clear(); }
  HeapArena(const HeapArena&) = delete;
  HeapArena& operator=(const HeapArena&) = delete;

  void* alloc(std::size_t bytes) { return pointers_[count_++] = Heap::alloc(bytes); }

  void* alloc(std::size_t bytes, std::size_t alignment) {
    // A heap aligns to 16 only what can be an object of that alignment.
    const bool is_aligned_anyway = alignment <= 8 || (alignment == 16 && bytes >= 16);
    return pointers_[count_++] =
               is_aligned_anyway ? Heap::alloc(bytes) : Heap::alloc_aligned(bytes, alignment);
  }

  void clear() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      Heap::free(pointers_[i]);
    }
    count_ = 0;
  }

 private:
  std::size_t count_ = 0;
  void* pointers_[allocations_max];
};

struct MallocHeap {
  static constexpr const char* kName = "malloc";
  static void* alloc(std::size_t bytes) { return std::malloc(bytes); }
  static void* alloc_aligned(std::size_t bytes, std::size_t alignment) {
    return std::aligned_alloc(alignment, bytes);
  }
  static void free(void* memory) { std::free(memory); }
};

struct MimallocHeap {
  static constexpr const char* kName = "mimalloc";
  static void* alloc(std::size_t bytes) { return mimalloc_heap.alloc(bytes); }
  static void* alloc_aligned(std::size_t bytes, std::size_t alignment) {
    return mimalloc_heap.alloc_aligned(bytes, alignment);
  }
  static void free(void* memory) { mimalloc_heap.free(memory); }
};

struct JemallocHeap {
  static constexpr const char* kName = "jemalloc";
  static void* alloc(std::size_t bytes) { return jemalloc_heap.alloc(bytes); }
  static void* alloc_aligned(std::size_t bytes, std::size_t alignment) {
    return jemalloc_heap.alloc_aligned(bytes, alignment);
  }
  static void free(void* memory) { jemalloc_heap.free(memory); }
};

template <std::size_t allocations_max>
using Malloc = HeapArena<allocations_max, MallocHeap>;
template <std::size_t allocations_max>
using Mimalloc = HeapArena<allocations_max, MimallocHeap>;
template <std::size_t allocations_max>
using Jemalloc = HeapArena<allocations_max, JemallocHeap>;

}  // namespace stadion::bench
