// SPDX-License-Identifier: MIT
#include "http/access_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/characters.hpp"
#include "http/utf8.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;

AccessRecord example() {
  return {.remote_address = "192.0.2.1",
          .user = "ann",
          .time = std::chrono::system_clock::time_point(784111777s + 12345us),
          .method = "GET",
          .target = "/a?b=c",
          .version = "HTTP/1.1",
          .status = 200,
          .body_bytes_sent = 512,
          .duration = 1250us + 999ns,
          .request_id = "7f3a",
          .referer = "https://b.example/",
          .user_agent = "curl/8.0 (x)",
          .arena_bytes = 4096};
}

/// A text of the record, and as how many bytes at most it is written.
struct TextField {
  std::string_view name;
  std::string_view AccessRecord::*member;
  std::size_t bytes_max;
};

/// What is escaped there besides what is everywhere.
std::string_view special_in(const TextField& field) {
  const std::string_view name = field.name;
  if (name == "referer" || name == "agent") {
    return "";
  }
  return name == "method" || name == "target" || name == "version" ? " " : " []";
}

const std::vector<TextField> kTexts{
    {"remote", &AccessRecord::remote_address, 64}, {"user", &AccessRecord::user, 128},
    {"method", &AccessRecord::method, 32},         {"target", &AccessRecord::target, 1536},
    {"version", &AccessRecord::version, 16},       {"id", &AccessRecord::request_id, 128},
    {"referer", &AccessRecord::referer, 768},      {"agent", &AccessRecord::user_agent, 768}};

std::string combined(const AccessRecord& record) {
  AccessLine line;
  line.fill('~');
  return std::string(format_combined(record, line));
}
std::string in_json(const AccessRecord& record) {
  AccessLine line;
  line.fill('~');
  return std::string(format_json(record, line));
}

/// The words of a combined line, as readers of the format split it: at spaces, but those between
/// quotes, or brackets outside quotes.
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words(1);
  char until = ' ';
  for (const char c : line) {
    if (until != ' ') {
      until = c == until ? ' ' : until;
    } else if (c == '"' || c == '[') {
      until = c == '[' ? ']' : c;
    } else if (c == ' ') {
      words.emplace_back();
      continue;
    }
    words.back() += c;
  }
  return words;
}

/// A reader of JSON's strings that takes nothing but what RFC 8259 section 7 allows.
std::optional<std::u32string> read_json_string(std::string_view& text) {
  std::u32string read;
  if (text.empty() || text.front() != '"') {
    return std::nullopt;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    const auto c = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (c < 0x20 || c >= 0x7F) {
      return std::nullopt;
    }
    if (c != '\\') {
      read += c;
    } else if (text.front() == '"' || text.front() == '\\') {
      read += static_cast<unsigned char>(text.front());
      text.remove_prefix(1);
    } else if (text.front() == 'u' && text.size() > 4) {
      char32_t unit = 0;
      for (const char digit : text.substr(1, 4)) {
        REQUIRE(hex_value(digit) >= 0);
        unit = unit << 4 | static_cast<char32_t>(hex_value(digit));
      }
      text.remove_prefix(5);
      if (!read.empty() && (read.back() >> 10) == (0xD800 >> 10)) {
        unit = 0x10000 + ((read.back() & 0x3FF) << 10) + (unit & 0x3FF);
        read.pop_back();
      }
      read += unit;
    } else {
      return std::nullopt;
    }
  }
  text.remove_prefix(text.empty() ? 0 : 1);
  return read;
}

/// The text of a member, found by reading the whole object.
std::u32string json_member(std::string_view line, std::u32string_view name) {
  REQUIRE(line.front() == '{');
  std::optional<std::u32string> found;
  while (line.front() == '{' || line.front() == ',') {
    line.remove_prefix(1);
    const auto key = read_json_string(line);
    REQUIRE(key);
    REQUIRE(line.front() == ':');
    line.remove_prefix(1);
    if (line.front() == '"') {
      const auto value = read_json_string(line);
      REQUIRE(value);
      found = *key == name ? value : found;
    } else {
      line.remove_prefix(line.find_first_not_of("0123456789truefals-"));
    }
  }
  REQUIRE(line == "}\n");
  REQUIRE(found);
  return *found;
}

TEST_CASE("access log: Combined Log Format, with duration, arena and request id behind it") {
  CHECK(combined(example()) ==
        "192.0.2.1 - ann [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 512 "
        "\"https://b.example/\" \"curl/8.0 (x)\" 1250 4096 7f3a\n");
  CHECK(combined({}) == "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 0 0 \"-\" \"-\" 0 0 -\n");
}

TEST_CASE("access log: one JSON object per line") {
  CHECK(in_json(example()) ==
        "{\"time\":\"1994-11-06T08:49:37.012345Z\",\"remote\":\"192.0.2.1\",\"user\":\"ann\","
        "\"method\":\"GET\",\"target\":\"/a?b=c\",\"version\":\"HTTP/1.1\",\"status\":200,"
        "\"bytes\":512,\"duration_us\":1250,\"arena_bytes\":4096,\"id\":\"7f3a\","
        "\"referer\":\"https://b.example/\",\"agent\":\"curl/8.0 (x)\"}\n");
}

TEST_CASE("access log: times before the epoch and far off keep their form") {
  AccessRecord record;
  record.time = std::chrono::system_clock::time_point(-1us);
  CHECK(combined(record).find("[31/Dec/1969:23:59:59 +0000]") != std::string::npos);
  CHECK(in_json(record).find("\"1969-12-31T23:59:59.999999Z\"") != std::string::npos);
  record.time = std::chrono::system_clock::time_point(951782400s);
  CHECK(combined(record).find("[29/Feb/2000:00:00:00 +0000]") != std::string::npos);
}

