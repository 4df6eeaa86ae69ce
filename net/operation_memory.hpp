// SPDX-License-Identifier: MIT
#pragma once

/// Where Asio keeps the operations of this layer, so that it allocates none of them. Internal to
/// net/.

#include <cstddef>
#include <new>

namespace stadion::net::detail {

/// The memory of the one operation of a kind that can be under way. Asio frees it before it calls
/// the handler, so that the next operation, which the handler starts, finds it free.
template <std::size_t kBytes>
class OperationMemory {
 public:
  void* allocate(std::size_t bytes) {
    if (!in_use_ && bytes <= kBytes) {
      in_use_ = true;
      return bytes_;
    }
    return ::operator new(bytes);
  }
  void deallocate(void* memory) noexcept {
    if (memory == bytes_) {
      in_use_ = false;
    } else {
      ::operator delete(memory);
    }
  }

 private:
  alignas(std::max_align_t) std::byte bytes_[kBytes];
  bool in_use_ = false;
};

/// The memory of operations of which several can be under way: a block that was freed serves the
/// next, so that the heap is asked only for the most there ever were at a time.
class RecycledMemory {
 public:
  RecycledMemory() noexcept = default;
  ~RecycledMemory() {
    while (free_ != nullptr) {
      Block* block = free_;
      free_ = block->next;
      ::operator delete(block);
    }
  }

  RecycledMemory(const RecycledMemory&) = delete;
  RecycledMemory& operator=(const RecycledMemory&) = delete;

  void* allocate(std::size_t bytes) {
    if (bytes > kBlockBytes) {
      throw std::bad_alloc();  // Of no operation that this layer starts.
    }
    if (free_ == nullptr) {
      return ::operator new(kBlockBytes);
    }
    Block* block = free_;
    free_ = block->next;
    return block;
  }
  void deallocate(void* memory) noexcept { free_ = ::new (memory) Block{free_}; }
  /// One block more that is free: for who must not be refused one.
  void reserve() { deallocate(::operator new(kBlockBytes)); }

 private:
  static constexpr std::size_t kBlockBytes = 256;

  /// In the first bytes of a free block.
  struct Block {
    Block* next;
  };

  Block* free_ = nullptr;
};

/// Tells Asio to keep an operation in `Memory`, which outlives it.
template <class T, class Memory>
struct OperationAllocator {
  using value_type = T;
  template <class U>
  struct rebind {
    using other = OperationAllocator<U, Memory>;
  };

  explicit OperationAllocator(Memory& operation_memory) noexcept : memory(&operation_memory) {}
  template <class U>
  OperationAllocator(const OperationAllocator<U, Memory>& other) noexcept : memory(other.memory) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory->allocate(count * sizeof(T))); }
  void deallocate(T* object, std::size_t /*count*/) noexcept { memory->deallocate(object); }
  bool operator==(const OperationAllocator&) const noexcept = default;

  Memory* memory;
};

}  // namespace stadion::net::detail
