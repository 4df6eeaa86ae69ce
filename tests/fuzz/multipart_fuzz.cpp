// SPDX-License-Identifier: MIT
// A body of parts has to read the same in one piece and in any. The input's first line says how: a
// byte for the boundary and the limits, then one for the size of each piece, over and over; the
// rest is the body.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/sizes.hpp"
#include "tests/support/multipart_transcript.hpp"

namespace {

using stadion::Arena;
using stadion::http::MultipartLimits;
using stadion::tests::expect;
using stadion::tests::MultipartTranscript;
using stadion::tests::Sizes;

constexpr std::array<std::string_view, 4> kBoundaries{
    "b", "--", "AaB03x", "0123456789012345678901234567890123456789012345678901234567890123456789"};
constexpr MultipartLimits kNarrow{
    .parts_max = 3, .part_head_bytes_max = 64, .part_fields_max = 2, .skipped_bytes_max = 8};

std::string transcript_of(std::string_view body, char choice, Sizes sizes) {
  const std::string_view boundary = kBoundaries[static_cast<unsigned char>(choice) % 4];
  const MultipartLimits limits =
      (static_cast<unsigned char>(choice) & 4) != 0 ? kNarrow : MultipartLimits{};
  Arena arena;
  MultipartTranscript transcript(boundary, limits, arena);
  const std::size_t bytes_before = arena.bytes_used();
  while (!body.empty()) {
    const std::size_t size = sizes.next(body.size());
    transcript.feed(std::string(body.substr(0, size)));  // Gone before the next one comes.
    body.remove_prefix(size);
  }
  expect(arena.bytes_used() == bytes_before, "the arena does not grow");
  expect(transcript.is_sound(), "all input is taken, and data is not empty");
  return transcript.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == 0 || line_end == std::string_view::npos) {
    return 0;
  }
  const std::string_view body = input.substr(line_end + 1);
  const char choice = input.front();
  const std::string whole = transcript_of(body, choice, Sizes(""));
  expect(transcript_of(body, choice, Sizes(input.substr(1, line_end - 1))) == whole,
         "pieces of any size read the same");
  expect(transcript_of(body, choice, Sizes("1")) == whole, "single bytes read the same");
  return 0;
}
