// SPDX-License-Identifier: MIT
#include "http/session.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <string>

#include "core/finally.hpp"
#include "core/log.hpp"

namespace stadion::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
/// When the server stops, a request that is already on its way to an idle connection still gets its
/// answer.
constexpr std::chrono::milliseconds kDrainGrace{100};
/// Around the data of one chunk, the last chunk behind it included.
constexpr std::size_t kChunkOverhead = kChunkHeadBytesMax + kChunkEnd.size() + kLastChunk.size();

/// The data of a chunk was written kChunkHeadBytesMax into the room; puts its size before and its
/// end behind it, and the last chunk, where that was all. Answers the bytes of it all.
std::size_t frame_chunk(std::span<char> room, std::size_t data_bytes, bool is_last) noexcept {
  char* end = room.data();
  if (data_bytes > 0) {  // A chunk of size 0 would be the last.
    end = write_chunk_head(end, data_bytes);
    std::memmove(end, room.data() + kChunkHeadBytesMax, data_bytes);
    end = std::copy(kChunkEnd.begin(), kChunkEnd.end(), end + data_bytes);
  }
  if (is_last) {
    end = std::copy(kLastChunk.begin(), kLastChunk.end(), end);
  }
  return static_cast<std::size_t>(end - room.data());
}

}  // namespace

void Session::on_input_end(pool::Connection& connection) { advance(connection); }

void Session::on_output_sent(pool::Connection& connection) { advance(connection); }

void Session::on_timeout(pool::Connection& connection) {
  if (phase_ != Phase::reading || parser_.is_before_request()) {
    // With nothing left to send there is nobody to wait for.
    return connection.output_bytes() > 0 ? connection.close_after_output() : connection.close();
  }
  answer_error({Status::request_timeout, "The request did not arrive in time.\n"});
  advance(connection);
}

void Session::on_drain(pool::Connection& connection) {
  is_draining_ = true;
  if (phase_ == Phase::idle || parser_.is_before_request()) {
    connection.expires_after(kDrainGrace);
  }
}

void Session::advance(pool::Connection& connection) {
  answered_in_turn_ = 0;
  while (step(connection)) {
  }
  const bool awaits_input =
      phase_ == Phase::reading || (phase_ == Phase::idle && connection.input().empty());
  if (awaits_input && connection.input_ended()) {
    connection.close_after_output();
  }
}

/// Does the next thing that can be done without waiting; false when there is none.
bool Session::step(pool::Connection& connection) {
  switch (phase_) {
    case Phase::idle:
      if (!may_begin_exchange(connection)) {
        return false;
      }
      return begin_exchange(connection);
    case Phase::reading: return read(connection);
    case Phase::responding: return write_response(connection);
    case Phase::closing: return false;
  }
  return false;
}

bool Session::may_begin_exchange(const pool::Connection& connection) const noexcept {
  // Past the limit, output is pending; when it is sent the next turn begins.
  return !connection.input().empty() && answered_in_turn_ < context_->limits.pipelined_requests_max;
}

bool Session::begin_exchange(pool::Connection& connection) {
  try {
    exchange_.emplace(context_->limits);
  } catch (const ArenaFailed& failure) {
    // There is no memory even to say so in.
    log(LogLevel::error, failure.what());
    connection.close();
    phase_ = Phase::closing;
    return false;
  }
  parser_.begin(exchange_->arena);
  is_timed_ = false;
  owes_continue_ = false;
  phase_ = Phase::reading;
  return true;
}

bool Session::read(pool::Connection& connection) {
  answer_expectation(connection);
  const Parser::Progress progress = parser_.feed(connection.input());
  connection.consume(progress.consumed);
  switch (progress.state) {
    case Parser::State::need_more: limit_time(connection); return false;
    case Parser::State::head_complete: begin_body(connection); return !connection.input().empty();
    case Parser::State::complete:
      connection.cancel_expiry();
      run_handler();
      begin_response(parser_.framing().keep_alive && !is_draining_);
      return true;
    case Parser::State::failed:
      connection.cancel_expiry();
      answer_error(answer_to(parser_.error()));
      return true;
  }
  return false;
}

