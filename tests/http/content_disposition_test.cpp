// SPDX-License-Identifier: MIT
#include "http/content_disposition.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "http/fields.hpp"

namespace stadion::http {
namespace {

TEST_CASE("content disposition: a plain name stands in quotes [RFC 6266 §4.1]") {
  Arena arena;
  CHECK(attachment("report.pdf", arena) == R"(attachment; filename="report.pdf")");
  CHECK(inline_disposition("report.pdf", arena) == R"(inline; filename="report.pdf")");
  CHECK(attachment("two words; and more.txt", arena) ==
        R"(attachment; filename="two words; and more.txt")");
  CHECK(attachment("", arena) == "attachment");
}

TEST_CASE("content disposition: other letters go by filename*, and a fallback stays [RFC 8187]") {
  Arena arena;
  CHECK(attachment("€ rates.txt", arena) ==
        R"(attachment; filename="_ rates.txt"; filename*=UTF-8''%E2%82%AC%20rates.txt)");
  CHECK(inline_disposition("résumé.pdf", arena) ==
        R"(inline; filename="r_sum_.pdf"; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf)");
  CHECK(attachment("😀", arena) == R"(attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80)");
}

TEST_CASE("content disposition: a percent sign cannot be taken for an escape") {
  Arena arena;
  CHECK(attachment("50%41.txt", arena) ==
        R"(attachment; filename="50_41.txt"; filename*=UTF-8''50%2541.txt)");
}

TEST_CASE("content disposition: filename* escapes all but attr-char [RFC 8187 §3.2.1]") {
  Arena arena;
  CHECK(attachment("é!#$&+-.^_`|~", arena).ends_with("UTF-8''%C3%A9!#$&+-.^_`|~"));
  CHECK(attachment("é *'()<>@,;:[]?={}", arena)
            .ends_with("''%C3%A9%20%2A%27%28%29%3C%3E%40%2C%3B%3A%5B%5D%3F%3D%7B%7D"));
}

TEST_CASE("content disposition: what would end the name or leave the folder is replaced") {
  Arena arena;
  CHECK(attachment("a\"b", arena) == R"(attachment; filename="a_b")");
  CHECK(attachment("a\\\"; x=\"", arena) == R"(attachment; filename="a__; x=_")");
  CHECK(attachment("../../etc/passwd", arena) == R"(attachment; filename=".._.._etc_passwd")");
  CHECK(attachment("..\\x", arena) == R"(attachment; filename=".._x")");
  CHECK(attachment("a\r\nSet-Cookie: b", arena) == R"(attachment; filename="a__Set-Cookie: b")");
  CHECK(attachment(std::string_view("a\0b\x7F\t", 5), arena) == R"(attachment; filename="a_b__")");
  // U+0085 (next line) and U+202E (right to left), which shows "fdp.exe" as "exe.pdf".
  CHECK(attachment("a\xC2\x85"
                   "b\xE2\x80\xAE"
                   "c",
                   arena) == R"(attachment; filename="a_b_c")");
}

TEST_CASE("content disposition: every byte gives a value that a field may have") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      Arena arena;
      const std::string name{'a', static_cast<char>(first), static_cast<char>(second), 'b'};
      const std::string_view value = attachment(name, arena);
      CAPTURE(value);
      REQUIRE(is_field_value(value));
      for (const char character : value) {
        REQUIRE(static_cast<unsigned char>(character) < 0x80);
      }
    }
  }
}

TEST_CASE("content disposition: what is not UTF-8 becomes U+FFFD") {
  Arena arena;
  const std::string_view replaced = R"(attachment; filename="a_b"; filename*=UTF-8''a%EF%BF%BDb)";
  CHECK(attachment("a\xFF"
                   "b",
                   arena) == replaced);
  CHECK(attachment("a\xC3"
                   "b",
                   arena) == replaced);
  CHECK(attachment("a\xE2\x82"
                   "b",
                   arena) == replaced);
  // Overlong, a surrogate, and beyond the last code point: a replacement for each byte.
  CHECK(attachment("\xC0\xAF", arena).ends_with("UTF-8''%EF%BF%BD%EF%BF%BD"));
  CHECK(attachment("\xED\xA0\x80", arena).ends_with("UTF-8''%EF%BF%BD%EF%BF%BD%EF%BF%BD"));
  CHECK(attachment("\xF4\x90\x80\x80", arena).find("%F4") == std::string_view::npos);
  CHECK(attachment("\xE2\x82", arena).ends_with("UTF-8''%EF%BF%BD"));
}

}  // namespace
}  // namespace stadion::http
