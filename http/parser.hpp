// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/framing.hpp"
#include "http/head_guard.hpp"
#include "http/limits.hpp"
#include "http/parse_error.hpp"
#include "http/request.hpp"

namespace stadion::http {

/// Turns bytes into Requests, one after the other. It does no I/O; its file is the only one that
/// names llhttp.
///
/// Bytes pass the HeadGuard, and the complete head is copied into the request's arena and taken apart
/// there, so that a request's views never point into a connection's buffer. Where its fields frame a
/// body, llhttp reads the head a second time: two readers that do not agree on the framing are an
/// error. Then it reads the body, which is gathered in the arena, too, or handed out piece by piece.
///
/// Lifetime   The limits outlive it. The Request is its arena's.
/// Threads    One at a time.
class Parser {
 public:
  enum class State : std::uint8_t {
    need_more,      ///< All bytes were taken, and the request is not complete. Not an error.
    head_complete,  ///< Reported once, when a body follows: framing() is decided; limit_body(), and
                    ///< feed the rest.
    complete,       ///< request() is whole; the bytes behind it were not taken.
    failed,         ///< See error(). What follows in the stream cannot be understood.
  };
  struct Progress {
    State state;
    std::size_t consumed;
    std::size_t body_bytes = 0;  ///< Of feed_body_to(): what it wrote.
  };

  explicit Parser(const Limits& limits) noexcept : limits_(&limits), guard_(limits) {}

  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Begins a request whose memory is `arena`, which outlives it.
  void begin(Arena& arena) noexcept;

  /// Reads on. Never throws: an arena that is short of memory is an error like another.
  Progress feed(std::string_view bytes) noexcept;

  /// After the head: how long the body may be, in place of limits.body_bytes_max. An error when more
  /// is announced already; reading can't go on then.
  ParseError limit_body(std::size_t bytes_max) noexcept;

  /// Reads on in the body, of which what there is goes to `room`, not to the arena; not mixed with
  /// feed() for one request.
  Progress feed_body_to(std::span<char> room, std::string_view bytes) noexcept;

  ParseError error() const noexcept { return error_; }
  /// The request, once its head is complete; null before.
  Request* request() const noexcept { return request_; }
  const Framing& framing() const noexcept { return framing_; }
  /// Bytes of the body that have been read.
  std::uint64_t body_bytes() const noexcept { return body_size_; }
  bool is_complete() const noexcept { return section_ == Section::end; }
  /// Whether only the empty lines that may precede a request have come since begin().
  bool is_before_request() const noexcept {
    return request_ == nullptr && guard_.before_request_line();
  }

 private:
  enum class Section : std::uint8_t { head, body, trailer, end };
  struct Llhttp;  ///< llhttp's state and callbacks.

  Progress feed_fields(std::string_view bytes);
  Progress feed_body(std::string_view bytes);
  void gather(std::string_view bytes, std::size_t bytes_max);
  void add_fields(Fields& fields, std::string_view text, const HeadParts& parts) const;
  void complete() noexcept;
  State decide_body(std::string_view head);
  ParseError read_request_line(std::string_view head, const HeadParts& parts);
  ParseError read_target(std::string_view target, std::size_t path_bytes);
  ParseError take_body(std::string_view bytes) noexcept;
  ParseError append_body(std::string_view bytes) noexcept;
  State fail(ParseError error) noexcept;

  const Limits* limits_;
  Arena* arena_ = nullptr;
  Request* request_ = nullptr;
  ParseError error_ = ParseError::none;
  Section section_ = Section::head;
  HeadGuard guard_;
  Framing framing_;

  // A head, or trailer, that did not arrive in one piece, gathered in the arena.
  char* partial_ = nullptr;
  std::size_t partial_size_ = 0;
  std::size_t partial_capacity_ = 0;

  std::size_t body_bytes_max_ = 0;
  std::uint64_t body_size_ = 0;
  char* body_ = nullptr;
  std::size_t body_capacity_ = 0;
  std::span<char> room_;  ///< Where pieces go; with feed() there is none.

  Llhttp* llhttp_ = nullptr;  ///< In the arena, when fields of the head frame a body.
};

}  // namespace stadion::http
