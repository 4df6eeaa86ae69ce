// SPDX-License-Identifier: MIT
// Bodies in every content coding. The input's first byte chooses the coding and the pieces, the
// rest is the body: in pieces or whole it decodes to the same, and never beyond the limits. Then
// the body is taken for text, which has to come back from the coding.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/coded.hpp"

namespace {

using stadion::http::ContentCoding;
using stadion::http::DecodeStatus;
using stadion::tests::Decoded;
using stadion::tests::Pieces;

constexpr stadion::http::DecoderLimits kLimits{.bytes_max = 256 * 1024, .ratio_max = 1'000'000};

void require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
  }
}

void check_body(ContentCoding coding, std::string_view body, Pieces pieces) {
  const Decoded whole = stadion::tests::decoded(coding, body, kLimits);
  const Decoded in_pieces = stadion::tests::decoded(coding, body, kLimits, pieces);
  require(whole.text.size() <= kLimits.bytes_max, "more than bytes_max");
  require(whole.status == in_pieces.status, "another status in pieces");
  require(whole.status != DecodeStatus::end || whole.text == in_pieces.text,
          "another text in pieces");
  require(whole.status != DecodeStatus::need_input, "undecided at the end");
}

void check_text(ContentCoding coding, std::string_view text, Pieces pieces) {
  const std::string body = stadion::tests::encoded(coding, text, pieces);
  const Decoded decoded = stadion::tests::decoded(coding, body, kLimits, pieces);
  require(decoded.status == DecodeStatus::end && decoded.text == text, "text did not come back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array kPieces{Pieces{1, 1}, Pieces{3, 7}, Pieces{100, 64},
                                      Pieces{stadion::tests::kAtOnce, 1}};
  static const auto codings = stadion::tests::available_codings();
  if (size == 0 || codings.empty()) {
    return 0;
  }
  const Pieces pieces = kPieces[data[0] / 16 % kPieces.size()];
  const ContentCoding coding = static_cast<ContentCoding>(1 + data[0] % 16 % 3);
  if (std::find(codings.begin(), codings.end(), coding) == codings.end()) {
    return 0;
  }
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_body(coding, body, pieces);
  check_text(coding, body, pieces);
  return 0;
}
