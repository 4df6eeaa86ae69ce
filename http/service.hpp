// SPDX-License-Identifier: MIT
#pragma once

#include "core/task.hpp"
#include "http/failure.hpp"
#include "http/route_match.hpp"
#include "http/router.hpp"
#include "http/server_options.hpp"

namespace stadion::http {

/// What a server does with requests: its routes and what stands around them. Shared by all Workers
/// and unchanged from the server's start on. Internal to http/.
struct Service {
  explicit Service(const ServerOptions& server_options) : options(server_options) {}

  ServerOptions options;
  Router router;
  ErrorHandler on_error;
  AccessLog access_log;

  /// Puts an error response in place of what the exchange's response said so far.
  void answer_failure(Exchange& exchange, const Failure& failure) const noexcept;
  /// The same for what a handler threw.
  void answer_exception(Exchange& exchange, std::exception_ptr exception) const noexcept;
  /// For an exception that comes too late for an answer.
  void log_exception(const Exchange& exchange, std::exception_ptr exception) const noexcept;
};

/// Calls the handler, or answers where there is none.
void answer(Exchange& exchange, const RouteMatch& match);
/// The same with what stands around it, and the body first where the handler wants it whole.
Task<> answer_within(Exchange& exchange, const RouteMatch& match);
/// Whether answer() suffices: nobody waits.
bool is_plain(const RouteMatch& match) noexcept;

}  // namespace stadion::http
