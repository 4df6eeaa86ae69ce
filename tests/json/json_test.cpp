// SPDX-License-Identifier: MIT
#include "http/json.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

namespace json = boost::json;
using tests::LiveArenas;

/// "offset/line/column: message", or the value as JSON where there is one.
std::string outcome(std::string_view text, JsonLimits limits = {}) {
  Arena arena;
  const JsonResult result = parse_json(text, arena, limits);
  if (result) {
    return std::string(to_json(result.value(), arena));
  }
  return std::to_string(result.error().offset) + " " + std::string(to_text(result.error(), arena));
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string object_of(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(i);
  }
  return text + "}";
}

TEST_CASE_FIXTURE(LiveArenas, "json: what is parsed is written again, without white space") {
  for (const std::string_view text :
       {"null", "true", "false", "0", "-1", "\"\"", "[]", "{}",
        R"({"a":[1,{"b":null},"c"],"d":{}})", R"(["\"\\/\b\f\n\r\t\u0001"])", "[[],[[]],{}]",
        "\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\""}) {
    CAPTURE(text);
    const std::string once = outcome(text);
    CHECK(outcome(once) == once);
    CHECK(outcome(" \t\r\n" + once + "\n") == once);
  }
  CHECK(outcome(R"( { "a" : [ 1 , 2.5 ] } )") == R"({"a":[1,2.5]})");
  CHECK(outcome(R"("\u00e4\uD83D\uDE00\/")") == "\"\xC3\xA4\xF0\x9F\x98\x80/\"");
}

TEST_CASE_FIXTURE(LiveArenas, "json: the value is the arena's; the text may go") {
  Arena arena;
  std::string text = R"({"a long enough name to be no small string":"and its value, as long too"})";
  const JsonResult result = parse_json(text, arena);
  REQUIRE(result);
  text.assign(text.size(), '~');
  json::object& object = result.value().as_object();
  CHECK(std::string_view(object.at("a long enough name to be no small string").as_string()) ==
        "and its value, as long too");
  object["more"] = {1, 2, 3};
  CHECK(object.storage()->is_equal(JsonResource(arena)));
  CHECK(object.at("more").storage()->is_equal(JsonResource(arena)));
}

TEST_CASE_FIXTURE(LiveArenas, "json: an error says where, in bytes, lines and characters") {
  CHECK(outcome("") == "0 line 1, column 1: ends too early");
  CHECK(outcome(" \n ") == "3 line 2, column 2: ends too early");
  CHECK(outcome("{\"a\":1,\n \"b\" 2}") == "13 line 2, column 6: unexpected character");
  CHECK(outcome("[1,\n2,\n\n,]") == "8 line 4, column 1: unexpected character");
  CHECK(outcome("[\"\xC3\xA4\xE2\x82\xAC\", x]") == "10 line 1, column 8: unexpected character");
  CHECK(outcome("[1") == "2 line 1, column 3: ends too early");
  CHECK(outcome("\"abc") == "4 line 1, column 5: ends too early");
  CHECK(outcome("\"a\nb\"") == "2 line 1, column 3: unexpected control character");
  CHECK(outcome("[1,]") == "3 line 1, column 4: unexpected character");
  CHECK(outcome("[1 /* c */]") == "3 line 1, column 4: unexpected character");
  CHECK(outcome("{a:1}") == "1 line 1, column 2: unexpected character");
  CHECK(outcome("'a'") == "0 line 1, column 1: unexpected character");
  CHECK(outcome("nul") == "3 line 1, column 4: ends too early");
  CHECK(outcome("NaN") == "0 line 1, column 1: unexpected character");
}

TEST_CASE_FIXTURE(LiveArenas, "json: nothing but white space may follow the value") {
  CHECK(outcome("1 ") == "1");
  CHECK(outcome("1 2") == "2 line 1, column 3: something follows the value");
  CHECK(outcome("{}{}") == "2 line 1, column 3: something follows the value");
  CHECK(outcome("[]]") == "2 line 1, column 3: something follows the value");
  CHECK(outcome(std::string_view("1\0", 2)) == "1 line 1, column 2: something follows the value");
}

