// SPDX-License-Identifier: MIT
#include "http/session.hpp"

#include <algorithm>
#include <exception>
#include <string>

#include "core/assert.hpp"
#include "core/log.hpp"
#include "core/remake.hpp"
#include "http/route.hpp"

namespace stadion::http {
namespace {

const Failure kTooSlow{.status = Status::request_timeout,
                       .text = "The request did not arrive in time.\n"};
/// When there is no memory, not even to read what was asked for; so that this has no body.
constexpr std::string_view kNoMemory =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Length: 0\r\n\r\n";

const Failure kTookTooLong{.status = Status::service_unavailable, .text = "This took too long.\n"};

Failure failure_of(ParseError error) noexcept {
  const ParseErrorAnswer answer = answer_to(error);
  return {.status = answer.status, .text = answer.text};
}

}  // namespace

Session::~Session() {
  if (exchange_ != nullptr) {
    lose_client();
  }
}

void Session::advance(pool::Connection& connection) {
  connection_ = &connection;
  answered_in_turn_ = 0;
  writer_.begin_turn();
  while (step()) {
  }
  if (connection.input_ended()) {
    react_to_input_end();
  }
  const bool waits_for_nothing = phase_ == Phase::idle && connection.input().empty();
  connection.tell_output_sent(!waits_for_nothing);
  connection_ = nullptr;
}

/// Does the next thing that can be done without waiting; false when there is none.
bool Session::step() {
  switch (phase_) {
    case Phase::idle: return may_begin_exchange() && begin_exchange();
    case Phase::reading_head: return read_head();
    case Phase::reading_body: return read_whole_body();
    case Phase::handling: return handle();
    case Phase::responding: return write_response();
    case Phase::discarding: return discard();
    case Phase::closing: return end_closed_exchange();
  }
  return false;
}

void Session::react_to_input_end() {
  switch (phase_) {
    case Phase::idle:
      if (!connection_->input().empty()) {
        return;
      }
      break;
    case Phase::handling:
      if (is_raw_ ||
          (!body_deadline_.has_value() && context_->service.options.serves_half_closed)) {
        return;
      }
      break;
    case Phase::responding:
    case Phase::closing: return;
    default: break;
  }
  if (exchange_ != nullptr) {
    lose_client();
  }
  phase_ = Phase::closing;
  // What is sent by reference may have gone with its exchange.
  connection_->has_output_elsewhere() ? connection_->close() : connection_->close_after_output();
}

void Session::on_timeout(pool::Connection& connection) {
  connection_ = &connection;
  const auto is_over = [now = connection.pool().now()](const auto& deadline) {
    return deadline.has_value() && now >= *deadline;
  };
  switch (phase_) {
    case Phase::reading_head:
      if (parser_.is_before_request()) {
        break;
      }
      answer_error(kTooSlow);
      return advance(connection);
    case Phase::reading_body: answer_error(kTooSlow); return advance(connection);
    case Phase::handling:
      if (is_over(body_deadline_)) {
        fail_handling(kTooSlow);
      } else if (!body_deadline_.has_value() && is_over(handler_deadline_)) {
        fail_handling(kTookTooLong);
      } else if (is_raw_) {  // It is idle.
        connection_ = nullptr;
        return connection.close();
      }
      set_deadline();
      return advance(connection);
    default: break;
  }
  connection_ = nullptr;
  // With nothing left to send there is nobody to wait for.
  connection.output_bytes() > 0 ? connection.close_after_output() : connection.close();
}

void Session::on_drain(pool::Connection& connection) {
  is_draining_ = true;
  if (phase_ == Phase::idle || phase_ == Phase::discarding ||
      (phase_ == Phase::reading_head && parser_.is_before_request())) {
    connection.expires_after(kDrainGrace);
  } else if (phase_ == Phase::handling) {
    advance(connection);  // A handler that pauses goes on.
  }
}

bool Session::may_begin_exchange() const noexcept {
  // Past the limit, and while output is pending: when it is sent the next turn begins.
  return !connection_->input().empty() &&
         (answered_in_turn_ < context_->service.options.limits.pipelined_requests_max ||
          connection_->output_bytes() == 0);
}

void Session::refuse(SessionContext& context, pool::Connection& connection) {
  context.metrics.record_response(Status::service_unavailable);
  (void)connection.write_by_reference(kNoMemory);
  connection.tell_output_sent(false);
  connection.close_after_output();
}

void Session::on_no_memory(pool::Connection& connection) {
  const bool may_answer = phase_ != Phase::closing && phase_ != Phase::discarding && !is_raw_ &&
                          (exchange_ == nullptr || !writer_.has_written());
  if (exchange_ != nullptr) {
    lose_client();
  }
  phase_ = Phase::closing;
  if (connection.has_output_elsewhere()) {
    connection.close();  // It may have gone with its exchange.
  } else if (may_answer) {
    refuse(*context_, connection);
  }
}

bool Session::begin_exchange() {
  bool has_memory = context_->has_memory();
  if (has_memory) {
    try {
      exchange_ = &context_->exchanges.acquire(*context_);
    } catch (const ArenaFailed& failure) {
      log(LogLevel::error, failure.what());
      has_memory = false;
    }
  }
  if (!has_memory) {
    phase_ = Phase::closing;
    refuse(*context_, *connection_);
    return false;
  }
  ++requests_;
  exchange_->client_ = this;
  if (context_->service.access_log) {
    exchange_->began_ = Clock::now();
    note_remote_address();  // When the client has left, nobody knows it any more.
  }
  parser_.begin(exchange_->arena());
  remake(writer_, [] { return ResponseWriter(); });
  failure_.reset();
  owes_continue_ = has_deadline_ = gave_body_ = is_raw_ = is_superfluous_ = false;
  handler_deadline_.reset();
  body_deadline_.reset();
  body_time_left_ = net::bounded_delay(context_->service.options.times.body_read_grace);
  body_bytes_paid_ = 0;
  phase_ = Phase::reading_head;
  return true;
}

bool Session::read_head() {
  const Parser::Progress progress = parser_.feed(connection_->input());
  connection_->consume(progress.consumed);
  switch (progress.state) {
    case Parser::State::need_more:
      if (!has_deadline_) {  // One for the head, however it trickles in.
        connection_->expires_after(context_->service.options.times.head_read_max);
        has_deadline_ = true;
      }
      return false;
    case Parser::State::failed: answer_error(failure_of(parser_.error())); return true;
    case Parser::State::head_complete:
    case Parser::State::complete: dispatch(); return true;
  }
  return false;
}

/// The head is there: finds out who is to answer, and asks those who stand before him.
void Session::dispatch() {
  if (has_deadline_) {
    connection_->cancel_expiry();
  }
  owes_continue_ = parser_.framing().expects_continue && !parser_.is_complete();
  exchange_->set_request(*parser_.request());
  const Limits& limits = context_->service.options.limits;
  try {
    RouteMatch& match = exchange_->match_;
    match = context_->service.router.match(*parser_.request());
    static const RouteOptions none;
    const RouteOptions& options = match.route == nullptr ? none : match.route->options;
    exchange_->handler_max_ = options.handler_max;
    if (options.request_memory_bytes_max.has_value()) {
      exchange_->arena().set_limit_bytes(*options.request_memory_bytes_max);
    }
    const std::size_t body_max = options.body_bytes_max.value_or(limits.body_bytes_max);
    if (const ParseError error = parser_.limit_body(body_max); error != ParseError::none) {
      return answer_error(failure_of(error));
    }
    if (match.chain->run_before(*exchange_) == Flow::respond) {
      return begin_response(true);
    }
    const bool wants_body = match.route != nullptr && options.body != BodyMode::streamed;
    if (wants_body && !parser_.is_complete() && match.chain->around.empty()) {
      phase_ = Phase::reading_body;
      return;
    }
    run_handler();
  } catch (...) {
    context_->service.answer_exception(*exchange_, std::current_exception());
    begin_response(true);
  }
}

void Session::run_handler() {
  const RouteMatch& match = exchange_->match_;
  if (is_plain(match)) {
    answer(*exchange_, match);
    return begin_response(true);
  }
  phase_ = Phase::handling;
  exchange_->start(match.chain->around.empty() && match.route != nullptr
                       ? match.route->handler.begin(*exchange_)
                       : answer_within(*exchange_, match));
  if (exchange_->is_handled()) {
    return finish_handling();
  }
  if (!exchange_->response().is_begun()) {
    limit_handler();
  }
}

/// The handler has so much time to begin its response, from here on.
void Session::limit_handler() noexcept {
  const auto handler_max =
      exchange_->handler_max_.value_or(context_->service.options.times.handler_max);
  if (handler_max.count() > 0) {
    handler_deadline_ = Clock::now() + net::bounded_delay(handler_max);
  }
  set_deadline();
}

bool Session::read_whole_body() {
  if (!receive_body()) {
    if (parser_.error() == ParseError::none) {
      return false;
    }
    answer_error(failure_of(parser_.error()));
    return true;
  }
  try {
    run_handler();
  } catch (...) {
    context_->service.answer_exception(*exchange_, std::current_exception());
    begin_response(true);
  }
  return true;
}

/// Lets the handler go on; false when it waits.
bool Session::handle() {
  const bool moved = exchange_->advance();
  if (!exchange_->is_handled()) {
    if (!failure_.has_value() && parser_.error() != ParseError::none) {
      fail_handling(failure_of(parser_.error()));
      return true;
    }
    if (is_superfluous_) {  // What it still writes, nobody gets.
      is_superfluous_ = false;
      exchange_->end_handler();
      return true;
    }
    if (!failure_.has_value() && writer_.has_failed()) {
      fail_handling({.status = Status::internal_server_error, .reason = writer_.failure()});
      return true;
    }
    return moved;
  }
  finish_handling();
  return true;
}

/// Ends the handler, at once or when what it waits for lets it, for this reason.
void Session::fail_handling(const Failure& failure) {
  failure_ = failure;
  exchange_->end_handler();
}

void Session::finish_handling() {
  handler_deadline_.reset();
  body_deadline_.reset();
  connection_->cancel_expiry();
  const bool is_lost = exchange_->response().is_begun() && !is_raw_ && !writer_.is_begun();
  if (is_lost) {  // It gave up an upgrade() in the midst of it.
    failure_ = Failure{.reason = "the handler gave up what it had begun"};
  }
  bool has_failed = failure_.has_value();
  try {
    exchange_->take_result();
  } catch (...) {
    if (!exchange_->response().is_begun()) {
      context_->service.answer_exception(*exchange_, std::current_exception());
      return begin_response(true);
    }
    context_->service.log_exception(*exchange_, std::current_exception());
    has_failed = true;
    failure_ = Failure{.reason = "the handler threw"};
  }
  if (is_raw_) {
    phase_ = Phase::closing;
    connection_->close_after_output();
  } else if (!exchange_->response().is_begun()) {
    has_failed ? answer_error(*failure_) : begin_response(true);
  } else if (has_failed) {
    abort_response(failure_->reason);
  } else {
    writer_.end_written();
    phase_ = Phase::responding;
  }
}

/// An answer of the server's own to what can't go on: nobody knows where the next request begins.
void Session::answer_error(const Failure& failure) {
  if (parser_.request() != nullptr) {
    exchange_->set_request(*parser_.request());
  }
  exchange_->ensure_request();
  context_->service.answer_failure(*exchange_, failure);
  begin_response(false);
}

}  // namespace stadion::http
