// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "core/task.hpp"
#include "http/exchange.hpp"

namespace stadion::http {

/// One server-sent event. `event` and `id` are one line each, `data` as many as it has.
struct ServerEvent {
  std::string_view data{};
  std::string_view event{};  ///< Its kind; a client takes an empty one for "message".
  std::string_view id{};     ///< What the client says as Last-Event-ID when it comes again.
};

struct EventStreamOptions {
  /// After how long the client is to connect again, when it was cut off. Default is 3 s.
  std::chrono::milliseconds retry{3'000};
  /// A comment is sent when there was nothing else for so long, lest somebody on the way takes the
  /// connection for dead, and so that a client that left is noticed. Default is 15 s.
  std::chrono::milliseconds keep_alive{15'000};
};

/// A response of server-sent events, which a browser reads with EventSource.
///
///     Task<> clock(Exchange& exchange) {
///       EventStream events(exchange);
///       do {
///         co_await events.send({.data = time_of_day()});
///       } while (co_await events.sleep(1s));
///     }
///
/// Lifetime   The exchange's. What send() is given must stay until it is done.
/// Threads    The exchange's.
/// Throws     std::invalid_argument for a line break in `event` or `id`, a NUL in `id`, a keep_alive
///            of zero or less; what Exchange::write() throws.
/// Source     HTML Living Standard, section 9.2 "Server-sent events".
class EventStream {
 public:
  /// Settles status and fields: to be made before anything is written.
  explicit EventStream(Exchange& exchange, EventStreamOptions options = {});

  /// The id of the last event that the client has seen, if it comes again; else empty.
  std::string_view last_event_id() const noexcept;

  /// Sends an event, and waits for room.
  Task<> send(ServerEvent event);
  /// Waits, and keeps the connection alive meanwhile. False when it is time to end, for the server is
  /// about to stop.
  Task<bool> sleep(std::chrono::milliseconds time);

  Arena& arena() const noexcept { return exchange_->arena(); }

 private:
  Exchange* exchange_;
  EventStreamOptions options_;
  bool has_begun_ = false;
};

}  // namespace stadion::http
