// SPDX-License-Identifier: MIT
#include "http/service.hpp"

#include <string>

#include "core/finally.hpp"
#include "core/log.hpp"
#include "http/exchange.hpp"
#include "http/route.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kFailed = "The server failed at this request.\n";

void log_failure(const Exchange& exchange, std::string_view reason) noexcept {
  try {
    const Request& request = exchange.request();
    std::string line(to_string(request.method()));
    line.append(" ").append(request.target());
    if (!exchange.request_id().empty()) {
      line.append(" (").append(exchange.request_id()).append(")");
    }
    log(LogLevel::error, line.append(": ").append(reason));
  } catch (const std::exception&) {
    log(LogLevel::error, "a request failed, and there is no memory to say which");
  }
}

/// Empty when there is no memory for it.
std::string_view copied(std::string_view text, Arena& arena) noexcept {
  auto* copy = static_cast<char*>(arena.try_alloc(text.size(), 1));
  return copy == nullptr ? std::string_view()
                         : std::string_view(copy, text.copy(copy, text.size()));
}

/// What to answer without a route.
void answer_unrouted(Exchange& exchange, const RouteMatch& match) {
  switch (match.status) {
    case Status::bad_request:
      return exchange.fail(match.status, "The path has a malformed escape.\n");
    case Status::method_not_allowed:
      exchange.fail(match.status, "This method is not allowed here.\n");
      break;
    case Status::no_content: exchange.response().status(match.status); break;
    default: return exchange.fail(Status::not_found, "There is nothing here.\n");
  }
  if (match.allowed.any()) {
    exchange.response().set_header("Allow", allowed_methods(match.allowed, exchange.arena()));
  }
}

/// The innermost: the body first, where the handler wants it whole.
Task<> answer_waiting(Exchange& exchange, const RouteMatch& match) {
  if (match.route != nullptr && match.route->options.body != BodyMode::streamed) {
    co_await exchange.receive_body();
  }
  if (match.route != nullptr && match.route->handler.is_coroutine()) {
    co_await match.route->handler.begin(exchange);
  } else {
    answer(exchange, match);
  }
}

}  // namespace

void Service::answer_failure(Exchange& exchange, const Failure& failure) const noexcept {
  exchange.response().fail(failure.status, failure.text);
  if (!failure.reason.empty()) {
    log_failure(exchange, failure.reason);
  }
  if (!on_error || exchange.is_failing_) {
    return;
  }
  exchange.is_failing_ = true;
  const auto done = finally([&exchange] { exchange.is_failing_ = false; });
  try {
    on_error(exchange, failure);
    return;
  } catch (const std::exception& error) {
    log_failure(exchange, error.what());
  } catch (...) {
    log_failure(exchange, "on_error() threw what is no std::exception");
  }
  exchange.response().fail(failure.status, failure.text);
}

void Service::answer_exception(Exchange& exchange, std::exception_ptr exception) const noexcept {
  Failure failure{.status = Status::service_unavailable, .exception = exception};
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const HttpError& error) {
    failure.status = error.status();
    failure.text = copied(error.what(), exchange.arena());
  } catch (const ArenaFailed& error) {
    failure.text = "There is no memory for this request.\n";
    failure.reason = error.what();
  } catch (const DeadlinePassed& error) {
    failure.text = "This took too long.\n";
    failure.reason = error.what();
  } catch (const PoolFull& error) {
    failure.text = "The server has too much to do.\n";
    failure.reason = error.what();
  } catch (const std::exception& error) {
    failure.status = Status::internal_server_error;
    failure.text = kFailed;
    failure.reason = error.what();
  } catch (...) {
    failure.status = Status::internal_server_error;
    failure.text = kFailed;
    failure.reason = "unknown exception";
  }
  answer_failure(exchange, failure);
}

void Service::log_exception(const Exchange& exchange, std::exception_ptr exception) const noexcept {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const std::exception& error) {
    log_failure(exchange, error.what());
  } catch (...) {
    log_failure(exchange, "unknown exception");
  }
}

void answer(Exchange& exchange, const RouteMatch& match) {
  if (match.route == nullptr) {
    return answer_unrouted(exchange, match);
  }
  match.route->handler.call(exchange);
}

Task<> answer_within(Exchange& exchange, const RouteMatch& match) {
  return Next(exchange, match, 0)();
}

bool is_plain(const RouteMatch& match) noexcept {
  return match.chain->around.empty() &&
         (match.route == nullptr || !match.route->handler.is_coroutine());
}

Task<> Next::operator()() const {
  const auto& around = match_->chain->around;
  if (at_ < around.size()) {
    return around[at_](*exchange_, Next(*exchange_, *match_, at_ + 1));
  }
  return answer_waiting(*exchange_, *match_);
}

}  // namespace stadion::http
