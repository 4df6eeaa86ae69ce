// SPDX-License-Identifier: MIT
#pragma once

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
/// Whether the error of Socket::async_send_file_some() says that the file ends before the bytes
/// that were to be sent: it has become shorter, or never was so long. The connection itself is
/// sound.
bool is_file_too_short(const std::error_code& error) noexcept;

/// Whether a write is the last for now, or the next comes at once: then the system may keep the end
/// of this one back for a moment, so that both fill one packet (MSG_MORE).
enum class MoreOutput : bool { none, follows };

/// At most so much is sent from a file at a time, so that a peer that reads as fast as we send does
/// not keep the loop from other connections.
inline constexpr std::size_t kSendFileBytesMax = 2 * 1024 * 1024;

/// A connected stream socket (TCP or Unix) on a Worker. At most one read and one write (from memory
/// or from a file) are under way at a time.
///
/// Lifetime   The Worker outlives it. An operation's buffer stays valid, and its file open, until
///            its completion, or until close(): from then on neither are buffers and files touched
///            nor completions called.
/// Threads    Its Worker's alone. Completions are called from the loop, never from within the call
///            that started them.
/// Cost       The memory that operations need is the socket's own: none is allocated per operation.
///            A read or write that need not wait is one system call. Sending from a file takes two
///            cheap ones besides, which keep SIGPIPE from the process, and an epoll_ctl() whenever
///            it waits for room.
class Socket {
 public:
  Socket() noexcept = default;
  /// Takes over a connected, non-blocking descriptor.
  Socket(Worker& worker, int descriptor);
  ~Socket() { close(); }

  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Reads what has arrived, one byte at least. is_end_of_stream() tells an orderly end in the
  /// completion's error.
  void async_read_some(std::span<char> buffer, IoCompletion completion);
  /// Writes some of `first` and then of `second` in one system call; the completion tells how much.
  void async_write_some(std::string_view first, std::string_view second, IoCompletion completion,
                        MoreOutput more = MoreOutput::none);
  /// Sends `bytes` of a file from `offset` on, or as many as fit but kSendFileBytesMax at the most,
  /// without a copy through this process (sendfile); the completion tells how many. Zero bytes are
  /// sent at once, whatever the file.
  ///
  /// `file` is open for reading and of a kind that can be mapped: a regular file, as a rule. Its
  /// own position is neither used nor moved, so several sockets may send from one descriptor. What
  /// is not in the system's cache is read from the disk, and the loop waits for it.
  /// Errors     is_file_too_short() when not one byte of the file is left at `offset`; what
  ///            sendfile reports: invalid_argument or invalid_seek for a file of another kind,
  ///            io_error from the disk, broken_pipe and connection_reset from a peer that is gone.
  void async_send_file_some(int file, std::uint64_t offset, std::size_t bytes,
                            IoCompletion completion);

  /// Tells the peer that nothing more will be sent.
  void shutdown_send() noexcept;
  void close() noexcept;

  bool is_open() const noexcept { return state_ != nullptr; }
  /// -1 when closed.
  int native_handle() const noexcept;
  /// The peer's address, asked of the system.
  Endpoint remote_endpoint() const noexcept;

 private:
  struct State;
  struct ReadHandler;
  struct WriteHandler;
  struct FileSentHandler;
  struct FileRoomHandler;

  State* state_ = nullptr;
};

}  // namespace stadion::net
