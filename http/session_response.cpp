// SPDX-License-Identifier: MIT
#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "core/log.hpp"
#include "http/middleware_chain.hpp"
#include "http/session.hpp"

/// How a session's response goes out, and its exchange ends.
namespace stadion::http {
namespace {

/// So much of a body that nobody wanted is read for the sake of the connection.
constexpr std::uint64_t kDiscardBytesMax = 64 * 1024;

}  // namespace

void Session::begin_response(bool keep_alive) noexcept {
  if (exchange_->match_.chain != nullptr) {
    try {
      exchange_->match_.chain->run_after(*exchange_);
    } catch (...) {
      context_->service.answer_exception(*exchange_, std::current_exception());
    }
  }
  Response& response = exchange_->response();
  const Request& request = exchange_->request();
  // One that is written piece by piece may read on in the meantime.
  const std::size_t requests_max = context_->service.options.limits.requests_per_connection_max;
  keep_alive = keep_alive && parser_.framing().keep_alive && !is_draining_ &&
               (requests_max == 0 || requests_ < requests_max) && !response.closes_connection() &&
               (response.is_written() || leaves_connection_clear());
  writer_.begin(response, request.method(), request.version(), keep_alive);
  handler_deadline_.reset();
  if (!response.is_written()) {
    body_deadline_.reset();
    connection_->cancel_expiry();
    phase_ = Phase::responding;
  }
}

std::uint64_t Session::body_left() const noexcept {
  return parser_.framing().content_length - parser_.body_bytes();
}

/// Whether the next request can be found: this one's body is read, or little is left of it.
bool Session::leaves_connection_clear() const noexcept {
  return parser_.is_complete() || (parser_.error() == ParseError::none && !owes_continue_ &&
                                   !parser_.framing().chunked && body_left() <= kDiscardBytesMax);
}

bool Session::write_response() {
  const bool written = writer_.write(*connection_, context_->date.now());
  if (writer_.has_failed()) {
    abort_response(writer_.failure());
    return true;
  }
  // What is sent by reference lives in the exchange's arena, which therefore waits.
  if (!written || (writer_.is_by_reference() && connection_->output_bytes() > 0)) {
    return false;
  }
  discard_left_ = parser_.is_complete() ? 0 : body_left();
  if (!writer_.framing().keep_alive || !leaves_connection_clear()) {
    phase_ = Phase::closing;
    connection_->close_after_output();
    end_exchange();
    return false;
  }
  end_exchange();
  if (discard_left_ > 0) {
    phase_ = Phase::discarding;
    limit_discarding();
  } else {
    rest();
  }
  return true;
}

/// The head has gone, so that only a connection cut short can tell the client (RFC 9112 section 8).
void Session::abort_response(std::string_view reason) {
  const Request& request = exchange_->request();
  log(LogLevel::error, {to_string(request.method()), " ", request.target().substr(0, 1024),
                        ": the response failed: ", reason});
  phase_ = Phase::closing;
  connection_->close_after_output();  // Earlier answers are whole.
}

/// What is on its way may be sent by reference, and live in the exchange's arena, which therefore
/// waits.
bool Session::end_closed_exchange() {
  if (exchange_ != nullptr && connection_->output_bytes() == 0) {
    end_exchange();
  }
  return false;
}

bool Session::discard() {
  const std::size_t here = std::min<std::uint64_t>(connection_->input().size(), discard_left_);
  connection_->consume(here);
  discard_left_ -= here;
  if (discard_left_ > 0) {
    return false;
  }
  connection_->cancel_expiry();
  rest();
  return true;
}

void Session::limit_discarding() noexcept {
  const auto grace = net::bounded_delay(context_->service.options.times.body_read_grace);
  is_draining_ ? connection_->expires_after(kDrainGrace)
               : connection_->expires_at(Clock::now() + grace + time_for(discard_left_));
}

/// Between two requests.
void Session::rest() noexcept {
  phase_ = Phase::idle;
  if (is_draining_) {
    connection_->expires_after(kDrainGrace);
  }
}

/// In simple requests' worth: what works enough for a turn is a whole turn's.
std::size_t Session::effort_of(const Response& response) const noexcept {
  const std::uint64_t bytes = response.effort();
  const std::size_t turn = context_->service.options.limits.pipelined_requests_max;
  return bytes >= kBodyEffortAtOnce ? turn
                                    : static_cast<std::size_t>(bytes) * turn / kBodyEffortAtOnce;
}

void Session::end_exchange() {
  exchange_->count_end(exchange_->response().status());
  exchange_->log_access(exchange_->response().status(), writer_.body_bytes());
  answered_in_turn_ += 1 + effort_of(exchange_->response());
  exchange_->client_ = nullptr;
  context_->exchanges.release(*std::exchange(exchange_, nullptr));
}

/// The handler may go on without a client, and the exchange lives as long as it does; until then its
/// arena may be another thread's.
void Session::lose_client() {
  const bool is_begun = exchange_->response().is_begun();
  const Status status = is_begun ? exchange_->response().status() : Status::client_closed_request;
  Exchange::Loss loss{.status = status, .body_bytes = writer_.body_bytes()};
  loss.is_logged = is_begun || phase_ == Phase::handling || phase_ == Phase::reading_body;
  loss.is_counted = loss.is_logged && phase_ != Phase::reading_body;
  std::exchange(exchange_, nullptr)->lose_client(loss);
}

}  // namespace stadion::http
