// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/multipart.hpp"
#include "tests/support/multipart_transcript.hpp"

namespace stadion::tests {

inline constexpr std::string_view kBoundary = "AaB03x";
inline constexpr std::string_view kDelimiter = "\r\n--AaB03x";

/// The transcript of a body that comes in these pieces, none of which outlives its turn.
inline std::string transcript_of(const std::vector<std::string_view>& pieces,
                                 http::MultipartLimits limits = {}) {
  Arena arena;
  MultipartTranscript transcript(kBoundary, limits, arena);
  for (const std::string_view piece : pieces) {
    transcript.feed(std::string(piece));
  }
  CHECK(transcript.is_sound());
  return transcript.finish();
}

/// The transcript of the whole body, which has to be that of every split of it, too.
inline std::string transcript(std::string_view body, http::MultipartLimits limits = {}) {
  const std::string whole = transcript_of({body}, limits);
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < body.size(); ++at) {
    CAPTURE(at);
    CHECK(transcript_of({body.substr(0, at), body.substr(at)}, limits) == whole);
    bytes.push_back(body.substr(at, 1));
  }
  CHECK(transcript_of(bytes, limits) == whole);
  return whole;
}

}  // namespace stadion::tests
