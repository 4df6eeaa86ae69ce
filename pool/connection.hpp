// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/socket.hpp"
#include "net/timer.hpp"

namespace stadion::pool {

class Connection;
class SocketPool;

/// Names a connection for as long as one likes: it knows when its connection is gone, survives a
/// resize of the pool, and never mistakes another connection for its own.
///
/// Lifetime   The pool outlives it.
/// Threads    The pool's.
/// Source     Document Rule 3.
class ConnectionRef {
 public:
  ConnectionRef() noexcept = default;

  /// The connection, or null when it is gone. The pointer is good until the next removal or resize.
  Connection* get() const noexcept;
  bool is_stale() const noexcept { return get() == nullptr; }

  bool operator==(const ConnectionRef&) const noexcept = default;

 private:
  friend class Connection;
  friend class SocketPool;
  ConnectionRef(SocketPool& pool, std::uint32_t index, std::uint64_t generation) noexcept
      : pool_(&pool), index_(index), generation_(generation) {}

  SocketPool* pool_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint64_t generation_ = 0;
};

/// One connection of a SocketPool: its socket, user data, and, while there is something in them, an
/// input and an output buffer carved from the pool's arena.
///
/// Within the functions of a ConnectionHandler, what is written is sent, and more is read, when the
/// function returns. Elsewhere, say so with flush().
///
/// Lifetime   Until it is removed or closed. A *pointer* to it is good until the next removal or
///            SocketPool::resize(), which may move it; keep a ref(). Views of input() are good
///            until the next consume() or the handler's end.
/// Threads    The pool's Worker alone.
/// Source     Document Pattern 2, Rule 3.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionRef ref() const noexcept { return {*pool_, index_, generation_}; }
  SocketPool& pool() const noexcept { return *pool_; }
  net::Socket& socket() noexcept { return socket_; }

  /// The user's own; the pool never looks at it.
  void* data() const noexcept { return data_; }
  void set_data(void* data) noexcept { data_ = data; }

  /// The bytes that have arrived and were not consumed.
  std::string_view input() const noexcept { return {input_.at(input_.begin), input_.size()}; }
  /// Done with the first `bytes` of input().
  void consume(std::size_t bytes) noexcept;
  /// Whether input() fills the whole buffer: nothing more arrives until some is consumed.
  bool input_full() const noexcept;
  /// Whether the peer has ended its side: what is in input() is the last.
  bool input_ended() const noexcept { return input_ended_; }

  /// Copies to the output buffer. False, and nothing is taken, when the room doesn't suffice: wait
  /// for ConnectionHandler::on_output_sent(), or on_no_memory().
  bool write(std::string_view bytes) noexcept;
  /// The room in the output buffer, to be written to in place and then committed. Empty while a
  /// write by reference or from a file is pending.
  std::span<char> output_room() noexcept;
  void commit_output(std::size_t bytes) noexcept;
  /// Sends after the output buffer, without a copy, bytes that stay valid until on_output_sent() or
  /// on_close(). Until they are sent there is no room for other output. False, and nothing is
  /// taken, while an earlier reference or file is pending, or on_no_memory() is about to be told.
  bool write_by_reference(std::string_view bytes) noexcept;
  /// Sends after the output buffer `bytes` of a file from `offset` on, without reading them into
  /// this process (sendfile). The descriptor is the caller's and stays open until on_output_sent()
  /// or on_close(); its position is neither used nor moved, so that many connections may send from
  /// one. Until all is sent there is no room for other output. False, and nothing is taken, as for
  /// write_by_reference().
  ///
  /// The peer was promised so many bytes, so if they cannot be had (the file has become shorter,
  /// the disk fails, the file is of a kind that cannot be sent) the connection is closed at once,
  /// and an error logged that says what happened, at which byte and to whom.
  /// Requires   `offset` and `bytes` below 2^63, as those of any file.
  /// See        net::Socket::async_send_file_some() for which files can be sent.
  bool write_file(int descriptor, std::uint64_t offset, std::uint64_t bytes) noexcept;
  /// Bytes that were written and not yet handed to the system.
  std::uint64_t output_bytes() const noexcept {
    return output_.size() + referenced_.size() + file_.bytes;
  }

  /// Whether a write by reference or from a file is pending.
  bool has_output_elsewhere() const noexcept { return !referenced_.empty() || file_.bytes > 0; }

  /// Whether to call ConnectionHandler::on_output_sent(): as long as nothing else is said, yes. It is
  /// a call per write that a handler can do without which does not wait for room.
  void tell_output_sent(bool wanted) noexcept { tells_output_sent_ = wanted; }

  /// Has what was written sent, and more read, in the loop's next turn, for calls from outside a
  /// handler's functions.
  void flush();
  /// Has ConnectionHandler::on_notify() called, now: for whoever learns elsewhere that something can go
  /// on here. What it writes is sent, as from the handler's other functions.
  void notify();
  /// Closes at once; what was not sent is lost. The connection is gone when this returns, except
  /// within a handler's function for it: there it is gone when that function returns.
  void close();
  /// Sends what was written, ends our side, waits briefly for the peer to end its own (or else the
  /// system might throw away what it has not read yet), and closes. Input from here on is
  /// discarded.
  void close_after_output() noexcept { closes_after_output_ = true; }
  bool is_closing() const noexcept { return closes_after_output_ || closes_ || lacks_memory_; }
  /// Whether there was none for a buffer, and on_no_memory() is about to be told.
  bool lacks_memory() const noexcept { return lacks_memory_ && !closes_after_output_; }

