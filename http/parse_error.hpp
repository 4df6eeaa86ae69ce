// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "http/status.hpp"

namespace stadion::http {

/// Why a request could not be read. After any of these nobody knows where the next request begins,
/// so the connection is closed after the answer.
enum class ParseError : std::uint8_t {
  none,
  malformed_request_line,
  malformed_header,
  malformed_host,
  malformed_content_length,
  malformed_transfer_encoding,
  ambiguous_framing,
  malformed_chunk,
  malformed_trailer,
  target_too_long,
  head_too_large,
  too_many_fields,
  body_too_large,
  trailer_too_large,
  out_of_memory,
  unknown_method,
  unknown_transfer_coding,
  unsupported_version,
  unknown_expectation,
};

struct ParseErrorAnswer {
  Status status;
  /// The body of the answer: a short sentence, with its end of line.
  std::string_view text;
};

/// The one table from errors to answers.
ParseErrorAnswer answer_to(ParseError error) noexcept;

}  // namespace stadion::http
