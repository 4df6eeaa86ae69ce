// SPDX-License-Identifier: MIT
#include "http/form.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "http/url.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(const Form& form) {
  Pairs pairs;
  for (const FormField& field : form) {
    pairs.emplace_back(field.name, field.value);
  }
  return pairs;
}

Pairs pairs_of(std::string_view text) {
  Arena arena;
  return pairs_of(parse_form(text, arena));
}

std::string n_fields(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += i == 0 ? "a" : "&a";
  }
  return text;
}

TEST_CASE_FIXTURE(LiveArenas, "form: pairs are decoded, in their order [WHATWG URL §5.1]") {
  CHECK(pairs_of("").empty());
  CHECK(pairs_of("a=1&b=2&a=3") == Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}});
  CHECK(pairs_of("a") == Pairs{{"a", ""}});
  CHECK(pairs_of("a=") == Pairs{{"a", ""}});
  CHECK(pairs_of("=") == Pairs{{"", ""}});
  CHECK(pairs_of("=b") == Pairs{{"", "b"}});
  CHECK(pairs_of("a=b=c") == Pairs{{"a", "b=c"}});
  CHECK(pairs_of("&&a=1&&b&") == Pairs{{"a", "1"}, {"b", ""}});
  CHECK(pairs_of("&").empty());
  CHECK(pairs_of("a+b=c+%2B+d") == Pairs{{"a b", "c + d"}});
  CHECK(pairs_of("%61%3d=%26%3B;") == Pairs{{"a=", "&;;"}});
  CHECK(pairs_of("n=%C3%A4\xC3\xA4%ff") == Pairs{{"n", "\xC3\xA4\xC3\xA4\xFF"}});
  CHECK(pairs_of("a=line\r\nbreak") == Pairs{{"a", "line\r\nbreak"}});
}

TEST_CASE_FIXTURE(LiveArenas, "form: a name finds its first field, or all in order") {
  Arena arena;
  const Form form = parse_form("b=1&a=2&b=3&c&b=4&%61b=5&=6", arena);
  CHECK(form.size() == 7);
  CHECK_FALSE(form.empty());
  CHECK(form.find("a") == "2");
  CHECK(form.find("b") == "1");
  CHECK(form.find("c") == "");
  CHECK(form.find("ab") == "5");
  CHECK(form.find("") == "6");
  CHECK_FALSE(form.find("B").has_value());
  CHECK_FALSE(form.find("bb").has_value());
  CHECK_FALSE(form.find("z").has_value());
  CHECK(form.contains("c"));
  CHECK_FALSE(form.contains("d"));

  std::string values;
  const auto add_until_3 = [&values](std::string_view value) {
    values += value;
    return value != "3";
  };
  form.for_each("b", add_until_3);
  CHECK(values == "13");
  form.for_each("d", add_until_3);
  form.for_each("a", add_until_3);
  CHECK(values == "132");
}

TEST_CASE_FIXTURE(LiveArenas, "form: a malformed escape is an error that tells where") {
  Arena arena;
  const std::vector<std::pair<std::string_view, std::size_t>> malformed{
      {"%", 0},        {"a=%", 2},       {"a=1&b=%2", 6}, {"a=%zz", 2},
      {"a%=1", 1},     {"a=%20%2g", 5},  {"%4=1", 0},     {"a=%00", 2},
      {"a=%41%00", 5}, {"&&a&%41%4", 7}, {"a=%%41", 2},   {"a=%25%25%", 8}};
  for (const auto& example : malformed) {
    CAPTURE(example.first);
    const auto& [text, offset] = example;
    const Form form = parse_form(text, arena);
    REQUIRE(form.error());
    CHECK(form.error()->kind == FormError::Kind::malformed_escape);
    CHECK(form.error()->offset == offset);
    CHECK(form.empty());
    CHECK_FALSE(form.contains("a"));
  }
  CHECK(describe(FormError::Kind::malformed_escape) == "The form has a malformed escape.\n");
}

TEST_CASE_FIXTURE(LiveArenas, "form: a NUL is an error that tells where") {
  Arena arena;
  const Form form = parse_form(std::string_view("a=1\0%", 5), arena);
  REQUIRE(form.error());
  CHECK(form.error()->kind == FormError::Kind::nul);
  CHECK(form.error()->offset == 3);
  CHECK(form.empty());
  CHECK(describe(FormError::Kind::nul) == "The form has a NUL.\n");
}

