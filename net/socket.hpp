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

/// A connected stream socket (TCP or Unix) on a Worker. At most one read and one write are under
/// way at a time.
///
/// Lifetime   The Worker outlives it. An operation's buffer stays valid until its completion, or
///            until close(): from then on neither are buffers touched nor completions called.
/// Threads    Its Worker's alone. Completions are called from the loop, never from within the call
///            that started them.
/// Cost       The memory that operations need is the socket's own: none is allocated per operation.
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
  void async_write_some(std::string_view first, std::string_view second, IoCompletion completion);

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

  State* state_ = nullptr;
};

}  // namespace stadion::net
