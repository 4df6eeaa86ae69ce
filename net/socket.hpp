// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include "net/endpoint.hpp"

namespace stadion::net {

class Worker;

/// Who is told when an operation is done: a function, and what to pass it. Owns nothing, allocates
/// nothing.
struct IoCompletion {
  void (*function)(void* context, std::uint64_t tag, std::error_code error, std::size_t bytes);
  void* context;
  std::uint64_t tag;  ///< The caller's own, passed through.

  void operator()(std::error_code error, std::size_t bytes) const {
    function(context, tag, error, bytes);
  }
};

/// Whether the error says no more than that the peer has ended its side in order.
bool is_end_of_stream(const std::error_code& error) noexcept;
/// Whether the error of Socket::send_file_some() says that the file ends before the bytes
/// that were to be sent: it has become shorter, or never was so long. The connection itself is
/// sound.
bool is_file_too_short(const std::error_code& error) noexcept;

/// Whether a write is the last for now, or the next comes at once: then the system may keep the end
/// of this one back for a moment, so that both fill one packet (MSG_MORE).
enum class MoreOutput : bool { none, follows };

/// At most so much is sent from a file at a time, so that a peer that reads as fast as we send does
/// not keep the loop from other connections.
inline constexpr std::size_t kSendFileBytesMax = 2 * 1024 * 1024;

/// What a call that does not wait has done.
struct IoResult {
  std::error_code error{};
  std::size_t bytes = 0;

  /// Nothing was there to read, or there was no room to write to: not an error.
  bool would_block() const noexcept {
    return error.value() == EAGAIN && error.category() == std::system_category();
  }
};

/// A connected stream socket (TCP or Unix) on a Worker, to be used in one of two ways:
///
/// - read_some(), write_some() and send_file_some() do what can be done at once; wait_readable() and
///   wait_writable() tell when more can. A buffer is needed only while there is something for it.
/// - async_read_some(), async_write_some() and async_send_file_some() wait, act, and tell of it.
///
/// At most one operation of either kind waits for reading, and one for writing, at a time.
///
/// Lifetime   The Worker outlives it. An operation's buffer stays valid, and its file open, until
///            its completion, or until close(): from then on neither are buffers and files touched
///            nor completions called.
/// Threads    Its Worker's alone. Completions are called from the loop, never from within the call
///            that started them.
/// Cost       The memory that a socket needs is recycled by its Worker: none is allocated per
///            operation, nor, once there were as many, per connection. A read or write is one system
///            call, and no other is made between those: what was read short is not asked for again
///            before there is more. Sending from a file takes two cheap ones besides, which keep
///            SIGPIPE from the process.
class Socket {
 public:
  Socket() noexcept = default;
  /// Takes over a connected, non-blocking descriptor. Throws std::system_error when it cannot be
  /// watched; it is the caller's then.
  Socket(Worker& worker, int descriptor);
  ~Socket() { close(); }

  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Reads what has arrived, one byte at least. is_end_of_stream() tells an orderly end in the
  /// error.
  IoResult read_some(std::span<char> buffer) noexcept;
  /// Writes some of `first` and then of `second` in one system call.
  IoResult write_some(std::string_view first, std::string_view second,
                      MoreOutput more = MoreOutput::none) noexcept;
  /// Sends `bytes` of a file from `offset` on, or as many as fit but kSendFileBytesMax at the most,
  /// without a copy through this process (sendfile). Zero bytes are sent at once, whatever the file.
  ///
  /// `file` is open for reading and of a kind that can be mapped: a regular file, as a rule. Its
  /// own position is neither used nor moved, so several sockets may send from one descriptor. What
  /// is not in the system's cache is read from the disk, and the loop waits for it.
  /// Errors     is_file_too_short() when not one byte of the file is left at `offset`; what
  ///            sendfile reports: invalid_argument or invalid_seek for a file of another kind,
  ///            io_error from the disk, broken_pipe and connection_reset from a peer that is gone.
  IoResult send_file_some(int file, std::uint64_t offset, std::size_t bytes) noexcept;

  /// The completion is called once, without an error and with no bytes, when it is worth while to
  /// read: in the next turn of the loop where it may be already.
  void wait_readable(IoCompletion completion);
  /// The same for writing.
  void wait_writable(IoCompletion completion);
  /// Whom to tell, each time, that the connection was reset or ended on both sides while nothing
  /// waits that would tell.
  void on_hang_up(IoCompletion completion) noexcept;
  /// Whether that is so: the peer takes nothing any more.
  bool has_hung_up() const noexcept;
  /// Whether it was reset, or has failed otherwise: nothing more can be read, either.
  bool has_failed() const noexcept;

  /// read_some() as soon as something has arrived.
  void async_read_some(std::span<char> buffer, IoCompletion completion);
  /// write_some() as soon as there is room, which it tries at once.
  void async_write_some(std::string_view first, std::string_view second, IoCompletion completion,
                        MoreOutput more = MoreOutput::none);
  /// send_file_some() as soon as there is room, which it tries at once.
  void async_send_file_some(int file, std::uint64_t offset, std::size_t bytes,
                            IoCompletion completion);

  /// Tells the peer that nothing more will be sent.
  void shutdown_send() noexcept;
  void close() noexcept;
  /// Has close() make the system forget what it still has to send, by a reset (TCP). Otherwise it would
  /// go on for minutes to offer that to a peer that takes none of it.
  void reset_on_close() noexcept;

  bool is_open() const noexcept { return state_ != nullptr; }
  /// -1 when closed.
  int native_handle() const noexcept;
  /// Bytes that were written and that the peer's system has not taken yet (SIOCOUTQ), asked of ours;
  /// for a Unix socket with what the system adds to them.
  std::size_t send_queue_bytes() const noexcept;
  /// The peer's address, asked of the system.
  Endpoint remote_endpoint() const noexcept;

 private:
  struct State;

  State* state_ = nullptr;
};

}  // namespace stadion::net
