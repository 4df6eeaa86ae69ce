// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// Puts a text together in an arena. Internal to http/.
///
/// Lifetime   The text is the arena's; it moves when more is added.
/// Throws     ArenaFailed.
/// Cost       Grows where it is as long as nothing else is allocated meanwhile, else by doubling.
class TextBuilder {
 public:
  explicit TextBuilder(Arena& arena, std::size_t bytes = 128)
      : arena_(arena), text_(static_cast<char*>(arena.alloc(bytes, 1))), capacity_(bytes) {}

  TextBuilder& add(std::string_view text) {
    std::copy(text.begin(), text.end(), room(text.size()));
    size_ += text.size();
    return *this;
  }
  TextBuilder& add(char character) { return add(std::string_view(&character, 1)); }
  TextBuilder& add_number(std::uint64_t number, int base = 10) {
    char digits[64];
    const char* end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    return add({digits, static_cast<std::size_t>(end - digits)});
  }
  /// "%2F": RFC 3986 section 2.1, with the capitals that it asks for.
  TextBuilder& add_percent(char byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto value = static_cast<unsigned char>(byte);
    return add('%').add(digits[value / 16]).add(digits[value % 16]);
  }

  std::string_view text() const noexcept { return {text_, size_}; }
  /// With a NUL behind it, which is not counted: for system calls.
  const char* c_str() {
    *room(1) = '\0';
    return text_;
  }

 private:
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) {
      grow(std::max(size_ + bytes, 2 * capacity_));
    }
    return text_ + size_;
  }
  void grow(std::size_t capacity) {
    if (!arena_.extend(text_, capacity_, capacity)) {
      char* larger = static_cast<char*>(arena_.alloc(capacity, 1));
      std::copy_n(text_, size_, larger);
      text_ = larger;
    }
    capacity_ = capacity;
  }

  Arena& arena_;
  char* text_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace stadion::http
