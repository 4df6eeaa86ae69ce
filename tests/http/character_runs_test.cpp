// SPDX-License-Identifier: MIT
#include "http/character_runs.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace stadion::http {
namespace {

/// Texts of one character but for one byte, of every value, at every place; longer than the steps in
/// which runs are looked at. Calls `check(text, place, byte)`.
template <class Check>
void for_each_text(char filling, Check&& check) {
  for (const std::size_t size : {1U, 4U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 32U, 40U}) {
    std::string text(size, filling);
    for (std::size_t place = 0; place < size; ++place) {
      for (unsigned byte = 0; byte <= 0xFF; ++byte) {
        text[place] = static_cast<char>(byte);
        check(std::string_view(text), place, static_cast<char>(byte));
      }
      text[place] = filling;
    }
  }
}

/// That a run ends where the first character is that is not in it, from wherever one begins.
void check_ends(std::size_t (*end_of)(std::string_view, std::size_t), bool (*contains)(char)) {
  for_each_text('x', [&](std::string_view text, std::size_t place, char byte) {
    const std::size_t expected = contains(byte) ? text.size() : place;
    bool is_right = true;
    for (std::size_t from = 0; from <= place; ++from) {
      is_right = is_right && end_of(text, from) == expected;
    }
    for (std::size_t from = place + 1; from <= text.size(); ++from) {
      is_right = is_right && end_of(text, from) == text.size();
    }
    if (!is_right) {
      CAPTURE(text.size());
      CAPTURE(place);
      CAPTURE(static_cast<int>(byte));
      CHECK(is_right);
    }
  });
}

TEST_CASE("character runs: a field value's end") {
  check_ends(end_of_field_value, [](char c) { return is_field_value_character(c); });
}

TEST_CASE("character runs: the end of a part of a request line") {
  check_ends(end_of_request_line_part,
             [](char c) { return is_request_line_character(c) && c != ' '; });
}

TEST_CASE("character runs: a path's end") {
  check_ends(end_of_path, [](char c) { return c != '?' && c != ' '; });
}

TEST_CASE("character runs: a token's end") {
  check_ends(end_of_token, [](char c) { return is_token_character(c); });
}

TEST_CASE("character runs: a token goes on behind its rare characters") {
  CHECK(end_of_token("_a__bcdefghijklmnopqrstuvwxyz!~ x", 0) == 31);
  CHECK(end_of_token("", 0) == 0);
}

TEST_CASE("character runs: whether all of a text may be in a field value") {
  CHECK(is_field_value_run(""));
  std::size_t wrong = 0;
  for_each_text('x', [&wrong](std::string_view text, std::size_t /*place*/, char byte) {
    wrong += is_field_value_run(text) == is_field_value_character(byte) ? 0 : 1;
  });
  CHECK(wrong == 0);
}

TEST_CASE("character runs: where the digits begin that a text ends with") {
  CHECK(begin_of_last_digits("") == 0);
  CHECK(begin_of_last_digits("01234567890123456789") == 0);
  CHECK(begin_of_last_digits("x1234567") == 1);
  CHECK(begin_of_last_digits("127.0.0.1:") == 10);
  std::size_t wrong = 0;
  for_each_text('7', [&wrong](std::string_view text, std::size_t place, char byte) {
    wrong += begin_of_last_digits(text) == (is_digit(byte) ? 0 : place + 1) ? 0 : 1;
  });
  CHECK(wrong == 0);
}

TEST_CASE("character runs: whether all of a text may be in a host") {
  CHECK(is_host_run(""));
  CHECK(is_host_run("$~a-long-name-with-what-is-rare-in-it~$"));
  std::size_t wrong = 0;
  for_each_text('x', [&wrong](std::string_view text, std::size_t /*place*/, char byte) {
    wrong += is_host_run(text) == is_host_character(byte) ? 0 : 1;
  });
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace stadion::http
