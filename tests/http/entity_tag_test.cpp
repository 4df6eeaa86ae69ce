// SPDX-License-Identifier: MIT
#include "http/entity_tag.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

constexpr EntityTag kStrong{.opaque = "v1"};
constexpr EntityTag kWeak{.opaque = "v1", .is_weak = true};

bool lists(std::string_view list, std::string_view opaque) {
  return any_matches(list, EntityTag{.opaque = opaque}, strong_match);
}

std::string field_value(const EntityTag& tag) {
  Arena arena;
  return std::string(to_field_value(tag, arena));
}

TEST_CASE("entity tag: strong, weak and empty ones are read [RFC 9110 §8.8.3]") {
  const auto strong = parse_entity_tag("\"xyzzy\"");
  REQUIRE(strong);
  CHECK(strong->opaque == "xyzzy");
  CHECK_FALSE(strong->is_weak);

  const auto weak = parse_entity_tag("W/\"xyzzy\"");
  REQUIRE(weak);
  CHECK(weak->opaque == "xyzzy");
  CHECK(weak->is_weak);

  const auto empty = parse_entity_tag("\"\"");
  REQUIRE(empty);
  CHECK(empty->opaque.empty());

  const auto odd = parse_entity_tag("\"!#,\\*~\x80\xff\"");
  REQUIRE(odd);
  CHECK(odd->opaque == "!#,\\*~\x80\xff");
}

TEST_CASE("entity tag: nothing else is one") {
  for (const std::string_view text :
       {"",        "\"",       "W/",           "W/\"",      "v1",        "\"v1",
        "v1\"",    "w/\"v1\"", "W\"v1\"",      "W /\"v1\"", "W/ \"v1\"", " \"v1\"",
        "\"v1\" ", "\"v 1\"",  "\"v\t1\"",     "\"v\"1\"",  "\"v\x7f\"", "\"v\x1f\"",
        "'v1'",    "*",        "\"a\", \"b\"", "W/W/\"v1\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_entity_tag(text));
  }
  CHECK_FALSE(parse_entity_tag(std::string_view("\"v\0\"", 4)));
}

TEST_CASE("entity tag: the two comparisons [RFC 9110 §8.8.3.2]") {
  constexpr EntityTag other_strong{.opaque = "v2"};
  constexpr EntityTag other_weak{.opaque = "v2", .is_weak = true};
  CHECK_FALSE(strong_match(kWeak, kWeak));
  CHECK(weak_match(kWeak, kWeak));
  CHECK_FALSE(strong_match(kWeak, other_weak));
  CHECK_FALSE(weak_match(kWeak, other_weak));
  CHECK_FALSE(strong_match(kWeak, kStrong));
  CHECK_FALSE(strong_match(kStrong, kWeak));
  CHECK(weak_match(kWeak, kStrong));
  CHECK(weak_match(kStrong, kWeak));
  CHECK(strong_match(kStrong, kStrong));
  CHECK(weak_match(kStrong, kStrong));
  CHECK_FALSE(strong_match(kStrong, other_strong));
  CHECK_FALSE(weak_match(kStrong, EntityTag{.opaque = "V1"}));
}

TEST_CASE("entity tag: any element of a list may match, with commas inside quotes") {
  CHECK(lists("\"a\"", "a"));
  CHECK(lists("\"a\", \"b\",\"c\"", "a"));
  CHECK(lists("\"a\", \"b\",\"c\"", "b"));
  CHECK(lists("\"a\", \"b\",\"c\"", "c"));
  CHECK(lists(" ,\t, \"a\" ,,", "a"));
  CHECK(lists("\"a,b\", \"c\"", "a,b"));
  CHECK(lists("\"a,b\", \"c\"", "c"));
  CHECK(lists("\"a,\", \",b\"", ",b"));
  CHECK_FALSE(lists("\"a,b\"", "a"));
  CHECK_FALSE(lists("\"a,b\"", "b"));
  CHECK_FALSE(lists("\"a\", \"b\"", "d"));
  CHECK_FALSE(lists("", ""));
  CHECK_FALSE(lists(" , ", ""));
}

TEST_CASE("entity tag: a star is every tag, a quoted star is one") {
  CHECK(lists("*", "a"));
  CHECK(lists(" * ", "a"));
  CHECK(any_matches("*", kWeak, strong_match));
  CHECK_FALSE(lists("\"*\"", "a"));
  CHECK_FALSE(lists("**", "a"));
}

TEST_CASE("entity tag: a malformed element matches nothing, and hides no whole one before it") {
  CHECK_FALSE(lists("a", "a"));
  CHECK_FALSE(lists("\"a", "a"));
  CHECK_FALSE(lists("a\"", "a"));
  CHECK_FALSE(lists("\"a\" \"b\"", "a"));
  CHECK_FALSE(lists("\"a\" \"b\"", "b"));
  CHECK(lists("x, \"a\"", "a"));
  CHECK(lists("\"a\", \"b", "a"));
  CHECK_FALSE(lists("\"x, \"a\"", "a"));
}

TEST_CASE("entity tag: a list is compared as the function says") {
  CHECK(any_matches("\"v0\", W/\"v1\"", kStrong, weak_match));
  CHECK_FALSE(any_matches("\"v0\", W/\"v1\"", kStrong, strong_match));
  CHECK(any_matches("\"v1\"", kWeak, weak_match));
  CHECK_FALSE(any_matches("\"v1\"", kWeak, strong_match));
}

TEST_CASE_FIXTURE(LiveArenas, "entity tag: what is written is read back") {
  CHECK(field_value(kStrong) == "\"v1\"");
  CHECK(field_value(kWeak) == "W/\"v1\"");
  CHECK(field_value({}) == "\"\"");
  CHECK(field_value({.opaque = "a,\xff"}) == "\"a,\xff\"");
}

TEST_CASE_FIXTURE(LiveArenas, "entity tag: what none can have is not written") {
  for (const std::string_view opaque : {"a\"b", "a b", "a\r\nb", "a\tb", "\x7f"}) {
    CAPTURE(opaque);
    CHECK_THROWS_AS(field_value({.opaque = opaque}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace stadion::http
