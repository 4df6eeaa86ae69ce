// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// A text in an arena that grows as its pieces come: where it stands, if nothing was allocated since.
/// Internal to http/.
///
/// Throws     ArenaFailed.
class GatheredText {
 public:
  explicit GatheredText(Arena& arena) noexcept : arena_(&arena) {}

  /// `bytes_max` bounds what is taken in advance, not what is appended.
  void append(std::string_view piece, std::size_t bytes_max) {
    const std::size_t needed = size_ + piece.size();
    if (needed > capacity_) {
      grow(std::max(needed, std::min(std::max(capacity_ * 2, kBytesMin), bytes_max)));
    }
    piece.copy(text_ + size_, piece.size());
    size_ = needed;
  }
  void clear() noexcept {
    text_ = nullptr;
    size_ = capacity_ = 0;
  }
  std::string_view text() const noexcept { return {text_, size_}; }

 private:
  static constexpr std::size_t kBytesMin = 1024;

  void grow(std::size_t capacity) {
    if (!arena_->extend(text_, capacity_, capacity)) {
      auto* larger = static_cast<char*>(arena_->alloc(capacity, 1));
      std::copy_n(text_, size_, larger);
      text_ = larger;
    }
    capacity_ = capacity;
  }

  Arena* arena_;
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace stadion::http
