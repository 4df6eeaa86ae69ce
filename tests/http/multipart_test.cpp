// SPDX-License-Identifier: MIT
#include "http/multipart.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/multipart_bodies.hpp"

namespace stadion::http {
namespace {

using tests::kBoundary;
using tests::kDelimiter;
using tests::LiveArenas;
using tests::transcript;
using tests::transcript_of;
using Kind = MultipartParser::Event::Kind;

std::string with_data(std::string_view data) {
  return "--AaB03x\r\n\r\n" + std::string(data) + "\r\n--AaB03x--";
}

/// What the transcript of with_data() has to be.
std::string of_data(std::string_view data) {
  const std::string shown =
      data.empty() ? "" : "data(" + std::to_string(data.size()) + ")" + std::string(data);
  return "{name=none;file=none;type=text/plain;}" + shown + "}end";
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: a form as browsers send it, split anywhere [RFC 7578]") {
  CHECK(transcript("--AaB03x\r\n"
                   "Content-Disposition: form-data; name=\"user\"\r\n"
                   "\r\n"
                   "Ada\r\n"
                   "--AaB03x\r\n"
                   "Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n"
                   "Content-Type: image/png\r\n"
                   "\r\n"
                   "\x89PNG\r\n\x1A\n\r\n"
                   "--AaB03x--\r\n") ==
        "{name=user;file=none;type=text/plain;Content-Disposition: form-data; name=\"user\";}"
        "data(3)Ada}"
        "{name=photo;file=a.png;type=image/png;"
        "Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\";"
        "Content-Type: image/png;}"
        "data(8)\x89PNG\r\n\x1A\n}end");
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: parts without data, and a body without parts") {
  CHECK(transcript("--AaB03x--") == "end");
  CHECK(transcript("--AaB03x--\r\n") == "end");
  CHECK(transcript("\r\n--AaB03x--") == "end");
  CHECK(transcript(with_data("")) == of_data(""));
  // The head's empty line may be the line end of the delimiter (RFC 2046 section 5.1.1).
  CHECK(transcript("--AaB03x\r\n\r\n--AaB03x--") == of_data(""));
  CHECK(transcript("--AaB03x\r\n\r\n--AaB03x\r\n\r\n--AaB03x--") ==
        "{name=none;file=none;type=text/plain;}}" + of_data(""));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart: data that looks like a delimiter up to any byte is data") {
  for (std::size_t size = 1; size < kDelimiter.size(); ++size) {
    CAPTURE(size);
    const std::string begun(kDelimiter.substr(0, size));
    const std::string in_line = begun.substr(std::min<std::size_t>(size, 2));
    for (const std::string& data : {begun, begun + "~", "ab" + begun + "~cd", begun + begun,
                                    begun + "\r", begun + "\n", in_line, in_line + "~"}) {
      CAPTURE(data);
      CHECK(transcript(with_data(data)) == of_data(data));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: line ends of any kind are data") {
  for (const std::string_view data :
       {"\r", "\n", "\r\n", "\n\r", "\r\r\n", "\r\n\r\n", "\r\n--", "\n--AaB03x", "\r--AaB03x\r\n",
        " --AaB03x", "a--AaB03x--\r\n", "\r\n --AaB03x", "\r\n--aAB03x", "\r\n-AaB03x", "-",
        "--"}) {
    CAPTURE(data);
    CHECK(transcript(with_data(data)) == of_data(data));
  }
  std::string all_bytes;
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    all_bytes += static_cast<char>(byte);
  }
  CHECK(transcript(with_data(all_bytes)) == of_data(all_bytes));
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: a part within a part is data") {
  const std::string inner = "--inner\r\n\r\nx\r\n--inner--";
  CHECK(transcript(with_data(inner)) == of_data(inner));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart: what stands before, after and beside delimiters is skipped") {
  const std::string part = "{name=none;file=none;type=text/plain;}data(1)x}";
  CHECK(transcript("A preamble\r\n--AaB0\r\n--AaB03x\r\n\r\nx\r\n--AaB03x--") == part + "end");
  CHECK(transcript("\r\n\r\n--AaB03x\r\n\r\nx\r\n--AaB03x--") == part + "end");
  CHECK(transcript(with_data("x") + "\r\nAn epilogue\r\n--AaB03x\r\n") == part + "end");
  CHECK(transcript("--AaB03x \t\r\n\r\nx\r\n--AaB03x\t\r\n\r\nx\r\n--AaB03x-- \r\n") ==
        part + part + "end");
  CHECK(transcript(with_data("x") + " \t") == part + "end");
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: all that is skipped has a limit") {
  constexpr std::size_t skipped_bytes_max = 12;
  const MultipartLimits limits{.skipped_bytes_max = skipped_bytes_max};
  for (const std::size_t bytes :
       {skipped_bytes_max - 1, skipped_bytes_max, skipped_bytes_max + 1}) {
    CAPTURE(bytes);
    const bool is_good = bytes <= skipped_bytes_max;
    const std::string dots(bytes, '.');
    const std::string spaces(bytes, ' ');
    const std::string part = with_data("x");
    for (const std::string& body :
         {dots + "\r\n" + part, part + "\r\n" + dots, "--AaB03x" + spaces + part.substr(8),
          part + spaces, "...\r\n--AaB03x " + part.substr(8) + " \r\n" + dots.substr(5)}) {
      CAPTURE(body);
      const std::string result = transcript(body, limits);
      CHECK(result.ends_with(is_good ? "}end" : "The body has too much beside its parts.\n"));
    }
  }
  CHECK(MultipartLimits{}.skipped_bytes_max == 4096);
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: a delimiter with anything else behind it is an error") {
  for (const std::string_view end : {"y\r\n", "-\r\n", "-y", " -", " --", "\n", "\r\r\n", " \ry",
                                     "--y", "-- y", "--\n", "--\ry", "---"}) {
    CAPTURE(end);
    const std::string result =
        transcript("--AaB03x\r\n\r\nx\r\n--AaB03x" + std::string(end) + "\r\n--AaB03x--");
    CHECK(result.ends_with("A delimiter of parts is malformed.\n"));
    CHECK(result.starts_with("{name=none;file=none;type=text/plain;}data(1)x}"));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: a body that ends before its last delimiter is an error") {
  const std::string body = "..\r\n--AaB03x\r\nA: b\r\n\r\nx\r\n--AaB03x--\r\n.";
  const std::size_t end_of_parts = body.find("--\r\n.") + 2;
  for (std::size_t size = 0; size <= body.size(); ++size) {
    CAPTURE(size);
    const std::string result = transcript_of({std::string_view(body).substr(0, size)});
    const bool is_good = size >= end_of_parts;
    CHECK(result.ends_with(is_good ? "}end" : "The body ends before its last delimiter.\n"));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: parts over the limit are an error") {
  constexpr std::size_t parts_max = 3;
  for (const std::size_t parts : {parts_max - 1, parts_max, parts_max + 1}) {
    CAPTURE(parts);
    std::string body = "--AaB03x";
    for (std::size_t i = 0; i < parts; ++i) {
      body += "\r\n\r\nx\r\n--AaB03x";
    }
    const std::string result = transcript(body + "--", {.parts_max = parts_max});
    const bool is_good = parts <= parts_max;
    CHECK(result.ends_with(is_good ? "}end" : "}The body has too many parts.\n"));
    CHECK(std::count(result.begin(), result.end(), '{') ==
          static_cast<std::ptrdiff_t>(std::min(parts, parts_max)));
  }
  CHECK(MultipartLimits{}.parts_max == 1000);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart: an error stays, takes no more input, and finish tells it") {
  Arena arena;
  MultipartParser parser(kBoundary, {}, arena);
  std::string_view input = "--AaB03x!";
  CHECK(parser.next(input).kind == Kind::error);
  input = "--AaB03x--";
  CHECK(parser.next(input).kind == Kind::error);
  CHECK(input.size() == 10);
  input = {};
  CHECK(parser.next(input).kind == Kind::error);
  CHECK(parser.error() == MultipartError::malformed_delimiter);
  CHECK(parser.finish() == MultipartError::malformed_delimiter);
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: data is not copied, but for what was held back") {
  Arena arena;
  MultipartParser parser(kBoundary, {}, arena);
  const std::string_view first = "--AaB03x\r\n\r\nabc\r\n--Aa";
  std::string_view input = first;
  CHECK(parser.next(input).kind == Kind::part_begin);
  const MultipartParser::Event event = parser.next(input);
  CHECK(event.kind == Kind::data);
  CHECK(event.data == "abc");
  CHECK(event.data.data() == first.data() + 12);
  CHECK(parser.next(input).kind == Kind::need_more);
  input = "!";
  CHECK(parser.next(input).data == "\r\n--Aa");
  CHECK(input == "!");
  CHECK(parser.next(input).data == "!");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart: memory does not grow with the number of parts or the data") {
  Arena arena;
  MultipartParser parser(kBoundary, {}, arena);
  const std::size_t bytes_before = arena.bytes_used();
  CHECK(bytes_before < std::size_t{16} * 1024);
  const std::string part =
      "--AaB03x\r\nContent-Disposition: form-data; name=\"%22\"\r\nA: b\r\nC: d\r\n\r\n" +
      std::string(10'000, 'x') + "\r\n";
  std::size_t parts = 0;
  const char* name = nullptr;
  for (int i = 0; i < 1000; ++i) {
    std::string_view input = part;
    for (auto event = parser.next(input); event.kind != Kind::need_more;
         event = parser.next(input)) {
      if (event.kind == Kind::part_begin) {
        const char* const previous = std::exchange(name, parser.part().name->data());
        CHECK((parts == 0 || previous == name));
        ++parts;
      }
    }
  }
  CHECK(parts == 1000);
  CHECK(parser.error() == MultipartError::none);
  CHECK(arena.bytes_used() == bytes_before);
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: with no memory the constructor throws ArenaFailed") {
  Arena arena{ArenaOptions{.limit_bytes = 0}};
  CHECK_THROWS_AS(MultipartParser(kBoundary, MultipartLimits{}, arena), ArenaFailed);
}

TEST_CASE_FIXTURE(LiveArenas, "multipart: a boundary has 1 to 70 characters [RFC 2046 §5.1.1]") {
  const auto error_of = [](std::string_view boundary) {
    Arena arena;
    MultipartParser parser(boundary, MultipartLimits{}, arena);
    const std::string body =
        "--" + std::string(boundary) + "\r\n\r\nx\r\n--" + std::string(boundary) + "--";
    std::string_view input = body;
    Kind kind = Kind::data;
    while (kind != Kind::need_more && kind != Kind::error) {
      kind = parser.next(input).kind;
    }
    return parser.finish();
  };
  for (const std::string& good :
       {std::string("a"), std::string(69, 'a'), std::string(70, 'a'), std::string("a b"),
        std::string("-"), std::string("0189azAZ'()+_,-./:=?"), std::string("----WebKitForm7MA4")}) {
    CAPTURE(good);
    CHECK(error_of(good) == MultipartError::none);
  }
  for (const std::string& bad :
       {std::string(), std::string(71, 'a'), std::string("a "), std::string("a\r\nb"),
        std::string("a\tb"), std::string("a;b"), std::string("a\0", 2), std::string("\xC3\xA4"),
        std::string("a\"b"), std::string("a*b")}) {
    CAPTURE(bad);
    CHECK(error_of(bad) == MultipartError::malformed_boundary);
  }
}

TEST_CASE("multipart: the boundary that a Content-Type gives") {
  CHECK(multipart_boundary("multipart/form-data; boundary=AaB03x") == "AaB03x");
  CHECK(multipart_boundary("Multipart/Mixed;charset=utf-8 ;BOUNDARY=\"a b:c\"") == "a b:c");
  CHECK(multipart_boundary("multipart/form-data; x=\"boundary=b;\"; boundary=a;") == "a");
  const std::string boundary(70, 'b');
  const std::string type = "multipart/form-data; boundary=";
  CHECK(multipart_boundary(type + boundary) == boundary);
  CHECK_FALSE(multipart_boundary(type + boundary + "b").has_value());
  for (const std::string_view value :
       {"", "multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=a; boundary=a", "multipart/form-data; boundary=a b",
        "multipart/form-data; boundary=\"a\\b\"", "multipart/form-data; boundary=\"a%22\"",
        "multipart/form-data; boundary=a=b", "text/plain; boundary=a", "multipart; boundary=a",
        "multipart/form-data boundary=a", "multipart/form-data; x=\"boundary=b\""}) {
    CAPTURE(value);
    CHECK_FALSE(multipart_boundary(value).has_value());
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart: random bodies in random pieces are read as they were made") {
  std::random_device device;
  const std::uint32_t seed = device();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string body = "--AaB03x";
    std::string expected;
    for (std::size_t parts = random() % 4; parts > 0; --parts) {
      std::string data;
      for (std::size_t pieces = random() % 6; pieces > 0; --pieces) {
        data += random() % 2 == 0 ? kDelimiter.substr(0, random() % kDelimiter.size())
                                  : std::string_view("\r\n-~!").substr(random() % 5);
      }
      body += "\r\nA: b\r\n\r\n" + data + std::string(kDelimiter);
      const std::string shown =
          data.empty() ? "" : "data(" + std::to_string(data.size()) + ")" + data;
      expected += "{name=none;file=none;type=text/plain;A: b;}" + shown + "}";
    }
    body += "--";
    CAPTURE(body);

    std::vector<std::string_view> pieces;
    for (std::string_view rest = body; !rest.empty();) {
      pieces.push_back(rest.substr(0, random() % 20));
      rest.remove_prefix(pieces.back().size());
    }
    CHECK(transcript_of(pieces) == expected + "end");
  }
}

}  // namespace
}  // namespace stadion::http
