// SPDX-License-Identifier: MIT
#include "http/head_guard.hpp"

#include <algorithm>

#include "http/character_runs.hpp"
#include "http/characters.hpp"

namespace stadion::http {
namespace {

/// A server should ignore an empty line before a request (RFC 9112 section 2.2); a stream of them
/// is no request.
constexpr unsigned kLeadingLinesMax = 4;

}  // namespace

void HeadGuard::begin_trailer() noexcept {
  begin_head();
  bytes_max_ = limits_->trailer_bytes_max;
  expects_ = Expects::line_start;
}

HeadGuard::Result HeadGuard::scan(std::string_view bytes) noexcept {
  const std::size_t left = bytes_max_ - bytes_;
  const std::size_t size = std::min(bytes.size(), left);
  std::size_t at = 0;
  while (expects_ != Expects::nothing) {
    at = end_of_run(bytes.substr(0, size), at);
    if (at == size) {
      break;
    }
    if (const ParseError error = take(bytes[at]); error != ParseError::none) {
      return {at, false, error};
    }
    ++at;
  }
  bytes_ += at;
  const bool complete = expects_ == Expects::nothing;
  if (!complete && size < bytes.size()) {
    return {at, false, over_limit()};
  }
  return {at, complete, ParseError::none};
}

// Most bytes belong to a request line, a name or a value, and leave the state as it is.
std::size_t HeadGuard::end_of_run(std::string_view bytes, std::size_t at) const noexcept {
  switch (expects_) {
    case Expects::request_line: return end_of_request_line(bytes, at);
    case Expects::field_name: return end_of_token(bytes, at);
    case Expects::field_value: return end_of_field_value(bytes, at);
    default: return at;
  }
}

// The byte at which a run ended, or a byte outside of any.
ParseError HeadGuard::take(char byte) noexcept {
  switch (expects_) {
    case Expects::request_line_start:
      if (byte == '\r' && leading_lines_ < kLeadingLinesMax) {
        ++leading_lines_;
        expects_ = Expects::leading_line_feed;
        return ParseError::none;
      }
      expects_ = Expects::request_line;
      return is_token_character(byte) ? ParseError::none : ParseError::malformed_request_line;
    case Expects::leading_line_feed:
      expects_ = Expects::request_line_start;
      return byte == '\n' ? ParseError::none : ParseError::malformed_request_line;
    case Expects::request_line:
      if (byte == '\r') {
        expects_ = Expects::line_feed;
        return ParseError::none;
      }
      return ParseError::malformed_request_line;
    case Expects::line_feed:
      expects_ = Expects::line_start;
      return byte == '\n' ? ParseError::none : ParseError::malformed_header;
    case Expects::line_start: return start_field(byte);
    case Expects::field_name:
      if (byte == ':') {
        expects_ = Expects::field_value;
        return ParseError::none;
      }
      return ParseError::malformed_header;
    case Expects::field_value:
      expects_ = Expects::line_feed;
      return byte == '\r' ? ParseError::none : ParseError::malformed_header;
    case Expects::last_line_feed:
      expects_ = Expects::nothing;
      return byte == '\n' ? ParseError::none : ParseError::malformed_header;
    case Expects::nothing: break;
  }
  return ParseError::malformed_header;
}

// Not a token character: a folded line (RFC 9112 section 5.2) or a nameless field among others.
ParseError HeadGuard::start_field(char byte) noexcept {
  if (byte == '\r') {
    expects_ = Expects::last_line_feed;
    return ParseError::none;
  }
  if (++fields_ > limits_->fields_max) {
    return ParseError::too_many_fields;
  }
  expects_ = Expects::field_name;
  return is_token_character(byte) ? ParseError::none : ParseError::malformed_header;
}

ParseError HeadGuard::over_limit() const noexcept {
  return expects_ <= Expects::request_line ? ParseError::target_too_long
                                           : ParseError::head_too_large;
}

}  // namespace stadion::http
