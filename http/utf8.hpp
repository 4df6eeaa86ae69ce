// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

/// Internal to http/.
namespace stadion::http {

/// A code point, and how many bytes it stands in. Where the text's first bytes are none, those up
/// to where another may begin.
struct Utf8Character {
  char32_t point = 0;
  std::size_t bytes = 1;
  bool is_valid = false;
};

/// The text's first character: neither an overlong form nor a surrogate is one (RFC 3629 section
/// 3). Requires a text that is not empty.
constexpr Utf8Character first_character(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return {.point = lead, .bytes = 1, .is_valid = true};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {};
  }
  const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t point = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(i < text.size() ? text[i] : 0);
    // The second byte rules out overlong forms, surrogates, and what is beyond U+10FFFF.
    const unsigned from = i > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned to = i > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (next < from || next > to) {
      return {.bytes = i};
    }
    point = (point << 6) | (next & 0x3Fu);
  }
  return {.point = point, .bytes = bytes, .is_valid = true};
}

}  // namespace stadion::http