TEST_CASE_FIXTURE(LiveArenas, "json: a byte order mark is refused by name [RFC 8259 §8.1]") {
  CHECK(outcome("\xEF\xBB\xBF{}") == "0 line 1, column 1: unexpected byte order mark");
  CHECK(outcome("\"\xEF\xBB\xBF\"") == "\"\xEF\xBB\xBF\"");
}

TEST_CASE_FIXTURE(LiveArenas, "json: every string is valid UTF-8, or refused where it is not") {
  for (const std::string_view invalid :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE2\x82",
        "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFE", "\xFF"}) {
    CAPTURE(invalid);
    const std::string where = "1 line 1, column 2: unexpected character, or invalid UTF-8";
    CHECK(outcome("\"" + std::string(invalid) + "        \"") == where);
    CHECK_MESSAGE(outcome("{\"" + std::string(invalid) + "\":1}").substr(0, 2) == "2 ", "in a key");
  }
  CHECK(outcome("\"\xE2\x82") == "3 line 1, column 3: ends too early");
  CHECK(outcome(R"("\uD83D")") == "7 line 1, column 8: unexpected character");
  CHECK(outcome(R"("\uD83D\u0041")").find("malformed \\u escape") != std::string::npos);
  CHECK(outcome(R"("\uDE00")").find("malformed \\u escape") != std::string::npos);
  CHECK(outcome(R"("\u12g4")").find("malformed \\u escape") != std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas, "json: of a key that is there twice the last one counts") {
  CHECK(outcome(R"({"a":1,"b":2,"a":3})") == R"({"a":3,"b":2})");
  const std::string many = object_of(100);  // No small object to Boost.JSON: it has a hash table.
  CHECK(outcome(many.substr(0, many.size() - 1) + ",\"7\":\"last\"}").find("\"7\":\"last\"") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "json: numbers are exact where they can be, and refused out of range") {
  CHECK(outcome("9223372036854775807") == "9223372036854775807");
  CHECK(outcome("-9223372036854775808") == "-9223372036854775808");
  CHECK(outcome("18446744073709551615") == "18446744073709551615");
  CHECK(outcome("18446744073709551616") == "18446744073709551616");
  CHECK(outcome("-9223372036854775809") == "-9223372036854775808");
  CHECK(outcome("1e999") == "5 line 1, column 6: number out of range");
  CHECK(outcome("[-1e309]") == "7 line 1, column 8: number out of range");
  CHECK(outcome("1e99999999999").find("number out of range") != std::string::npos);
  CHECK(outcome("0e999") == "0");
  CHECK(outcome("1e-999") == "0");
  for (const std::string_view text :
       {"01", "+1", ".5", "1.", "1e", "-", "0x1", "1_0", "Infinity"}) {
    CAPTURE(text);
    CHECK(outcome(text).find("line 1") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json: a number is the nearest double, down to the last bit") {
  for (const double number : {0.1, 1.0 / 3, 2.2250738585072011e-308, 5e-324, 1.7976931348623157e308,
                              9007199254740993.0, 123456789.123456789, -0.0, 6.02214076e23}) {
    std::array<char, 1200> text{};
    std::snprintf(text.data(), text.size(), "%.1074f", number);
    CAPTURE(number);
    Arena arena;
    for (const std::string& form : {std::string(text.data()), std::to_string(number)}) {
      const JsonResult result = parse_json(form, arena);
      REQUIRE(result);
      CHECK(result.value().as_double() == std::stod(form));
      CHECK(std::signbit(result.value().as_double()) == std::signbit(number));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json: depth: one below the limit, at it, one above") {
  CHECK(outcome(nested(31)) == nested(31));
  CHECK(outcome(nested(32)) == nested(32));
  CHECK(outcome(nested(33)) == "32 line 1, column 33: nested too deeply");
  CHECK(outcome(nested(1), {.depth_max = 1}) == "[]");
  CHECK(outcome(nested(2), {.depth_max = 1}) == "1 line 1, column 2: nested too deeply");
  CHECK(outcome("{\"a\":{}}", {.depth_max = 1}) == "5 line 1, column 6: nested too deeply");
  CHECK(outcome("1", {.depth_max = 0}) == "1");
  CHECK(outcome("[]", {.depth_max = 0}) == "0 line 1, column 1: nested too deeply");
  CHECK(outcome(nested(kJsonDepthMax), {.depth_max = kJsonDepthMax}) == nested(kJsonDepthMax));
}

TEST_CASE_FIXTURE(LiveArenas, "json: members: one below the limit, at it, one above") {
  CHECK(outcome(object_of(1023)) == object_of(1023));
  CHECK(outcome(object_of(1024)) == object_of(1024));
  const std::string over = object_of(1025);
  CHECK(outcome(over) == std::to_string(over.size() - 1) + " line 1, column " +
                             std::to_string(over.size()) + ": object with too many members");
  CHECK(outcome("[{},{\"a\":1}]", {.object_members_max = 1}) == "[{},{\"a\":1}]");
  CHECK(outcome("{}", {.object_members_max = 0}) == "{}");
}

TEST_CASE_FIXTURE(LiveArenas, "json: split anywhere, the first part alone is no value") {
  constexpr std::string_view kText = R"({"a":[1.5e3,-2,true,false,null,"\u00e4\n"],"b":{"c":""}})";
  for (std::size_t bytes = 0; bytes < kText.size(); ++bytes) {
    // A copy of just that size, so that a read beyond it is found.
    const std::vector<char> part(kText.begin(), kText.begin() + static_cast<std::ptrdiff_t>(bytes));
    const std::string said = outcome({part.data(), part.size()});
    CHECK_MESSAGE(said == std::to_string(bytes) + " line 1, column " + std::to_string(bytes + 1) +
                              ": ends too early",
                  said);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json: a reply is built in the arena, and need not be destroyed") {
  Arena arena;
  const json::storage_ptr storage = json_storage(arena);
  auto& reply = *static_cast<json::object*>(arena.alloc(sizeof(json::object)));
  new (&reply) json::object(storage);
  reply["name"] = std::string(100, 'n');
  reply["list"] = json::array({1, 2.5, "three", nullptr, {{"four", 4}}}, storage);
  CHECK(to_json(json::value(reply, storage), arena) ==
        "{\"name\":\"" + std::string(100, 'n') + R"(","list":[1,2.5,"three",null,{"four":4}]})");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "json: every control character and quote is escaped in what is written") {
  Arena arena;
  for (unsigned byte = 0; byte < 0x80; ++byte) {
    const std::string raw(20, static_cast<char>(byte));
    const std::string_view text = to_json(json::value(raw, json_storage(arena)), arena);
    CAPTURE(text);
    for (const char c : text) {
      CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
    const JsonResult again = parse_json(text, arena);
    REQUIRE(again);
    CHECK(std::string_view(again.value().as_string()) == raw);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json: a double that is not finite is written as null") {
  Arena arena;
  for (const double number :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    const std::string_view text = to_json(json::value(number), arena);
    CAPTURE(text);
    CHECK(text == "null");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json: a text too large for the arena's budget raises ArenaFailed") {
  std::string text = "[0";
  for (int i = 0; i < 100'000; ++i) {
    text += ",0";
  }
  text += "]";
  Arena small(ArenaOptions{.limit_bytes = 1024 * 1024});
  CHECK_THROWS_AS((void)parse_json(text, small), ArenaFailed);
  CHECK(small.make<int>(42) == 42);

  Arena large(ArenaOptions{.limit_bytes = 60 * text.size()});
  CHECK(parse_json(text, large));
}

}  // namespace
}  // namespace stadion::http