// A head has one deadline, however it trickles in; a body gains time with every byte.
void Session::limit_time(pool::Connection& connection) {
  const Times& times = context_->times;
  if (parser_.request() == nullptr) {
    if (!is_timed_) {
      connection.expires_after(times.head_read_max);
      is_timed_ = true;
    }
    return;
  }
  const std::size_t rate = std::max<std::size_t>(times.body_bytes_per_second_min, 1);
  const std::chrono::milliseconds earned(parser_.body_bytes() * 1000 / rate);
  connection.expires_at(body_began_ + times.body_read_grace + earned);
}

void Session::begin_body(pool::Connection& connection) {
  body_began_ = Clock::now();
  limit_time(connection);
  owes_continue_ = parser_.framing().expects_continue;
  answer_expectation(connection);
}

// A client that has begun to send its body is not waiting (RFC 9110 section 10.1.1). One that is
// gets its answer as soon as there is room for it behind those to earlier requests.
void Session::answer_expectation(pool::Connection& connection) {
  if (owes_continue_) {
    owes_continue_ = connection.input().empty() && !connection.write(kContinue);
  }
}

void Session::run_handler() {
  Request& request = *parser_.request();
  try {
    context_->router.route(request, exchange_->response);
  } catch (const ArenaFailed& failure) {
    answer_failure(Status::service_unavailable, "There is no memory for this request.\n",
                   failure.what());
  } catch (const std::exception& error) {
    answer_failure(Status::internal_server_error, "The server failed at this request.\n",
                   error.what());
  } catch (...) {
    answer_failure(Status::internal_server_error, "The server failed at this request.\n",
                   "unknown exception");
  }
}

void Session::answer_failure(Status status, std::string_view text, std::string_view reason) {
  log_failure("the handler failed", reason);
  exchange_->response.fail(status, text);
}

void Session::answer_error(ParseErrorAnswer answer) {
  exchange_->response.fail(answer.status, answer.text);
  begin_response(false);
}

void Session::begin_response(bool keep_alive) {
  const Request* request = parser_.request();  // None when not even its head could be read.
  const Response& response = exchange_->response;
  const Method method = request == nullptr ? Method::get : request->method();
  const Version version = request == nullptr ? Version::http_1_1 : request->version();
  exchange_->framing =
      frame_response(response, method, version, keep_alive && !response.closes_connection());
  exchange_->body_left =
      response.content_length().value_or(std::numeric_limits<std::uint64_t>::max());
  exchange_->pending = Pending::head;
  phase_ = Phase::responding;
}

bool Session::write_response(pool::Connection& connection) {
  const bool written = write_head_of_response(connection) && write_body(connection);
  if (exchange_->pending == Pending::failed) {
    phase_ = Phase::closing;
    connection.close_after_output();  // Earlier answers are whole.
    return false;
  }
  // What is sent by reference lives in the exchange's arena, which therefore waits.
  if (!written || (exchange_->sends_by_reference && connection.output_bytes() > 0)) {
    return false;
  }
  end_exchange(connection);
  return true;
}

bool Session::write_head_of_response(pool::Connection& connection) {
  if (exchange_->pending != Pending::head) {
    return true;
  }
  const Response& response = exchange_->response;
  const std::string_view date = context_->date.now();
  const std::size_t size = head_bytes(response, exchange_->framing, date);
  const std::span<char> room = connection.output_room();
  if (size <= room.size()) {
    write_head(room.data(), response, exchange_->framing, date);
    connection.commit_output(size);
  } else if (connection.output_bytes() > 0) {
    return false;
  } else {
    // Larger than the whole buffer.
    auto* head = static_cast<char*>(exchange_->arena.try_alloc(size, 1));
    if (head == nullptr) {
      fail_response("there is no memory for its header fields");
      return false;
    }
    write_head(head, response, exchange_->framing, date);
    exchange_->sends_by_reference = connection.write_by_reference({head, size});
  }
  exchange_->pending = Pending::body;
  return true;
}

