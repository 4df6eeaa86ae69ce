// SPDX-License-Identifier: MIT
// Requests have to read the same in one piece and in any. The input's first line says how large the
// pieces are, see Sizes; the rest is requests, one behind the other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/parser.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/sizes.hpp"

namespace {

using stadion::Arena;
using stadion::http::Field;
using stadion::http::Fields;
using stadion::http::Limits;
using stadion::http::ParseError;
using stadion::http::Parser;
using stadion::http::Request;
using stadion::tests::expect;
using stadion::tests::pieces_of;
using stadion::tests::Sizes;

constexpr Limits kLimits{.head_bytes_max = 512,
                         .target_bytes_max = 100,
                         .fields_max = 12,
                         .body_bytes_max = 300,
                         .chunk_extension_bytes_max = 20,
                         .trailer_bytes_max = 60};

void append(std::string& text, std::string_view part) { text.append(part).append("\n"); }

void append(std::string& text, const Fields& fields) {
  for (const Field& field : fields) {
    expect(!field.name.empty(), "a field has a name");
    expect(field.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos,
           "a value has no line end in it, and no NUL");
    append(text, field.name);
    append(text, field.value);
  }
}

/// What came of the requests, copied out of their arenas.
class Transcript {
 public:
  explicit Transcript(const Limits& limits) : parser_(limits) { begin(); }

  /// False when nothing more can be understood. The piece's memory is its own, and gone afterwards.
  bool feed(std::string_view piece) {
    const auto memory = std::make_unique<char[]>(piece.size());
    std::copy(piece.begin(), piece.end(), memory.get());
    std::string_view unread(memory.get(), piece.size());
    while (!unread.empty()) {
      const Parser::Progress progress = parser_.feed(unread);
      expect(progress.consumed <= unread.size(), "no more is taken than there is");
      unread.remove_prefix(progress.consumed);
      switch (progress.state) {
        case Parser::State::need_more:
          expect(unread.empty(), "all is taken where more is needed");
          break;
        case Parser::State::failed:
          expect(parser_.error() != ParseError::none, "there is an error");
          text_ += "error " + std::to_string(static_cast<int>(parser_.error())) + "\n";
          return false;
        case Parser::State::head_complete: break;
        case Parser::State::complete:
          note_request(*parser_.request());
          begin();
          break;
      }
    }
    return true;
  }
  std::string text() && { return std::move(text_); }

 private:
  void begin() {
    arena_ = std::make_unique<Arena>();
    parser_.begin(*arena_);
  }

  void note_request(const Request& request) {
    text_ += std::to_string(static_cast<int>(request.method())) +
             (parser_.framing().keep_alive ? " goes on\n" : " closes\n");
    for (const std::string_view part :
         {request.target(), request.raw_path(), request.raw_query(), request.host()}) {
      append(text_, part);
    }
    append(text_, request.headers());
    append(text_, request.trailers());
    append(text_, request.body());
    expect(request.body().size() == parser_.body_bytes(), "the body is as long as it was");
    expect(request.body().size() <= kLimits.body_bytes_max, "the body is within its limit");
  }

  std::unique_ptr<Arena> arena_;
  Parser parser_;
  std::string text_;
};

std::string transcript_of(std::string_view input, Sizes sizes) {
  Transcript transcript(kLimits);
  for (const std::string_view piece : pieces_of(input, sizes)) {
    if (!transcript.feed(piece)) {
      break;
    }
  }
  return std::move(transcript).text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) {
    return 0;
  }
  const std::string_view requests = input.substr(line_end + 1);
  const std::string whole = transcript_of(requests, Sizes(""));
  expect(transcript_of(requests, Sizes(input.substr(0, line_end))) == whole,
         "pieces of any size read the same");
  expect(transcript_of(requests, Sizes("1")) == whole, "single bytes read the same");
  return 0;
}
