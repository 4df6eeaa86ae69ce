// SPDX-License-Identifier: MIT
#include "http/head_guard.hpp"

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

HeadGuard::Result HeadGuard::scan(std::string_view bytes, HeadParts& parts) noexcept {
  const std::string_view allowed = bytes.substr(0, bytes_max_ - bytes_);
  std::size_t at = 0;
  const ParseError error = scan_allowed(allowed, at, parts);
  bytes_ += at;
  const bool complete = expects_ == Expects::nothing;
  if (error == ParseError::none && !complete && allowed.size() < bytes.size()) {
    return {at, false, over_limit()};
  }
  return {at, complete, error};
}

// From `at` on, which it moves along. Each part of a head falls through to the next; where the
// bytes end, expects_ tells how to go on.
ParseError HeadGuard::scan_allowed(std::string_view bytes, std::size_t& at,
                                   HeadParts& parts) noexcept {
  FieldLine line{};
  while (at < bytes.size()) {
    switch (expects_) {
      case Expects::request_line_start:
        if (bytes[at] == '\r' && leading_lines_ < kLeadingLinesMax) {
          ++leading_lines_;
          ++at;
          expects_ = Expects::leading_line_feed;
          break;
        }
        if (!is_token_character(bytes[at])) {
          return ParseError::malformed_request_line;
        }
        parts.line_begin = at;
        expects_ = Expects::request_line;
        [[fallthrough]];
      case Expects::request_line:
        at = end_of_request_line_part(bytes, at);
        while (at < bytes.size() && bytes[at] == ' ') {
          (parts.spaces++ == 0 ? parts.first_space : parts.last_space) = at;
          at = end_of_request_line_part(bytes, at + 1);
        }
        if (at == bytes.size()) {
          break;
        }
        if (bytes[at] != '\r') {
          return ParseError::malformed_request_line;
        }
        parts.line_end = at;
        expects_ = Expects::line_feed;
        if (++at == bytes.size()) {
          break;
        }
        [[fallthrough]];
      case Expects::line_feed:
        if (bytes[at] != '\n') {
          return ParseError::malformed_header;
        }
        expects_ = Expects::line_start;
        if (++at == bytes.size()) {
          break;
        }
        [[fallthrough]];
      case Expects::line_start:
        if (bytes[at] == '\r') {
          ++at;
          expects_ = Expects::last_line_feed;
          break;
        }
        // Not a token character: a folded line (RFC 9112 section 5.2) or a nameless field among others.
        if (++fields_ > limits_->fields_max) {
          return ParseError::too_many_fields;
        }
        if (!is_token_character(bytes[at])) {
          return ParseError::malformed_header;
        }
        line.begin = at;
        expects_ = Expects::field_name;
        [[fallthrough]];
      case Expects::field_name:
        at = end_of_token(bytes, at);
        if (at == bytes.size()) {
          break;
        }
        if (bytes[at] != ':') {
          return ParseError::malformed_header;
        }
        line.colon = at;
        ++at;
        expects_ = Expects::field_value;
        [[fallthrough]];
      case Expects::field_value:
        at = end_of_field_value(bytes, at);
        if (at == bytes.size()) {
          break;
        }
        if (bytes[at] != '\r') {
          return ParseError::malformed_header;
        }
        line.end = at;
        if (fields_ <= parts.field_lines.size()) {
          parts.field_lines[fields_ - 1] = line;
        }
        ++at;
        expects_ = Expects::line_feed;
        break;
      case Expects::leading_line_feed:
        if (bytes[at] != '\n') {
          return ParseError::malformed_request_line;
        }
        ++at;
        expects_ = Expects::request_line_start;
        break;
      case Expects::last_line_feed:
        if (bytes[at] != '\n') {
          return ParseError::malformed_header;
        }
        ++at;
        expects_ = Expects::nothing;
        return ParseError::none;
      case Expects::nothing: return ParseError::none;
    }
  }
  return ParseError::none;
}

ParseError HeadGuard::over_limit() const noexcept {
  return expects_ <= Expects::request_line ? ParseError::target_too_long
                                           : ParseError::head_too_large;
}

}  // namespace stadion::http
