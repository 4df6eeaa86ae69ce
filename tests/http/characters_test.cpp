// SPDX-License-Identifier: MIT
#include "http/characters.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <string_view>

namespace stadion::http {
namespace {

/// Calls `check(character, byte)` for all 256.
template <class Check>
void for_each_byte(Check&& check) {
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    CAPTURE(byte);
    check(static_cast<char>(byte), byte);
  }
}

bool is_alphanumeric(unsigned byte) {
  return byte < 0x80 && std::isalnum(static_cast<int>(byte)) != 0;
}

bool is_one_of(std::string_view characters, char c) {
  return characters.find(c) != std::string_view::npos;
}

TEST_CASE("characters: a token's [RFC 9110 §5.6.2]") {
  for_each_byte([](char c, unsigned byte) {
    CHECK(is_token_character(c) == (is_alphanumeric(byte) || is_one_of("!#$%&'*+-.^_`|~", c)));
  });
}

TEST_CASE("characters: a field value's: all but controls, tab among them [RFC 9110 §5.5]") {
  for_each_byte([](char c, unsigned byte) {
    CHECK(is_field_value_character(c) == (byte == '\t' || (byte >= 0x20 && byte != 0x7F)));
  });
}

TEST_CASE("characters: a request line's: visible ASCII and spaces, without '#'") {
  for_each_byte([](char c, unsigned byte) {
    CHECK(is_request_line_character(c) == (byte >= 0x20 && byte < 0x7F && c != '#'));
  });
}

TEST_CASE("characters: a host's: nothing that ends or escapes, or would be read as a list") {
  for_each_byte([](char c, unsigned byte) {
    CHECK(is_host_character(c) == (is_alphanumeric(byte) || is_one_of("-._~!$&'()*+;=", c)));
  });
}

TEST_CASE("characters: digits, whitespace, case and hex") {
  for_each_byte([](char c, unsigned byte) {
    CHECK(is_digit(c) == (byte >= '0' && byte <= '9'));
    CHECK(is_whitespace(c) == (c == ' ' || c == '\t'));
    CHECK(to_lower(c) ==
          (byte < 0x80 ? static_cast<char>(std::tolower(static_cast<int>(byte))) : c));
    const bool is_hex = byte < 0x80 && std::isxdigit(static_cast<int>(byte)) != 0;
    CHECK((hex_value(c) >= 0) == is_hex);
  });
  CHECK(hex_value('0') == 0);
  CHECK(hex_value('9') == 9);
  CHECK(hex_value('a') == 10);
  CHECK(hex_value('F') == 15);
}

}  // namespace
}  // namespace stadion::http
