// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/assert.hpp"
#include "http/session.hpp"

/// What the operations of a session's exchange do with its connection.
namespace stadion::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Client::Read Session::read_body(std::span<char> room, std::string_view& piece) noexcept {
  if (parser_.is_complete()) {
    piece = gave_body_ ? std::string_view() : exchange_->request().body();
    gave_body_ = true;
    return piece.empty() ? Read::end : Read::piece;
  }
  if (parser_.error() != ParseError::none) {
    return Read::not_yet;  // Nor will it ever come: see handle().
  }
  const Parser::Progress progress = parser_.feed_body_to(room, connection_->input());
  connection_->consume(progress.consumed);
  if (progress.state == Parser::State::failed) {
    return Read::not_yet;
  }
  piece = {room.data(), progress.body_bytes};
  gave_body_ = gave_body_ || !piece.empty();
  if (!piece.empty() || progress.state == Parser::State::complete) {
    end_body_wait();
    return piece.empty() ? Read::end : Read::piece;
  }
  wait_for_body();
  return Read::not_yet;
}

bool Session::receive_body() noexcept {
  STADION_ASSERT(!gave_body_ || parser_.is_complete());
  if (parser_.is_complete() || parser_.error() != ParseError::none) {
    return parser_.is_complete();
  }
  const Parser::Progress progress = parser_.feed(connection_->input());
  connection_->consume(progress.consumed);
  if (progress.state == Parser::State::need_more) {
    wait_for_body();
  } else {
    end_body_wait();
  }
  return progress.state == Parser::State::complete;
}

/// A client that waits for 100 Continue gets it, as soon as there is room for it behind the answers
/// to earlier requests; one that has begun to send its body does not wait, and none waits once the
/// final response has begun (RFC 9110 section 10.1.1).
void Session::answer_expectation() noexcept {
  if (owes_continue_) {
    const bool has_begun = !connection_->input().empty() || parser_.body_bytes() > 0;
    owes_continue_ =
        !has_begun && (exchange_->response().is_begun() || !connection_->write(kContinue));
  }
}

/// What so many bytes of a body earn: a second for every so many.
Session::Clock::duration Session::time_for(std::uint64_t body_bytes) const noexcept {
  const Times& times = context_->service.options.times;
  const double rate = std::max(static_cast<double>(times.body_bytes_per_second_min), 1.0);
  const std::chrono::duration<double> most = body_time_max();
  return std::chrono::duration_cast<Clock::duration>(
      std::min(most, std::chrono::duration<double>(static_cast<double>(body_bytes) / rate)));
}

/// Not for ever, or who begins with a megabyte at once could go on with a byte a minute.
Session::Clock::duration Session::body_time_max() const noexcept {
  const Times& times = context_->service.options.times;
  constexpr auto kNoLimit = std::chrono::milliseconds::max();
  return net::bounded_delay(
      std::max(times.body_read_grace, times.idle_max.count() > 0 ? times.idle_max : kNoLimit));
}

// What the handler takes between its reads does not count.
void Session::wait_for_body() noexcept {
  answer_expectation();
  settle_body_time();
  body_deadline_ = body_wait_began_ + body_time_left_;
  set_deadline();
}

/// Takes off what was waited, and adds what was earned.
void Session::settle_body_time() noexcept {
  const Clock::time_point now = Clock::now();
  if (body_deadline_.has_value()) {
    body_time_left_ -= now - body_wait_began_;
  }
  body_wait_began_ = now;
  const std::uint64_t bytes = parser_.body_bytes();
  const std::uint64_t earned = bytes - std::exchange(body_bytes_paid_, bytes);
  body_time_left_ = std::min(body_time_left_ + time_for(earned), body_time_max());
}

void Session::stop_body_wait() noexcept {
  if (body_deadline_.has_value()) {
    settle_body_time();
    body_deadline_.reset();
    set_deadline();
  }
}

void Session::end_body_wait() noexcept {
  stop_body_wait();
  if (handler_deadline_.has_value()) {
    limit_handler();  // Anew: a large body takes its time.
  }
}

void Session::set_deadline() noexcept {
  const auto handler = handler_deadline_.value_or(Clock::time_point::max());
  connection_->expires_at(body_deadline_.value_or(handler));
}

bool Session::write_body(std::string_view& bytes) noexcept {
  Response& response = exchange_->response();
  if (!response.is_begun()) {
    response.begin_written();
    begin_response(true);
  }
  if (!response.is_written()) {
    return false;  // Something around the handler failed, and has answered.
  }
  if (writer_.framing().body == BodyFraming::none && !bytes.empty()) {
    // A handler that writes without end would have the Worker to itself.
    is_superfluous_ = writer_.write(*connection_, context_->date.now());
    return false;
  }
  const bool written = writer_.write_some(*connection_, context_->date.now(), bytes);
  return written && !writer_.has_failed();
}

bool Session::flush() noexcept {
  return writer_.flush(*connection_) && connection_->output_bytes() == 0;
}

bool Session::send_interim(std::string_view head) noexcept {
  return connection_->write(head) ||
         (connection_->output_bytes() == 0 && connection_->write_by_reference(head));
}

bool Session::become_raw() noexcept {
  is_raw_ = true;
  handler_deadline_.reset();
  set_deadline();
  return true;
}

Client::Read Session::read_raw(std::span<char> room, std::string_view& piece) noexcept {
  const std::string_view input = connection_->input();
  const std::size_t taken = std::min(input.size(), room.size());
  if (taken == 0) {
    piece = {};
    return connection_->input_ended() ? Read::end : Read::not_yet;
  }
  std::memcpy(room.data(), input.data(), taken);
  connection_->consume(taken);
  piece = {room.data(), taken};
  return Read::piece;
}

bool Session::write_raw(std::string_view& bytes) noexcept {
  const std::span<char> room = connection_->output_room();
  const std::size_t taken = std::min(room.size(), bytes.size());
  (void)connection_->write(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  return bytes.empty();
}

std::string_view Session::remote_address() {
  note_remote_address();
  return remote_address_;
}

void Session::note_remote_address() {
  if (remote_address_.empty()) {
    if (pool::Connection* connection = ref_.get()) {
      remote_address_ = connection->socket().remote_endpoint().to_string();
    }
  }
}

void Session::on_wake() noexcept {
  if (connection_ == nullptr) {  // Else it is being advanced already.
    if (pool::Connection* connection = ref_.get()) {
      connection->notify();
    }
  }
}

}  // namespace stadion::http