  /// Has ConnectionHandler::on_timeout() called after bounded_delay(), unless set again or cancelled.
  /// Coarse: up to SocketPool's kSweepInterval late.
  void expires_after(std::chrono::milliseconds delay) noexcept {
    expires_at(Clock::now() + net::bounded_delay(delay));
  }
  void expires_at(Clock::time_point time) noexcept { deadline_ = time; }
  void cancel_expiry() noexcept { deadline_ = Clock::time_point::max(); }

  /// When bytes last came or went, as of the pool's last sweep.
  Clock::time_point last_activity() const noexcept { return last_activity_; }

 private:
  friend class SocketPool;

  /// Of its memory, of which there is none until it is needed, [begin, end) holds bytes.
  struct Buffer {
    char* memory = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;

    char* at(std::size_t offset) const noexcept { return memory + offset; }
    std::size_t size() const noexcept { return end - begin; }
    void drop_front(std::size_t bytes) noexcept;
    void move_to_front() noexcept;
  };

  /// What is left to send of a file.
  struct FilePart {
    int descriptor = -1;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };

  Connection(SocketPool& pool, std::uint32_t index, std::uint64_t generation,
             net::Socket socket) noexcept
      : pool_(&pool), index_(index), generation_(generation), socket_(std::move(socket)) {}
  Connection(Connection&&) noexcept = default;  // For a resize only.

  bool output_idle() const noexcept { return output_bytes() == 0; }
  bool has_output_in_memory() const noexcept { return output_.size() + referenced_.size() > 0; }
  bool is_discarding() const noexcept { return closes_after_output_ || lingers_; }
  void begin_to_wait_for_room(Clock::time_point now) noexcept;
  void note_sent(std::size_t bytes) noexcept;
  void note_file_sent(std::size_t bytes) noexcept;

  SocketPool* pool_;
  std::uint32_t index_;
  bool reading_ = false;  ///< Waits for something to read;
  bool writing_ = false;  ///< for room to write.
  bool input_ended_ = false;
  bool closes_after_output_ = false;
  bool closes_ = false;   ///< At the end of the handler's function.
  bool lingers_ = false;  ///< Our side is ended; the peer's is awaited.
  bool in_handler_ = false;
  bool leaving_ = false;  ///< on_close() is being told.
  bool tells_output_sent_ = true;
  bool owes_output_sent_ = false;    ///< It is told in the next turn.
  bool lacks_memory_ = false;        ///< The handler is to be told.
  bool is_write_timed_ = false;      ///< Output waits, here or in our system, since write_began_,
  bool has_write_baseline_ = false;  ///< when the peer had taken taken_before_.
  std::uint64_t generation_;
  net::Socket socket_;
  Buffer input_;
  Buffer output_;
  std::string_view referenced_;  ///< Sent after output_; and so is
  FilePart file_;                ///< this, of which there is none beside a reference.
  void* data_ = nullptr;
  Clock::time_point last_activity_{};
  Clock::time_point write_began_{};
  std::int64_t taken_before_ = 0;
  std::int64_t sent_ = 0;         ///< In all.
  std::uint64_t client_key_ = 0;  ///< Where it is counted; see AddressCounts.
  Clock::time_point deadline_ = Clock::time_point::max();
};

/// What a service does with its connections; one handler serves a whole pool.
///
/// Each function may write to, close or remove any connection, resize the pool, and close this one.
/// After a resize its `connection` argument is as invalid as any other pointer (document Rule 3);
/// take a ref() first. An exception that leaves a function is logged and closes the connection.
/// Threads    Called on the pool's Worker.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;

  /// After the connection was added, before the first byte is read.
  virtual void on_open(Connection& /*connection*/) {}
  /// Bytes have arrived. What is left unconsumed comes again, with more behind it.
  virtual void on_input(Connection& connection) = 0;
  /// The peer has ended its side. Default: send what was written, and close.
  virtual void on_input_end(Connection& connection) { connection.close_after_output(); }
  /// All output has been handed to the system: there is room again. In a turn of the loop after the one
  /// in which it was sent. See Connection::tell_output_sent().
  virtual void on_output_sent(Connection& /*connection*/) {}
  /// Connection::notify() was called.
  virtual void on_notify(Connection& /*connection*/) {}
  /// There is no memory for a buffer that the connection needs, to read into or to write to. Nothing
  /// can be sent but by reference, and the connection is closed after that. What was being sent by
  /// reference goes on to be, so either it stays valid, or close(). An error is logged.
  virtual void on_no_memory(Connection& /*connection*/) {}
  /// Nothing has happened for the pool's idle time, or expires_after() has passed. Default: close.
  virtual void on_timeout(Connection& connection) { connection.close(); }
  /// The pool is being drained. Default: send what was written, and close.
  virtual void on_drain(Connection& connection) { connection.close_after_output(); }
  /// The connection is about to go, whatever the reason: the last chance to look at its data().
  /// That the peer has reset the connection is told at once, whatever the handler waits for. A peer
  /// that ended its side in order is heard of when the input before that is read, so not while the
  /// input is full.
  virtual void on_close(Connection& /*connection*/) noexcept {}
};

}  // namespace stadion::pool