TEST_CASE("access log: combined: no byte in any field breaks the line into more words") {
  for (const TextField& field : kTexts) {
    for (unsigned byte = 0; byte <= 0xFF; ++byte) {
      CAPTURE(field.name);
      CAPTURE(byte);
      const std::string text = std::string("a") + static_cast<char>(byte) + "b";
      AccessRecord record = example();
      record.*field.member = text;
      const std::string line = combined(record);
      REQUIRE(line.find('\n') == line.size() - 1);
      for (const char c : line.substr(0, line.size() - 1)) {
        REQUIRE((c >= ' ' && c < 0x7F));
      }
      REQUIRE(split(line).size() == 12);
      const std::string in_line = split(line)[4];
      REQUIRE(std::count(in_line.begin(), in_line.end(), ' ') == 2);
      char escape[8];
      std::snprintf(escape, sizeof escape, "a\\x%02xb", byte);
      const bool is_plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
      const std::string_view also_escaped = special_in(field);
      const bool is_escaped =
          !is_plain || also_escaped.find(static_cast<char>(byte)) != std::string_view::npos;
      REQUIRE(line.find(is_escaped ? escape : text) != std::string::npos);
    }
  }
}

TEST_CASE("access log: JSON: every byte in any field gives valid JSON, and can be read again") {
  for (const TextField& field : kTexts) {
    const std::u32string name(field.name.begin(), field.name.end());
    for (unsigned byte = 0; byte <= 0xFF; ++byte) {
      CAPTURE(field.name);
      CAPTURE(byte);
      const std::string text = std::string("a") + static_cast<char>(byte) + "b";
      AccessRecord record = example();
      record.*field.member = text;
      const std::string line = in_json(record);
      REQUIRE(line.find('\n') == line.size() - 1);
      const char32_t expected = byte < 0x80 ? byte : 0xFFFD;
      const bool is_read = json_member(line, name) == std::u32string{U'a', expected, U'b'};
      REQUIRE(is_read);
    }
  }
}

TEST_CASE("access log: JSON: every character comes through, what is none becomes U+FFFD") {
  const auto read = [](std::string_view text) {
    AccessRecord record;
    record.target = text;
    return json_member(in_json(record), U"target");
  };
  CHECK((read("\x7F\xC2\x80\xC3\xA4\xE2\x82\xAC") == U"\x7F\x80\xE4\u20AC"));
  CHECK((read("\xF0\x9F\x98\x80.\xF4\x8F\xBF\xBF") == U"\U0001F600.\U0010FFFF"));
  CHECK((read("\xC3") == U"\uFFFD"));
  CHECK((read("\xE2\x82.") == U"\uFFFD\uFFFD."));
  CHECK((read("\xC0\x80\xED\xA0\x80") == U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"));
  CHECK((read("\xF4\x90\x80\x80") == U"\uFFFD\uFFFD\uFFFD\uFFFD"));
}

TEST_CASE("access log: a text is cut and marked one byte above its limit, not at it") {
  for (const TextField& field : kTexts) {
    CAPTURE(field.name);
    for (const std::size_t over : {0U, 1U}) {
      for (const std::size_t below : {1U, 0U}) {
        const std::string text(field.bytes_max + over - (over == 0 ? below : 0), 'a');
        AccessRecord record;
        record.method = "GET";
        record.*field.member = text;
        const std::string cut(field.bytes_max - 4, 'a');
        const std::string expected = over == 0 ? text : cut + "\\...";
        CHECK(combined(record).find(expected) != std::string::npos);
        CHECK((combined(record).find("\\...") != std::string::npos) == (over == 1));
        CHECK((in_json(record).find("a...\"") != std::string::npos) == (over == 1));
        CHECK((in_json(record).find(",\"truncated\":true}\n") != std::string::npos) == (over == 1));
      }
    }
  }
}

TEST_CASE("access log: an escape is written whole, or not at all") {
  for (std::size_t before = 740; before <= 770; ++before) {
    CAPTURE(before);
    const std::string text = std::string(before, 'a') + "\xF0\x9F\x98\x80\xFF\xFF";
    AccessRecord record;
    record.user_agent = text;
    (void)json_member(in_json(record), U"agent");
    const std::string line = combined(record);
    REQUIRE(split(line).size() == 12);
    const std::string agent = split(line)[8];
    const std::size_t escapes = agent.find('\\');
    REQUIRE(agent.size() <= 768 + 2);
    for (std::size_t at = escapes; at < agent.size() - 1; at += 4) {
      const std::string escape = agent.substr(at, 4);
      CHECK((escape.substr(0, 2) == "\\x" || escape == "\\..."));
    }
  }
}

TEST_CASE("access log: the longest line that there can be fits") {
  for (const char c : {'a', '\n', '\xFF'}) {
    const std::string text(10'000, c);
    AccessRecord record{.body_bytes_sent = std::numeric_limits<std::uint64_t>::max(),
                        .duration = std::chrono::nanoseconds::min(),
                        .arena_bytes = std::numeric_limits<std::uint64_t>::max()};
    record.time = std::chrono::system_clock::time_point::max();
    record.status = std::numeric_limits<unsigned>::max();
    for (const TextField& field : kTexts) {
      record.*field.member = text;
    }
    CHECK(combined(record).size() <= kAccessLineBytesMax);
    CHECK(combined(record).size() > kAccessLineBytesMax - 700);
    CHECK(in_json(record).size() <= kAccessLineBytesMax);
    (void)json_member(in_json(record), U"agent");
  }
}

}  // namespace
}  // namespace stadion::http