bool Session::write_body(pool::Connection& connection) {
  const Response& response = exchange_->response;
  if (exchange_->pending != Pending::body) {
    return true;
  }
  if (exchange_->framing.body == BodyFraming::none || exchange_->body_left == 0) {
    exchange_->pending = Pending::nothing;
    return true;
  }
  if (response.producer() != nullptr) {
    return write_streamed_body(connection);
  }
  if (connection.write(response.body())) {
    exchange_->pending = Pending::nothing;
    return true;
  }
  if (!connection.write_by_reference(response.body())) {
    return false;
  }
  exchange_->sends_by_reference = true;
  exchange_->pending = Pending::nothing;
  return true;
}

// Until the output buffer is full or the body at its end.
bool Session::write_streamed_body(pool::Connection& connection) {
  while (exchange_->pending == Pending::body) {
    const std::span<char> room = connection.output_room();
    if (room.size() < kBodyRoomMin + kChunkOverhead) {
      return false;
    }
    connection.commit_output(write_piece(room));
  }
  return exchange_->pending != Pending::failed;
}

/// Has the producer write once; answers how much of the room was used.
std::size_t Session::write_piece(std::span<char> room) {
  Exchange& exchange = *exchange_;
  const bool chunked = exchange.framing.body == BodyFraming::chunked;
  const std::span<char> around =
      chunked ? room.subspan(kChunkHeadBytesMax, room.size() - kChunkOverhead) : room;
  BodyWriter writer(around.first(std::min<std::uint64_t>(around.size(), exchange.body_left)));
  const bool more = produce(writer);
  exchange.body_left -= writer.written();
  const bool ended = !more || exchange.body_left == 0;
  if (ended && exchange.body_left > 0 && exchange.response.content_length().has_value()) {
    fail_response("its body is shorter than announced");
  } else if (!ended && writer.written() == 0) {
    fail_response("its body's producer says there is more, and writes nothing");
  }
  if (exchange.pending == Pending::failed) {
    return 0;
  }
  if (ended) {
    exchange.pending = Pending::nothing;
  }
  return chunked ? frame_chunk(room, writer.written(), ended) : writer.written();
}

bool Session::produce(BodyWriter& writer) {
  try {
    return exchange_->response.producer()->produce(writer);
  } catch (const std::exception& error) {
    fail_response(error.what());
  } catch (...) {
    fail_response("unknown exception");
  }
  return false;
}

/// The head has gone, so that only a connection cut short can tell the client (RFC 9112 section 8).
void Session::fail_response(std::string_view reason) {
  if (exchange_->pending != Pending::failed) {
    log_failure("the response failed", reason);
    exchange_->pending = Pending::failed;
  }
}

void Session::log_failure(std::string_view what, std::string_view reason) const {
  const Request* request = parser_.request();
  std::string line = request == nullptr ? std::string("request")
                                        : std::string(to_string(request->method())) + " " +
                                              std::string(request->target());
  log(LogLevel::error, line.append(": ").append(what).append(": ").append(reason));
}

void Session::end_exchange(pool::Connection& connection) {
  const auto dispose = finally([this] { exchange_.reset(); });
  context_->metrics.record_response(exchange_->response.status());
  context_->metrics.request_memory.record(exchange_->arena.bytes_used());
  ++answered_in_turn_;
  if (exchange_->framing.keep_alive) {
    phase_ = Phase::idle;
    if (is_draining_) {
      connection.expires_after(kDrainGrace);
    }
    return;
  }
  phase_ = Phase::closing;
  connection.close_after_output();
}

}  // namespace stadion::http
