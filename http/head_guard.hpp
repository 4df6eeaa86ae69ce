// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/limits.hpp"
#include "http/parse_error.hpp"

namespace stadion::http {

/// Where a field line has its parts: `name:value`, and behind it CR LF.
struct FieldLine {
  std::size_t begin;
  std::size_t colon;
  std::size_t end;
};

/// Where the parts of a head are that was scanned as a whole, in bytes from where the scan began.
struct HeadParts {
  explicit HeadParts(std::span<FieldLine> room = {}) noexcept : field_lines(room) {}

  // Of the request line; what is between its first and its last space is the target.
  std::size_t line_begin = 0;
  std::size_t first_space = 0;
  std::size_t last_space = 0;
  std::size_t line_end = 0;
  std::size_t spaces = 0;
  /// The first HeadGuard::field_count() of them, as far as there is room.
  std::span<FieldLine> field_lines;
};

/// Looks at every byte of a request's head before anything else believes it, and finds where the
/// head ends.
///
/// It refuses what llhttp 8.1 lets through or reads leniently: bare CR or LF, NUL and other control
/// characters, folded lines, a space before the colon, a name that is no token; and counts bytes
/// and fields against their limits while they arrive. It does no I/O, keeps nothing of the text,
/// and can be fed byte by byte. To whoever feeds it a head as a whole it says where its parts are,
/// so that nobody looks for them again.
///
/// Source     RFC 9112 sections 2.2, 3, 5.
class HeadGuard {
 public:
  struct Result {
    std::size_t consumed;  ///< Bytes that belong to the head.
    bool complete;         ///< The empty line at its end is among them.
    ParseError error;
  };

  explicit HeadGuard(const Limits& limits) noexcept
      : limits_(&limits), bytes_max_(limits.head_bytes_max) {}

  /// Expects a request's head, from its first byte.
  void begin_head() noexcept { *this = HeadGuard(*limits_); }
  /// Expects a trailer section: fields and the empty line alone (RFC 9112 section 7.1.2).
  void begin_trailer() noexcept;

  Result scan(std::string_view bytes, HeadParts& parts) noexcept;
  Result scan(std::string_view bytes) noexcept {
    HeadParts nobody_asks;
    return scan(bytes, nobody_asks);
  }

  std::size_t field_count() const noexcept { return fields_; }
  /// Whether nothing but the empty lines that may precede a request has come so far.
  bool before_request_line() const noexcept { return expects_ <= Expects::leading_line_feed; }

 private:
  enum class Expects : std::uint8_t {
    request_line_start,
    leading_line_feed,  ///< Of an empty line before the request line.
    request_line,
    line_feed,
    line_start,
    field_name,
    field_value,
    last_line_feed,
    nothing,
  };

  ParseError scan_allowed(std::string_view bytes, std::size_t& at, HeadParts& parts) noexcept;
  ParseError over_limit() const noexcept;

  const Limits* limits_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  unsigned leading_lines_ = 0;
  Expects expects_ = Expects::request_line_start;
};

}  // namespace stadion::http
