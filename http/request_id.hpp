// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// A longer id is none. Default of what others take, too.
inline constexpr std::size_t kRequestIdBytesMax = 128;

/// Whether an id that a client or proxy sent, in X-Request-Id, may be taken over into logs and
/// responses: 1 to 128 letters, digits and . _ ~ + / = : -
bool is_valid_request_id(std::string_view id) noexcept;

/// Names the requests that come without an id: 32 hexadecimal digits, as W3C's trace-id has them.
///
/// The first half is random and stays; the second counts, and is then mixed, so that ids that
/// follow each other look nothing alike. Ids of one generator never repeat, and those of two only
/// if both drew the same 64 random bits. They are unique, not secret: who has seen some can tell
/// the next.
///
/// Threads    One generator for each Worker.
/// Cost       No system call and no lock but for making it.
/// Source     W3C Trace Context, section 3.2.2.3.
class RequestIdGenerator {
 public:
  static constexpr std::size_t kIdBytes = 32;

  /// Where a generator begins.
  struct Start {
    std::uint64_t prefix = 0;
    std::uint64_t counter = 0;
  };

  /// Begins at random. Throws std::system_error when the system has no random numbers.
  RequestIdGenerator();
  /// Begins where a test wants it.
  explicit RequestIdGenerator(Start start) noexcept : start_(start) {}

  /// A new id, in the arena. Throws ArenaFailed.
  std::string_view next(Arena& arena);

 private:
  Start start_;
};

}  // namespace stadion::http
