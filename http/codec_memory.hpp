// SPDX-License-Identifier: MIT
#pragma once

#include <csetjmp>
#include <cstddef>

#include "core/arena.hpp"

namespace stadion::http {

/// What a compression library gets for malloc and free: memory of an arena. Internal to http/.
///
/// What the library frees waits here for its next allocation. Brotli allocates anew for each part
/// of a body; so a body of any length is coded in the memory of its first parts.
///
/// Lifetime   The arena's: nothing has to be given back.
/// Limits     `bytes_max` for all that is not freed, and what waits.
class CodecMemory {
 public:
  explicit CodecMemory(Arena& arena, std::size_t bytes_max = kArenaNoLimit) noexcept
      : arena_(&arena), bytes_left_(bytes_max) {}

  /// The library keeps a pointer to it.
  CodecMemory(const CodecMemory&) = delete;
  CodecMemory& operator=(const CodecMemory&) = delete;

  /// The hooks, in the forms that C libraries want: `memory` is the CodecMemory. Null when there is
  /// no memory; they never throw, for an exception must not pass through C.
  static void* allocate(void* memory, std::size_t bytes) noexcept;
  static void* allocate_array(void* memory, unsigned count, unsigned bytes) noexcept;
  static void release(void* memory, void* block) noexcept;

  /// Whether an allocation was refused because of bytes_max.
  bool is_over_limit() const noexcept { return is_over_limit_; }
  /// Throws ArenaFailed when the arena refused an allocation: to be called once the library has
  /// returned.
  void raise_refusal() const;

  /// Calls a library that ends the program when there is no memory, as brotli's encoder does; false
  /// when it would have. Then its frames were skipped, and its state must not be used any more.
  /// Requires a call that has nothing to destroy.
  template <class Call>
  [[nodiscard]] bool survives(Call call) noexcept {
    std::jmp_buf way_out;
    if (setjmp(way_out) != 0) {
      way_out_ = nullptr;
      return false;
    }
    way_out_ = &way_out;
    call();
    way_out_ = nullptr;
    return true;
  }

 private:
  /// In front of what the library gets.
  struct alignas(std::max_align_t) Block {
    Block* next;
    std::size_t bytes;
  };

  void* take_freed(std::size_t bytes) noexcept;
  void* take_new(std::size_t bytes) noexcept;
  void* refuse() noexcept;

  Arena* arena_;
  std::size_t bytes_left_;
  std::size_t bytes_refused_ = 0;
  bool is_over_limit_ = false;
  Block* freed_ = nullptr;
  std::jmp_buf* way_out_ = nullptr;
};

}  // namespace stadion::http
