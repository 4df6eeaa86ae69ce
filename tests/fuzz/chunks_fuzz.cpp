// SPDX-License-Identifier: MIT
// A chunked body ends, and says, what a plain reading of RFC 9112 section 7.1 finds, or it is refused. The
// input's first line says how large the pieces are, see Sizes; the rest is the body, and what follows it.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "http/parser.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/sizes.hpp"

namespace {

using stadion::Arena;
using stadion::http::Limits;
using stadion::http::Parser;
using stadion::tests::expect;
using stadion::tests::pieces_of;
using stadion::tests::Sizes;

constexpr std::string_view kHead =
    "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr Limits kLimits{
    .body_bytes_max = 300, .chunk_extension_bytes_max = 40, .trailer_bytes_max = 100};

struct Body {
  std::string data{};
  std::size_t end = 0;   ///< Behind it the next request begins.
  bool is_plain = true;  ///< Nothing is in it but sizes and data: there is no cause to refuse it.
};

/// None where the text is not a whole chunked body, by whichever reading.
class ChunkReader {
 public:
  explicit ChunkReader(std::string_view text) noexcept : rest_(text), bytes_(text.size()) {}

  std::optional<Body> read() {
    std::optional<std::string_view> line = next_line();
    for (; line.has_value(); line = next_line()) {
      const std::optional<std::size_t> size = size_in(*line);
      if (!size.has_value()) {
        return std::nullopt;
      }
      if (*size == 0) {
        return read_trailer() ? std::optional(body_) : std::nullopt;
      }
      if (*size > rest_.size() || !rest_.substr(*size).starts_with(kLineEnd)) {
        return std::nullopt;
      }
      body_.data += rest_.substr(0, *size);
      rest_.remove_prefix(*size + kLineEnd.size());
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string_view> next_line() {
    const std::size_t end = rest_.find(kLineEnd);
    if (end == std::string_view::npos ||
        rest_.substr(0, end).find_first_of("\r\n") != std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + kLineEnd.size());
    return line;
  }

  std::optional<std::size_t> size_in(std::string_view line) {
    std::size_t size = 0;
    const char* line_end = line.data() + line.size();
    const auto [end, error] = std::from_chars(line.data(), line_end, size, 16);
    if (error != std::errc() || (end != line_end && *end != ';')) {
      return std::nullopt;
    }
    body_.is_plain = body_.is_plain && end == line_end && line.size() <= 16;
    return size;
  }

  bool read_trailer() {
    std::optional<std::string_view> line = next_line();
    for (; line.has_value() && !line->empty(); line = next_line()) {
      body_.is_plain = false;
    }
    body_.end = bytes_ - rest_.size();
    return line.has_value();
  }

  std::string_view rest_;
  std::size_t bytes_;
  Body body_;
};

/// What the parser makes of it; none where it refuses, or waits for more.
std::optional<Body> parsed(std::string_view text, Sizes sizes) {
  Arena arena;
  Parser parser(kLimits);
  parser.begin(arena);
  expect(parser.feed(kHead).state == Parser::State::head_complete, "a body is announced");
  std::size_t consumed = 0;
  for (const std::string_view piece : pieces_of(text, sizes)) {
    const Parser::Progress progress = parser.feed(piece);
    consumed += progress.consumed;
    if (progress.state == Parser::State::failed) {
      return std::nullopt;
    }
    if (progress.state == Parser::State::complete) {
      return Body{.data = std::string(parser.request()->body()), .end = consumed};
    }
  }
  return std::nullopt;
}

void check(const std::optional<Body>& found, const std::optional<Body>& expected) {
  expect(!found.has_value() || expected.has_value(), "nothing else is taken for a chunked body");
  if (found.has_value()) {
    expect(found->data == expected->data, "the data is what is in the chunks");
    expect(found->end == expected->end, "the next request begins behind the body");
  } else if (expected.has_value()) {
    expect(!expected->is_plain || expected->data.size() > kLimits.body_bytes_max,
           "what has no fault is taken");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) {
    return 0;
  }
  const std::string_view text = input.substr(line_end + 1);
  const std::optional<Body> expected = ChunkReader(text).read();
  check(parsed(text, Sizes("")), expected);
  check(parsed(text, Sizes(input.substr(0, line_end))), expected);
  return 0;
}
