// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/task.hpp"
#include "http/exchange.hpp"
#include "http/multipart.hpp"

namespace stadion::http {

/// The parts of a request's multipart body, one after the other, as they arrive: for a route with
/// BodyMode::streamed.
///
///     MultipartReader parts(exchange);
///     while (const MultipartPart* part = co_await parts.next()) {
///       if (part->name == "title") {
///         title = co_await parts.read_all(1000);
///       } else {
///         co_await parts.save(file.get(), 100 << 20);
///       }
///     }
///
/// Until next() gives null nothing is sure: the body may turn out malformed after its last part.
///
/// Lifetime   The exchange's. A part, and a piece of its data, until the next call.
/// Threads    The exchange's.
/// Limits     MultipartLimits, and what read_all() and save() are given; the body as a whole is
///            limited by the route's body_bytes_max.
/// Throws     HttpError: 415 where the request has no such body, 400 for a malformed one, 413 for a
///            part over its limit.
class MultipartReader {
 public:
  explicit MultipartReader(Exchange& exchange, const MultipartLimits& limits = {});

  /// The next part; null when there is none. What was not read of the one before is skipped.
  Task<const MultipartPart*> next();

  /// The next piece of the part's data; empty at its end.
  Task<std::string_view> read();
  /// The rest of the part's data, in the arena.
  Task<std::string_view> read_all(std::size_t bytes_max);
  /// Writes the rest of the part's data to a file that is open for writing; gives how much it was.
  /// The writing is done on the server's thread pool. Throws std::system_error, too.
  Task<std::uint64_t> save(int file, std::uint64_t bytes_max);

  Arena& arena() const noexcept { return exchange_->arena(); }

 private:
  using Event = MultipartParser::Event;

  Task<Event> next_event();

  Exchange* exchange_;
  MultipartParser parser_;
  std::string_view input_;
  bool is_in_part_ = false;
  bool has_all_input_ = false;
};

}  // namespace stadion::http
