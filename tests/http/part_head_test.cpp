// SPDX-License-Identifier: MIT
#include "http/part_head.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "http/multipart.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/multipart_bodies.hpp"

namespace stadion::http {
namespace {

using tests::kBoundary;
using tests::LiveArenas;
using tests::transcript;
using Kind = MultipartParser::Event::Kind;

/// One part with this head, whose lines are separated by '|', and the data "x".
std::string with_head(std::string_view lines) {
  std::string head;
  for (const char c : lines) {
    head += c == '|' ? std::string("\r\n") : std::string(1, c);
  }
  return "--AaB03x\r\n" + head + "\r\n\r\nx\r\n--AaB03x--";
}

std::string with_disposition(std::string_view parameters) {
  return with_head("Content-Disposition: form-data" + std::string(parameters));
}

/// The first part of a body that comes at once; the parser and its memory live as long as this.
struct FirstPart {
  explicit FirstPart(std::string text)
      : body(std::move(text)), parser(kBoundary, MultipartLimits{}, arena), rest(body) {
    kind = parser.next(rest).kind;
  }

  std::string body;
  Arena arena;
  MultipartParser parser;
  std::string_view rest;
  Kind kind;
};

TEST_CASE_FIXTURE(LiveArenas, "part head: names in quotes are decoded as browsers write them") {
  const std::vector<std::pair<std::string_view, std::string_view>> names{
      {"\"a\"", "a"},
      {"a", "a"},
      {"\"\"", ""},
      {"\"a b;c=d\"", "a b;c=d"},
      {"\"\xC3\xA4\"", "\xC3\xA4"},
      {"\"a%22b%0D%0Ac\"", "a\"b\r\nc"},
      {"\"%20%2522%0d\"", "%20%2522%0d"},  // Browsers escape nothing else.
      {"a%22b", "a%22b"},                  // And these only in quotes.
      {"\"a\\\"b\"", "a\"b"},
      {"\"a\\\\\"", "a\\"},
      {"\"C:\\dir\\file\"", "C:\\dir\\file"},
      {"\"\\\\server\"", "\\server"}};
  for (const auto& example : names) {
    CAPTURE(example.first);
    const auto& [sent, name] = example;
    const FirstPart first(with_disposition("; name=" + std::string(sent)));
    CHECK(first.kind == Kind::part_begin);
    CHECK(first.parser.part().name == name);
    CHECK_FALSE(first.parser.part().filename.has_value());
    // The field itself is left as it was sent.
    CHECK(first.parser.part().fields.find("Content-Disposition") ==
          "form-data; name=" + std::string(sent));
    const FirstPart file(with_disposition("; name=\"%22\"; filename=" + std::string(sent)));
    CHECK(file.parser.part().name == "\"");
    CHECK(file.parser.part().filename == name);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "part head: parameters in whatever order, case and spacing") {
  for (const std::string_view parameters :
       {"; name=a; filename=b", ";filename=b;name=a", " ;\tNAME=\"a\" ; FileName=\"b\";",
        ";; x=y; name=a; filename=b ; filename*=UTF-8''c%20d", "; name=a; filename=b; xname=c"}) {
    CAPTURE(parameters);
    const FirstPart first(with_disposition(parameters));
    CHECK(first.kind == Kind::part_begin);
    CHECK(first.parser.part().name == "a");
    CHECK(first.parser.part().filename == "b");
  }
  CHECK_FALSE(FirstPart(with_disposition("")).parser.part().name.has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "part head: filename* is ignored [RFC 7578 §4.2]") {
  const FirstPart first(with_disposition("; name=a; filename*=UTF-8''evil"));
  CHECK(first.kind == Kind::part_begin);
  CHECK_FALSE(first.parser.part().filename.has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "part head: a malformed disposition is an error") {
  for (const std::string_view parameters :
       {"; name", "; name=", "; =a", "; name=\"a", "; name=\"a\\\"", "; name=\"a\"b", "; name=a b",
        "; name =a", "; name= a", "; name=a; name=b", "; name=a; NAME=\"a\"",
        "; filename=a; filename=b", "; name=a/b", "; na\"me=a", "; name=\"a\" \"b\"",
        ", name=a;=", "|Content-Disposition: form-data"}) {
    CAPTURE(parameters);
    CHECK(transcript(with_disposition(parameters)) == "A part's header is malformed.\n");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "part head: a malformed header line is an error") {
  for (const std::string_view head :
       {"a", ": b", "a : b", "a b: c", "a: b| c: d", "a: b|\tc", " a: b", "a: b\nc: d", "a: b\rc",
        "a: b|c", "\xC3\xA4: b", "a: \x01", "a: b\r|c: d", "\n"}) {
    CAPTURE(head);
    CHECK(transcript(with_head(head)) == "A part's header is malformed.\n");
  }
  CHECK(transcript("--AaB03x\r\n\n\r\nx\r\n--AaB03x--") == "A part's header is malformed.\n");
  const std::string nul("--AaB03x\r\na: b\0\r\n\r\n", 20);
  CHECK(transcript(nul) == "A part's header is malformed.\n");
}

TEST_CASE_FIXTURE(LiveArenas, "part head: header lines are trimmed, may be empty and repeat") {
  CHECK(transcript(with_head("A: \t b c |B:|a:d|Content-Type: a/b|Content-type: c/d")) ==
        "{name=none;file=none;type=a/b;A: b c;B: ;a: d;Content-Type: a/b;Content-type: c/d;}"
        "data(1)x}end");
}

TEST_CASE_FIXTURE(LiveArenas, "part head: a part's head over the limit is an error") {
  constexpr std::size_t head_bytes_max = 24;
  const MultipartLimits limits{.part_head_bytes_max = head_bytes_max};
  for (const std::size_t bytes : {head_bytes_max - 1, head_bytes_max, head_bytes_max + 1}) {
    CAPTURE(bytes);
    const bool is_good = bytes <= head_bytes_max;
    const std::string value(bytes - 7, 'v');  // Beside "a:" CR LF, and CR LF.
    const std::string two_values = value.substr(0, 4) + "|b:" + value.substr(8);
    for (const std::string& head : {"a:-" + value, "a:-" + two_values}) {
      CAPTURE(head);
      const std::string result = transcript(with_head(head), limits);
      CHECK(result.ends_with(is_good ? "}end" : "A part's header is too large.\n"));
    }
  }
  CHECK(MultipartLimits{}.part_head_bytes_max == 4096);
}

TEST_CASE_FIXTURE(LiveArenas, "part head: a head without an end is refused at its limit") {
  const std::string endless = "--AaB03x\r\n" + std::string(200, 'a');
  CHECK(transcript(endless, {.part_head_bytes_max = 100}) == "A part's header is too large.\n");
}

TEST_CASE_FIXTURE(LiveArenas, "part head: header fields over the limit are an error") {
  constexpr std::size_t fields_max = 3;
  for (const std::size_t fields : {fields_max - 1, fields_max, fields_max + 1}) {
    CAPTURE(fields);
    std::string head = "a:b";
    for (std::size_t i = 1; i < fields; ++i) {
      head += "|a:b";
    }
    const std::string result = transcript(with_head(head), {.part_fields_max = fields_max});
    const bool is_good = fields <= fields_max;
    CHECK(result.ends_with(is_good ? "}end" : "A part has too many header fields.\n"));
  }
  CHECK(MultipartLimits{}.part_fields_max == 16);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "part head: a part's head stays through its data, whatever the input") {
  Arena arena;
  MultipartParser parser(kBoundary, {}, arena);
  const auto feed = [&parser](std::string piece) {  // Which is gone when this has returned.
    std::string_view input = piece;
    Kind kind = Kind::need_more;
    for (auto event = parser.next(input); event.kind != Kind::need_more;
         event = parser.next(input)) {
      kind = event.kind;
    }
    return kind;
  };
  CHECK(feed("--AaB03x\r\nContent-Disposition: form-data; na") == Kind::need_more);
  CHECK(feed("me=\"a%22b\"; filename=f\r\n\r\n") == Kind::part_begin);
  CHECK(feed("some data") == Kind::data);
  CHECK(parser.part().name == "a\"b");
  CHECK(parser.part().fields.find("content-disposition") ==
        "form-data; name=\"a%22b\"; filename=f");
  CHECK(feed("\r\n--AaB03x") == Kind::part_end);
  CHECK(parser.part().name == "a\"b");
  CHECK(feed("\r\n\r\n") == Kind::part_begin);
  CHECK_FALSE(parser.part().name.has_value());
  CHECK_FALSE(parser.part().filename.has_value());
  CHECK(parser.part().fields.empty());
}

}  // namespace
}  // namespace stadion::http