TEST_CASE_FIXTURE(LiveArenas, "form: fields over the limit are refused before memory is spent") {
  constexpr std::size_t fields_max = FormLimits{}.fields_max;
  CHECK(fields_max == 1000);
  Arena arena;
  for (const std::size_t count : {fields_max - 1, fields_max}) {
    const std::string text = n_fields(count);
    const Form form = parse_form(text, arena);
    CHECK_FALSE(form.error());
    CHECK(form.size() == count);
  }
  const std::size_t bytes_before = arena.bytes_used();
  const std::string text = n_fields(fields_max + 1);
  const Form form = parse_form(text, arena);
  REQUIRE(form.error());
  CHECK(form.error()->kind == FormError::Kind::too_many_fields);
  CHECK(form.error()->offset == 2 * fields_max);
  CHECK(form.empty());
  CHECK(arena.bytes_used() == bytes_before);
  CHECK(describe(FormError::Kind::too_many_fields) == "The form has too many fields.\n");

  CHECK(parse_form("&&a&&b&&", arena, {.fields_max = 2}).size() == 2);
  CHECK(parse_form("&&a&&b&&c", arena, {.fields_max = 2}).error()->offset == 8);
  CHECK_FALSE(parse_form("&&", arena, {.fields_max = 0}).error());
  CHECK(parse_form("&&a", arena, {.fields_max = 0}).error()->offset == 2);
}

TEST_CASE_FIXTURE(LiveArenas, "form: many ampersands take no memory") {
  Arena arena;
  const std::size_t bytes_before = arena.bytes_used();
  const std::string text(1'000'000, '&');
  const Form form = parse_form(text, arena);
  CHECK_FALSE(form.error());
  CHECK(form.empty());
  CHECK(arena.bytes_used() <= bytes_before + 64);
}

TEST_CASE_FIXTURE(LiveArenas, "form: without an escape nothing is copied") {
  Arena arena;
  const std::string_view text = "name=value";
  const Form form = parse_form(text, arena);
  CHECK(form.begin()->name.data() == text.data());
  CHECK(form.find("name")->data() == text.data() + 5);
}

TEST_CASE_FIXTURE(LiveArenas, "form: lookups take no memory, the first neither") {
  Arena arena;
  const Form form = parse_form("b=%31&a=2", arena);
  const std::size_t bytes_before = arena.bytes_used();
  CHECK(form.find("b") == "1");
  CHECK(form.find("a") == "2");
  CHECK(arena.bytes_used() == bytes_before);
}

TEST_CASE_FIXTURE(LiveArenas, "form: with no memory it throws ArenaFailed") {
  Arena arena{ArenaOptions{.limit_bytes = 0}};
  CHECK_THROWS_AS((void)parse_form("a=1", arena), ArenaFailed);
}

TEST_CASE_FIXTURE(LiveArenas, "form: random fields are all found, as a multimap finds them") {
  std::random_device device;
  const std::uint32_t seed = device();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto random_text = [&random] {
    std::string text;
    for (std::size_t size = random() % 4; size > 0; --size) {
      text += "ab=&%+"[random() % 6];
    }
    return text;
  };
  const auto escaped = [&random](std::string_view text) {
    std::string result;
    for (const char c : text) {
      char escape[4];
      std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned>(c));
      result += (c == 'a' || c == 'b') && random() % 2 == 0 ? std::string(1, c) : escape;
    }
    return result;
  };
  for (int round = 0; round < 100; ++round) {
    Arena arena;
    std::string text;
    std::multimap<std::string, std::string> expected;
    for (std::size_t count = random() % 40; count > 0; --count) {
      const std::string name = random_text();
      const std::string value = random_text();
      text += escaped(name) + '=' + escaped(value) + '&';
      expected.emplace(name, value);  // Behind those of the same name.
    }
    const Form form = parse_form(text, arena);
    CHECK(form.size() == expected.size());
    for (auto field = expected.begin(); field != expected.end();) {
      CHECK(form.find(field->first) == field->second);
      const auto last = expected.upper_bound(field->first);
      form.for_each(field->first, [&field](std::string_view value) {
        CHECK(value == field->second);
        ++field;
        return true;
      });
      CHECK(field == last);
      field = last;
    }
  }
}

}  // namespace
}  // namespace stadion::http
