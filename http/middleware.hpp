// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/task.hpp"
#include "http/exchange.hpp"

namespace stadion::http {

struct RouteMatch;

/// Whether a request goes on to its handler.
enum class Flow : std::uint8_t {
  next,     ///< To the next middleware, and the handler behind it.
  respond,  ///< No further: the response is made.
};

/// What is inside of a middleware: the next one, and the handler behind the last.
class Next {
 public:
  Next(Exchange& exchange, const RouteMatch& match, std::size_t at) noexcept
      : exchange_(&exchange), match_(&match), at_(at) {}

  /// To be awaited, once.
  Task<> operator()() const;

 private:
  Exchange* exchange_;
  const RouteMatch* match_;
  std::size_t at_;  ///< Of the coroutines around the handler, the next one.
};

/// What is done around the handlers of a server, or of a group of its routes; any part may be left
/// out. For one request all `before` are called, in the order in which they were added, then those
/// `around` it, each within the one before, then the handler, then all `after`, in reverse order.
/// They see every request of theirs, also one without a route: 404 and 405 are answered inside.
///
/// Lifetime   As long as the server.
/// Threads    Called on the connections' Workers: several at a time when there are several.
/// Throws     As a Handler; an exception in `after` turns the response into a 500.
struct Middleware {
  /// Before the request's body is read: may look at the request, set response fields, or answer.
  std::function<Flow(Exchange&)> before{};
  /// A coroutine around the handler, which it runs with `co_await next()`, or does not.
  std::function<Task<>(Exchange&, Next next)> around{};
  /// When the response's head is about to be sent, whoever made it: the last chance to change
  /// status and fields.
  std::function<void(Exchange&)> after{};
};

}  // namespace stadion::http
