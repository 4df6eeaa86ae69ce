// SPDX-License-Identifier: MIT
#include <algorithm>
#include <exception>
#include <string>

#include "core/log.hpp"
#include "pool/socket_pool.hpp"

/// What the pool does with its connections' sockets.
namespace stadion::pool {
namespace {

/// While draining, peers that don't end their side hold the process up no longer than this.
constexpr std::chrono::milliseconds kLingerWhileDraining{500};

/// Whether the error is about the connection, and so nothing that an operator could mend.
bool is_of_peer(const std::error_code& error) noexcept {
  return error == std::errc::broken_pipe || error == std::errc::connection_reset ||
         error == std::errc::connection_aborted || error == std::errc::timed_out ||
         error == std::errc::host_unreachable || error == std::errc::network_unreachable ||
         error == std::errc::network_down;
}

}  // namespace

void SocketPool::on_readable(Connection& connection) {
  connection.reading_ = false;
  if (connection.is_discarding()) {
    return discard_input(connection);
  }
  Connection::Buffer& input = connection.input_;
  if (connection.input_full()) {
    return;  // By now; it is waited for again when some was consumed.
  }
  if (!ensure_memory(connection, input)) {
    return move_on(connection, Sending::now);
  }
  if (input.begin > 0) {
    input.move_to_front();
  }
  const net::IoResult result =
      connection.socket_.read_some({input.at(input.end), buffer_bytes_ - input.end});
  if (result.would_block()) {
    return move_on(connection, Sending::now);
  }
  input.end += result.bytes;
  bytes_in_.add(result.bytes);
  connection.last_activity_ = now_;
  if (result.error && !net::is_end_of_stream(result.error)) {
    return remove(connection);
  }
  connection.input_ended_ = static_cast<bool>(result.error);
  tell_handler(connection, connection.input_ended_ ? &ConnectionHandler::on_input_end
                                                   : &ConnectionHandler::on_input);
}

// Nobody wants it, so that it needs no buffer.
void SocketPool::discard_input(Connection& connection) {
  char nowhere[4096];
  const net::IoResult result = connection.socket_.read_some(nowhere);
  bytes_in_.add(result.bytes);
  if (result.error && !result.would_block()) {
    if (!net::is_end_of_stream(result.error)) {
      return remove(connection);
    }
    connection.input_ended_ = true;
  }
  move_on(connection, Sending::now);
}

void SocketPool::on_writable(Connection& connection) {
  connection.writing_ = false;
  if (std::exchange(connection.owes_output_sent_, false) && connection.output_idle() &&
      !connection.closes_) {
    return tell_handler(connection, &ConnectionHandler::on_output_sent);
  }
  move_on(connection, Sending::now);
}

// Where there is input still to come, the hang-up of a Unix socket is no more than its end.
void SocketPool::on_hang_up(Connection& connection) {
  if (connection.socket_.has_failed() || connection.input_ended_) {
    remove(connection);
  }
}

void SocketPool::log_file_failure(const Connection& connection, const std::error_code& error) {
  const Connection::FilePart& file = connection.file_;
  const LogLevel level = is_of_peer(error) ? LogLevel::debug : LogLevel::error;
  log(level, "cannot send file descriptor " + std::to_string(file.descriptor) + " to " +
                 connection.socket_.remote_endpoint().to_string() + ": " + error.message() +
                 "; at byte " + std::to_string(file.offset) + ", with " +
                 std::to_string(file.bytes) + " to go");
}

void SocketPool::tell_handler(Connection& connection,
                              void (ConnectionHandler::*function)(Connection&)) {
  if (connection.in_handler_) {
    (handler_->*function)(connection);
    return;
  }
  const ConnectionRef ref = connection.ref();
  connection.in_handler_ = true;
  bool failed = false;
  try {
    (handler_->*function)(connection);
  } catch (const std::exception& error) {
    failed = true;
    log(LogLevel::error, {"a connection's handler threw: ", error.what()});
  } catch (...) {
    failed = true;
    log(LogLevel::error, "a connection's handler threw what is no std::exception");
  }
  if (Connection* still = ref.get()) {
    still->in_handler_ = false;
    still->closes_ = still->closes_ || failed;
    move_on(*still, Sending::now);
  }
}

// After anything happened: close it, send, or read, whatever its state asks for.
void SocketPool::move_on(Connection& connection, Sending sending) {
  if (connection.closes_) {
    return remove(connection);
  }
  if (handler_ == nullptr) {
    return;
  }
  if (std::exchange(connection.lacks_memory_, false) && !connection.closes_after_output_) {
    connection.closes_after_output_ = true;
    return tell_handler(connection, &ConnectionHandler::on_no_memory);
  }
  if (!connection.output_idle()) {
    if (sending == Sending::later || connection.writing_) {
      return wait_for_room(connection);
    }
    if (!send(connection)) {
      return;
    }
    if (connection.tells_output_sent_) {
      // In the next turn, or a handler that always has more would keep all others waiting.
      give_back(connection.output_);
      connection.owes_output_sent_ = true;
      return wait_writable(connection);
    }
  }
  give_back(connection.output_);
  if (connection.owes_output_sent_) {
    return;  // on_writable() goes on.
  }
  if (connection.closes_after_output_) {
    return begin_linger(connection);
  }
  if (connection.input_ended_ && connection.socket_.has_hung_up()) {
    return remove(connection);  // Nobody is there to be answered.
  }
  wait_for_input(connection);
}

// Not while output waits: a peer that doesn't take its answers gets no more questions in.
void SocketPool::wait_for_input(Connection& connection) {
  Connection::Buffer& input = connection.input_;
  if (connection.lingers_) {
    input.begin = input.end;
  }
  if (input.size() == 0) {
    give_back(input);
  } else if (input.begin > 0) {
    input.move_to_front();
  }
  if (!connection.reading_ && !connection.input_ended_ && !connection.input_full()) {
    connection.reading_ = true;
    connection.socket_.wait_readable(completion_for<&SocketPool::on_readable>(connection));
  }
}

void SocketPool::wait_for_room(Connection& connection) {
  connection.begin_to_wait_for_room(now_);
  wait_writable(connection);
}

void SocketPool::wait_writable(Connection& connection) {
  if (!connection.writing_) {
    connection.writing_ = true;
    connection.socket_.wait_writable(completion_for<&SocketPool::on_writable>(connection));
  }
}

// Once, and a file together with what comes before it; what the handler then writes, in its turn: so that
// a peer that reads as fast as we send keeps no other from being served. False when it waits for room, or the connection is gone.
bool SocketPool::send(Connection& connection) {
  const Connection::FilePart& file = connection.file_;
  const bool is_from_memory = connection.has_output_in_memory();
  net::IoResult result;
  if (is_from_memory) {
    const Connection::Buffer& output = connection.output_;
    // With a file behind it, too: kept back until that comes (MSG_MORE), the head halves the rate.
    result = connection.socket_.write_some({output.at(output.begin), output.size()},
                                           connection.referenced_);
  } else {
    const std::uint64_t bytes = std::min<std::uint64_t>(file.bytes, net::kSendFileBytesMax);
    result = connection.socket_.send_file_some(file.descriptor, file.offset,
                                               static_cast<std::size_t>(bytes));
  }
  if (result.would_block()) {
    wait_for_room(connection);
    return false;
  }
  if (result.error) {
    if (!is_from_memory) {
      log_file_failure(connection, result.error);
    }
    remove(connection);
    return false;
  }
  is_from_memory ? connection.note_sent(result.bytes) : connection.note_file_sent(result.bytes);
  bytes_out_.add(result.bytes);
  connection.sent_ += static_cast<std::int64_t>(result.bytes);
  connection.last_activity_ = now_;
  if (connection.output_idle()) {
    connection.is_write_timed_ = false;
    return true;
  }
  if (is_from_memory && !connection.has_output_in_memory()) {
    return send(connection);
  }
  wait_for_room(connection);
  return false;
}

bool SocketPool::carve_memory(Connection& connection, Connection::Buffer& buffer) noexcept {
  try {
    buffer.memory = static_cast<char*>(buffers_.acquire());
    return true;
  } catch (const ArenaFailed& failure) {
    log(LogLevel::error, {"a connection is closed for want of a buffer: ", failure.what()});
    (handler_ == nullptr ? connection.closes_ : connection.lacks_memory_) = true;
    return false;
  }
}

void SocketPool::give_back(Connection::Buffer& buffer) noexcept {
  if (buffer.memory != nullptr) {
    buffers_.release(buffer.memory);
    buffer = {};
  }
}

// Closing at once would have the system reset the connection if there is input that we didn't read,
// and the peer lose our last words (RFC 9112 section 9.6). So end our side, and read on until the
// peer ends its own.
void SocketPool::begin_linger(Connection& connection) {
  if (connection.input_ended_ || times_.linger.count() == 0) {
    return remove(connection);
  }
  if (!connection.lingers_) {
    connection.lingers_ = true;
    connection.socket_.shutdown_send();
    connection.expires_after(linger_time());
  }
  wait_for_input(connection);
}

std::chrono::milliseconds SocketPool::linger_time() const noexcept {
  return draining_ ? std::min(kLingerWhileDraining, times_.linger) : times_.linger;
}

}  // namespace stadion::pool
