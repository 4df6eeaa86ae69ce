// SPDX-License-Identifier: MIT
#include "http/parse_error.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("parse error: each has a status that fits, and one short sentence of its own") {
  struct Case {
    ParseError error;
    unsigned status;
  };
  const Case cases[] = {
      {ParseError::malformed_request_line, 400},
      {ParseError::malformed_header, 400},
      {ParseError::malformed_host, 400},
      {ParseError::malformed_content_length, 400},
      {ParseError::malformed_transfer_encoding, 400},
      {ParseError::ambiguous_framing, 400},
      {ParseError::malformed_chunk, 400},
      {ParseError::malformed_trailer, 400},
      {ParseError::target_too_long, 414},
      {ParseError::head_too_large, 431},
      {ParseError::too_many_fields, 431},
      {ParseError::body_too_large, 413},
      {ParseError::trailer_too_large, 431},
      {ParseError::out_of_memory, 503},
      {ParseError::unknown_method, 501},
      {ParseError::unknown_transfer_coding, 501},
      {ParseError::unsupported_version, 505},
      {ParseError::unknown_expectation, 417},
  };
  CHECK(std::size(cases) == static_cast<std::size_t>(ParseError::unknown_expectation));
  std::set<std::string_view> texts;
  for (const Case& example : cases) {
    const ParseErrorAnswer answer = answer_to(example.error);
    CAPTURE(answer.text);
    CHECK(code_of(answer.status) == example.status);
    CHECK(answer.text.ends_with(".\n"));
    CHECK(answer.text.size() < 80);
    CHECK(texts.insert(answer.text).second);
  }
}

}  // namespace
}  // namespace stadion::http
