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

template <void (SocketPool::*Done)(Connection&, std::error_code, std::size_t)>
net::IoCompletion SocketPool::completion_for(const Connection& connection) noexcept {
  // By slot and generation: the connection may have moved by the time the operation is done.
  const std::uint64_t generation = ref_of(connection).generation_;
  const auto done = [](void* pool, std::uint64_t tag, std::error_code error, std::size_t bytes) {
    auto* self = static_cast<SocketPool*>(pool);
    const auto index = static_cast<std::uint32_t>(tag & (kConnectionsMax - 1));
    if (Connection* completed = self->lookup(index, tag >> kIndexBits)) {
      (self->*Done)(*completed, error, bytes);
    }
  };
  return {done, this, (generation << kIndexBits) | connection.index_};
}

void SocketPool::on_read(Connection& connection, std::error_code error, std::size_t bytes) {
  connection.reading_ = false;
  connection.input_.end += bytes;
  bytes_in_.add(bytes);
  connection.last_activity_ = now_;
  connection.input_ended_ = net::is_end_of_stream(error);
  if (error && !connection.input_ended_) {
    remove(connection);
  } else if (connection.is_discarding()) {
    move_on(connection);
  } else {
    tell_handler(connection, connection.input_ended_ ? &ConnectionHandler::on_input_end
                                                     : &ConnectionHandler::on_input);
  }
}

void SocketPool::on_written(Connection& connection, std::error_code error, std::size_t bytes) {
  connection.writing_ = false;
  if (error) {
    return remove(connection);
  }
  connection.note_sent(bytes);
  go_on_after_sending(connection, bytes);
}

void SocketPool::on_file_sent(Connection& connection, std::error_code error, std::size_t bytes) {
  connection.writing_ = false;
  if (error) {
    log_file_failure(connection, error);
    return remove(connection);
  }
  connection.note_file_sent(bytes);
  go_on_after_sending(connection, bytes);
}

void SocketPool::go_on_after_sending(Connection& connection, std::size_t bytes) {
  bytes_out_.add(bytes);
  connection.last_activity_ = now_;
  if (connection.output_idle()) {
    tell_handler(connection, &ConnectionHandler::on_output_sent);
  } else {
    move_on(connection);
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
    log(LogLevel::error, std::string("a connection's handler threw: ") + error.what());
  } catch (...) {
    failed = true;
    log(LogLevel::error, "a connection's handler threw what is no std::exception");
  }
  if (Connection* still = ref.get()) {
    still->in_handler_ = false;
    still->closes_ = still->closes_ || failed;
    move_on(*still);
  }
}

// After anything happened: close it, send, or read, whatever its state asks for.
void SocketPool::move_on(Connection& connection) {
  if (connection.closes_) {
    return remove(connection);
  }
  if (handler_ == nullptr) {
    return;
  }
  start_writing(connection);
  if (connection.closes_after_output_ && connection.output_idle()) {
    return begin_linger(connection);
  }
  start_reading(connection);
}

// Not while output is under way: a peer that doesn't take its answers gets no more questions in,
// and by the time that the output is sent, the next input is likely to be there, which saves a
// probe.
void SocketPool::start_reading(Connection& connection) {
  Connection::Buffer& input = connection.input_;
  if (connection.reading_ || connection.writing_ || connection.input_ended_) {
    return;
  }
  if (connection.lingers_) {
    input.begin = input.end;
  }
  if (input.begin > 0) {
    input.move_to_front();
  }
  if (input.end == input.capacity) {
    return;
  }
  connection.reading_ = true;
  connection.socket_.async_read_some({input.at(input.end), input.capacity - input.end},
                                     completion_for<&SocketPool::on_read>(connection));
}

void SocketPool::start_writing(Connection& connection) {
  if (connection.writing_ || connection.output_idle()) {
    return;
  }
  connection.writing_ = true;
  connection.last_sent_ = now_;
  const Connection::FilePart& file = connection.file_;
  if (connection.has_output_in_memory()) {
    const Connection::Buffer& output = connection.output_;
    connection.socket_.async_write_some(
        {output.at(output.begin), output.size()}, connection.referenced_,
        completion_for<&SocketPool::on_written>(connection),
        file.bytes > 0 ? net::MoreOutput::follows : net::MoreOutput::none);
  } else {
    const std::uint64_t bytes = std::min<std::uint64_t>(file.bytes, net::kSendFileBytesMax);
    connection.socket_.async_send_file_some(file.descriptor, file.offset,
                                            static_cast<std::size_t>(bytes),
                                            completion_for<&SocketPool::on_file_sent>(connection));
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
  start_reading(connection);
}

std::chrono::milliseconds SocketPool::linger_time() const noexcept {
  return draining_ ? std::min(kLingerWhileDraining, times_.linger) : times_.linger;
}

}  // namespace stadion::pool
