// SPDX-License-Identifier: MIT
#include "http/fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "fields: names are found without case, the first one of several") {
  Arena arena;
  Fields fields(arena);
  CHECK(fields.empty());
  CHECK_FALSE(fields.find("Host").has_value());
  fields.add("Content-Type", "text/html");
  fields.add("Accept", "a");
  fields.add("ACCEPT", "b");
  fields.add("Empty", "");
  CHECK(fields.size() == 4);
  CHECK(fields.find("content-TYPE") == "text/html");
  CHECK(fields.find("accept") == "a");
  CHECK(fields.find("Empty") == "");
  CHECK(fields.contains("empty"));
  CHECK_FALSE(fields.contains("Accep"));
  CHECK_FALSE(fields.contains("Accepts"));
  CHECK_FALSE(fields.contains(""));
}

TEST_CASE_FIXTURE(LiveArenas, "fields: any number, in their order, with room reserved or not") {
  for (const std::size_t reserved : {0U, 1U, 50U, 200U}) {
    CAPTURE(reserved);
    Arena arena;
    Fields fields(arena);
    fields.reserve(reserved);
    for (std::size_t i = 0; i < 100; ++i) {
      fields.add(arena.copy("name" + std::to_string(i)), arena.copy(std::to_string(i)));
    }
    fields.reserve(10);  // Never makes it smaller.
    CHECK(fields.size() == 100);
    std::size_t expected = 0;
    for (const Field& field : fields) {
      CHECK(field.name == "name" + std::to_string(expected));
      CHECK(field.value == std::to_string(expected));
      ++expected;
    }
    CHECK(expected == 100);
    fields.clear();
    CHECK(fields.empty());
    CHECK_FALSE(fields.contains("name0"));
    fields.add("again", "x");
    CHECK(fields.find("again") == "x");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "fields: with no memory to grow it throws, and keeps what it has") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = 1024}};
  Fields fields(arena);
  std::size_t added = 0;
  CHECK_THROWS_AS(
      [&] {
        while (true) {
          fields.add("name", "value");
          ++added;
        }
      }(),
      ArenaFailed);
  CHECK(added >= 8);
  CHECK(fields.size() == added);
  CHECK(fields.find("name") == "value");
}

TEST_CASE("fields: names are compared as ASCII without case") {
  CHECK(equals_ignoring_case("", ""));
  CHECK(equals_ignoring_case("hOsT", "HoSt"));
  CHECK_FALSE(equals_ignoring_case("host", "hos"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));  // They differ in the bit that letters do.
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("fields: what is a token") {
  for (const std::string_view text : {"a", "GET", "X-Y_z.1", "!#$%&'*+-.^_`|~"}) {
    CAPTURE(text);
    CHECK(is_token(text));
  }
  for (const std::string& text : {std::string(), std::string("a b"), std::string("a:"),
                                  std::string("a\r"), std::string("a\n"), std::string("a\0", 2),
                                  std::string("\xE4"), std::string("a,b"), std::string("\"a\"")}) {
    CAPTURE(text);
    CHECK_FALSE(is_token(text));
  }
}

TEST_CASE("fields: what may stand as a value") {
  for (const std::string_view text : {"", "a", " a\tb ", "\xC3\xA4\xFF", "a: b, \"c\""}) {
    CAPTURE(text);
    CHECK(is_field_value(text));
  }
  for (const std::string& text :
       {std::string("a\rb"), std::string("a\nb"), std::string("a\r\n"), std::string("\0", 1),
        std::string("\x7F"), std::string("\x1F"), std::string("\x0B")}) {
    CHECK_FALSE(is_field_value(text));
  }
}

TEST_CASE("fields: whitespace is trimmed at both ends, and is no more than spaces and tabs") {
  CHECK(trim_whitespace("").empty());
  CHECK(trim_whitespace(" \t ").empty());
  CHECK(trim_whitespace("\t a b\t ") == "a b");
  CHECK(trim_whitespace("\ra\n") == "\ra\n");
}

TEST_CASE("fields: a list's elements, empty ones left out [RFC 9110 §5.6.1]") {
  const auto elements_of = [](std::string_view list) {
    std::vector<std::string> elements;
    for_each_list_element(list, [&elements](std::string_view element) {
      elements.emplace_back(element);
      return element != "stop";
    });
    return elements;
  };
  using Elements = std::vector<std::string>;
  CHECK(elements_of("").empty());
  CHECK(elements_of(" , ,,\t").empty());
  CHECK(elements_of("a") == Elements{"a"});
  CHECK(elements_of("a,b") == Elements{"a", "b"});
  CHECK(elements_of(" a ,, b c\t,") == Elements{"a", "b c"});
  CHECK(elements_of(",a") == Elements{"a"});
  CHECK(elements_of("a, stop, b") == Elements{"a", "stop"});
}

}  // namespace
}  // namespace stadion::http
