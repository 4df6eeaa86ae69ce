// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// What a byte may be in an HTTP message, by table. Internal to http/.
namespace stadion::http {

namespace detail {

enum CharacterClass : std::uint8_t {
  kToken = 1,        ///< tchar, RFC 9110 section 5.6.2.
  kFieldValue = 2,   ///< VCHAR, obs-text, SP and HTAB, RFC 9110 section 5.5.
  kRequestLine = 4,  ///< Visible ASCII and spaces, without '#': RFC 9112 section 3, and what
                     ///< browsers send unescaped besides.
  kHost = 8,         ///< Unescaped in a reg-name, RFC 3986 section 3.2.2, without ','.
};

constexpr std::array<std::uint8_t, 256> make_character_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&classes](std::string_view characters, std::uint8_t character_class) {
    for (const char character : characters) {
      classes[static_cast<unsigned char>(character)] |= character_class;
    }
  };
  constexpr std::string_view alphanumeric =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  add(alphanumeric, kToken | kHost);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~!$&'()*+;=", kHost);
  for (unsigned byte = 0x21; byte < 0x7F; ++byte) {
    classes[byte] |= kFieldValue | kRequestLine;
  }
  for (unsigned byte = 0x80; byte <= 0xFF; ++byte) {
    classes[byte] |= kFieldValue;
  }
  add(" \t", kFieldValue);
  add(" ", kRequestLine);
  classes['#'] &= static_cast<std::uint8_t>(~kRequestLine);
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kCharacterClasses = make_character_classes();

constexpr bool is_in(char character, CharacterClass character_class) noexcept {
  return (kCharacterClasses[static_cast<unsigned char>(character)] & character_class) != 0;
}

}  // namespace detail

constexpr bool is_token_character(char c) noexcept { return detail::is_in(c, detail::kToken); }
constexpr bool is_field_value_character(char c) noexcept {
  return detail::is_in(c, detail::kFieldValue);
}
constexpr bool is_request_line_character(char c) noexcept {
  return detail::is_in(c, detail::kRequestLine);
}
constexpr bool is_host_character(char c) noexcept { return detail::is_in(c, detail::kHost); }
constexpr bool is_whitespace(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// The digit's value, or -1.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace stadion::http
