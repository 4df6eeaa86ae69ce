// SPDX-License-Identifier: MIT
#include "http/url.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "url: escapes are decoded, in upper and lower case") {
  Arena arena;
  CHECK(percent_decode("", arena) == "");
  CHECK(percent_decode("a+b", arena) == "a+b");
  CHECK(percent_decode("%41%7e%7E", arena) == "A~~");
  CHECK(percent_decode("a%20b%2Fc%25", arena) == "a b/c%");
  CHECK(percent_decode("%2520", arena) == "%20");  // Once.
  CHECK(percent_decode("%C3%A4%FF%01", arena) == "\xC3\xA4\xFF\x01");
  for (unsigned byte = 1; byte <= 0xFF; ++byte) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02x", byte);
    CHECK(percent_decode(escape, arena) == std::string(1, static_cast<char>(byte)));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "url: without an escape nothing is copied") {
  Arena arena;
  const std::string_view text = "/plain/path";
  CHECK(percent_decode(text, arena)->data() == text.data());
  CHECK(form_decode(text, arena)->data() == text.data());
  CHECK(arena.bytes_used() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "url: malformed escapes and NUL give nothing") {
  Arena arena;
  for (const std::string_view text : {"%", "%2", "a%", "a%2", "%zz", "%2g", "%g2", "%%41", "%-1",
                                      "% 1", "%+1", "%0x", "%00", "a%00b", "%41%", "%4"}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text, arena).has_value());
    CHECK_FALSE(form_decode(text, arena).has_value());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "url: in a form '+' is a space, and %2B a plus") {
  Arena arena;
  CHECK(form_decode("a+b", arena) == "a b");
  CHECK(form_decode("+", arena) == " ");
  CHECK(form_decode("%2B+%20", arena) == "+  ");
  CHECK(percent_decode("%2B+", arena) == "++");
}

TEST_CASE_FIXTURE(LiveArenas, "url: a query's parameters") {
  Arena arena;
  const auto query = [&arena](std::string_view text, std::string_view name) {
    return query_parameter(text, name, arena);
  };
  CHECK(query("a=1&b=2", "a") == "1");
  CHECK(query("a=1&b=2", "b") == "2");
  CHECK(query("a=1&a=2", "a") == "1");
  CHECK(query("aa=1&a=2", "a") == "2");
  CHECK(query("a", "a") == "");
  CHECK(query("a=", "a") == "");
  CHECK(query("a&b=1", "b") == "1");
  CHECK(query("&&a=1&", "a") == "1");
  CHECK(query("a=b=c", "a") == "b=c");
  CHECK(query("=x", "") == "x");
  CHECK(query("a=x+y%26z", "a") == "x y&z");
  CHECK(query("n%61me+x=1", "name x") == "1");
  CHECK_FALSE(query("", "a").has_value());
  CHECK_FALSE(query("b=1", "a").has_value());
  CHECK_FALSE(query("A=1", "a").has_value());
  CHECK_FALSE(query("a=%", "a").has_value());
  CHECK_FALSE(query("a=%00", "a").has_value());
  CHECK_FALSE(query("%=1", "%").has_value());
  CHECK(query("%zz=1&a=2", "a") == "2");
}

TEST_CASE_FIXTURE(LiveArenas, "url: with no memory to decode into it throws") {
  Arena arena{ArenaOptions{.limit_bytes = 0}};
  CHECK(percent_decode("plain", arena) == "plain");
  CHECK_THROWS_AS((void)percent_decode("%41", arena), ArenaFailed);
}

}  // namespace
}  // namespace stadion::http
