// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace stadion::bench {

/// A chunk of 64 KiB; its bytes begin on the cache line after the link.
struct alignas(64) IdealChunk {
  static constexpr std::size_t kBytes = 64 * 1024;

  IdealChunk* next;

  std::uintptr_t begin() const noexcept { return reinterpret_cast<std::uintptr_t>(this + 1); }
  std::uintptr_t end() const noexcept { return reinterpret_cast<std::uintptr_t>(this) + kBytes; }
};

/// The chunks that this thread's disposed arenas left. Never given back: a destructor here would put
/// a check into every access, and the ideal pays for nothing it could do without.
inline constinit thread_local IdealChunk* ideal_chunks = nullptr;

/// The best that a simple bump allocator can be, as the measure for the others: no threads, no
/// limits, no destructors, no checks beyond the chunk's end.
///
/// Limits     One allocation is at most what a chunk holds; more throws std::bad_alloc.
/// Cost       alloc(): one compare and one add. Making pops a chunk, disposing pushes the chunks
///            back at once, however many there are.
class IdealArena {
 public:
  IdealArena() { open(*first_); }
  ~IdealArena() {
    current_->next = ideal_chunks;
    ideal_chunks = first_;
  }
  IdealArena(const IdealArena&) = delete;
  IdealArena& operator=(const IdealArena&) = delete;

  void* alloc(std::size_t bytes) {
    bytes = (bytes + kAlignment - 1) & ~(kAlignment - 1);  // Free when the size is a constant.
    const std::uintptr_t end = end_before_position();
    const std::uintptr_t start = position_;
    const std::uintptr_t stop = start + bytes;
    if (stop > end) [[unlikely]] {
      return alloc_from_next_chunk(bytes);
    }
    position_ = stop;
    return reinterpret_cast<void*>(start);
  }

  void* alloc(std::size_t bytes, std::size_t alignment) {
    bytes = (bytes + kAlignment - 1) & ~(kAlignment - 1);
    const std::uintptr_t end = end_before_position();
    const std::uintptr_t start = (position_ + alignment - 1) & ~(alignment - 1);
    const std::uintptr_t stop = start + bytes;
    if (stop > end) [[unlikely]] {
      return alloc_from_next_chunk(bytes);
    }
    position_ = stop;
    return reinterpret_cast<void*>(start);
  }

  /// Keeps the first chunk; the others go back at once.
  void clear() noexcept {
    if (current_ != first_) {
      current_->next = ideal_chunks;
      ideal_chunks = first_->next;
    }
    open(*first_);
  }

 private:
  static constexpr std::size_t kAlignment = 16;

  // Read before the position, and the compiler must not turn that round: a recent processor then
  // guesses best that the position is what the last allocation stored. Either way the instructions
  // are the same, but the loop over them takes 0.5 ns or, by luck, up to 2.4.
  std::uintptr_t end_before_position() const noexcept {
    const std::uintptr_t end = end_;
    asm volatile("" : : "r"(end) : "memory");
    return end;
  }

  static IdealChunk* take_chunk() {
    IdealChunk* chunk = ideal_chunks;
    if (chunk == nullptr) [[unlikely]] {
      void* memory = ::operator new (IdealChunk::kBytes, std::align_val_t{alignof(IdealChunk)});
      return ::new (memory) IdealChunk;
    }
    ideal_chunks = chunk->next;
    return chunk;
  }

  void open(IdealChunk& chunk) noexcept {
    current_ = &chunk;
    position_ = chunk.begin();
    end_ = chunk.end();
  }

  // A chunk begins on a cache line, which is all the alignment that is ever asked for.
  [[gnu::noinline]] void* alloc_from_next_chunk(std::size_t bytes) {
    if (bytes > IdealChunk::kBytes - sizeof(IdealChunk)) {
      throw std::bad_alloc();
    }
    IdealChunk* chunk = take_chunk();
    current_->next = chunk;
    open(*chunk);
    position_ += bytes;
    return reinterpret_cast<void*>(chunk->begin());
  }

  std::uintptr_t position_;
  std::uintptr_t end_;
  IdealChunk* first_ = take_chunk();
  IdealChunk* current_;
};

}  // namespace stadion::bench
