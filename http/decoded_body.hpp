// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "core/task.hpp"
#include "http/decoder.hpp"
#include "http/exchange.hpp"

namespace stadion::http {

/// A request's body with its Content-Encoding taken off, as it arrives: for a route with
/// BodyMode::streamed, or any other.
///
///     DecodedBody body(exchange, {.bytes_max = 10 << 20});
///     while (!(piece = co_await body.read()).empty()) { … }
///
/// Lifetime   The exchange's; a piece until the next read.
/// Threads    The exchange's.
/// Limits     DecoderLimits: 1 MiB decoded, and 100 times what came, by default. What comes is
///            limited by the route's body_bytes_max.
/// Throws     HttpError: 415 for a coding that is not available, or several, 400 for a malformed
///            body, 413 for one over a limit.
/// Source     RFC 9110 section 8.4.
class DecodedBody {
 public:
  explicit DecodedBody(Exchange& exchange, const DecoderLimits& limits = {});

  /// The next piece; empty at the body's end.
  Task<std::string_view> read();
  /// All that is left of it, in the arena.
  Task<std::string_view> read_all();

  Arena& arena() const noexcept { return exchange_->arena(); }

 private:
  Exchange* exchange_;
  Decoder* decoder_ = nullptr;  ///< None where the body is as it is.
  std::string_view input_;
  std::span<char> room_;
  bool has_all_input_ = false;
  bool is_at_end_ = false;
};

}  // namespace stadion::http
