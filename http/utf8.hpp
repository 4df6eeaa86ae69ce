// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

/// Reads UTF-8 (RFC 3629). Internal to http/.
namespace stadion::http {

/// A character at the beginning of a text.
struct Utf8Character {
  char32_t code_point = 0;
  std::size_t bytes = 0;  ///< 0: what is there is not valid UTF-8.
};

/// The first character of a text that is not empty. Overlong forms, surrogates and what is beyond
/// U+10FFFF are not valid.
constexpr Utf8Character first_utf8_character(std::string_view text) noexcept {
  const auto byte_at = [text](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t first = byte_at(0);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) {
    return {};
  }
  char32_t code_point = first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(i) >> 6) != 2) {
      return {};
    }
    code_point = code_point << 6 | (byte_at(i) & 0x3F);
  }
  const char32_t smallest = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest || code_point > 0x10FFFF || is_surrogate) {
    return {};
  }
  return {code_point, bytes};
}

}  // namespace stadion::http
