// SPDX-License-Identifier: MIT
#include "net/socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/assert.hpp"
#include "net/asio.hpp"
#include "net/operation_memory.hpp"
#include "net/send_file.hpp"
#include "net/worker.hpp"

namespace stadion::net {
namespace {

using Memory = detail::OperationMemory<192>;
using Allocator = detail::OperationAllocator<void, Memory>;

/// Asio has a category of its own for what the system reports; users compare with std::errc.
std::error_code portable(const std::error_code& error) noexcept {
  return error.category() == asio::error::get_system_category()
             ? std::error_code(error.value(), std::system_category())
             : error;
}

asio::generic::stream_protocol protocol_of(int descriptor) noexcept {
  int family = AF_INET;
  socklen_t length = sizeof family;
  ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return {family, 0};
}

}  // namespace

bool is_end_of_stream(const std::error_code& error) noexcept { return error == asio::error::eof; }

/// Outlives its Socket until the operations that were under way have been told that they are
/// cancelled.
struct Socket::State {
  /// What a write that sends from a file is to send.
  struct FilePart {
    int file;
    std::uint64_t offset;
    std::size_t bytes;
  };

  State(asio::io_context& context, int descriptor)
      : stream(context, protocol_of(descriptor), descriptor), native_handle(descriptor) {}

  detail::SendFileResult send_file_part() const noexcept {
    return detail::send_file_some(native_handle, file_part.file, file_part.offset, file_part.bytes);
  }

  detail::StreamSocket stream;
  int native_handle;
  unsigned references =
      1;  ///< The Socket's, and one per operation under way. One thread: not atomic.
  bool is_closed = false;
  IoCompletion read_completion{};
  IoCompletion write_completion{};
  FilePart file_part{};
  detail::SendFileResult file_sent;
  Memory read_memory;
  Memory write_memory;
};

namespace {

/// Counts a handler as a user of its socket's state.
template <class State>
class StateReference {
 public:
  explicit StateReference(State* state) noexcept : state_(state) { ++state_->references; }
  StateReference(StateReference&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StateReference(const StateReference& other) noexcept : StateReference(other.state_) {}
  StateReference& operator=(const StateReference&) = delete;
  ~StateReference() {
    if (state_ != nullptr && --state_->references == 0) {
      delete state_;
    }
  }
  State* get() const noexcept { return state_; }
  State* operator->() const noexcept { return state_; }

 private:
  State* state_;
};

}  // namespace

struct Socket::ReadHandler {
  using allocator_type = Allocator;

  StateReference<State> state;

  allocator_type get_allocator() const noexcept { return allocator_type(state->read_memory); }
  void operator()(std::error_code error, std::size_t bytes) const {
    if (!state->is_closed) {
      state->read_completion(portable(error), bytes);
    }
  }
};

struct Socket::WriteHandler {
  using allocator_type = Allocator;

  StateReference<State> state;

  allocator_type get_allocator() const noexcept { return allocator_type(state->write_memory); }
  void operator()(std::error_code error, std::size_t bytes) const {
    if (!state->is_closed) {
      state->write_completion(portable(error), bytes);
    }
  }
};

/// The end of a write from a file that had nothing to wait for.
struct Socket::FileSentHandler {
  using allocator_type = Allocator;

  StateReference<State> state;

  allocator_type get_allocator() const noexcept { return allocator_type(state->write_memory); }
  void operator()() const {
    if (!state->is_closed) {
      state->write_completion(state->file_sent.error, state->file_sent.bytes);
    }
  }
};

/// Goes on with a write from a file when the socket has room.
struct Socket::FileRoomHandler {
  using allocator_type = Allocator;

  StateReference<State> state;

  static void wait(State& state) {
    state.stream.async_wait(detail::StreamSocket::wait_write,
                            FileRoomHandler{StateReference(&state)});
  }

  allocator_type get_allocator() const noexcept { return allocator_type(state->write_memory); }
  void operator()(std::error_code error) const {
    if (state->is_closed) {
      return;
    }
    if (error) {
      return state->write_completion(portable(error), 0);
    }
    const detail::SendFileResult sent = state->send_file_part();
    if (sent.would_block()) {
      return wait(*state.get());
    }
    state->write_completion(sent.error, sent.bytes);
  }
};

Socket::Socket(Worker& worker, int descriptor)
    : state_(new State(worker.io_context(), descriptor)) {
  std::error_code ignored;  // It is non-blocking already; this only lets Asio know.
  state_->stream.native_non_blocking(true, ignored);
}

Socket::Socket(Socket&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

void Socket::async_read_some(std::span<char> buffer, IoCompletion completion) {
  STADION_ASSERT(is_open());
  state_->read_completion = completion;
  state_->stream.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                                 ReadHandler{StateReference(state_)});
}

void Socket::async_write_some(std::string_view first, std::string_view second,
                              IoCompletion completion, MoreOutput more) {
  STADION_ASSERT(is_open());
  state_->write_completion = completion;
  WriteHandler handler{StateReference(state_)};
  const int flags = more == MoreOutput::follows ? MSG_MORE : 0;
  if (second.empty()) {
    state_->stream.async_send(asio::buffer(first), flags, std::move(handler));
  } else {
    const std::array<asio::const_buffer, 2> both{asio::buffer(first), asio::buffer(second)};
    state_->stream.async_send(both, flags, std::move(handler));
  }
}

void Socket::async_send_file_some(int file, std::uint64_t offset, std::size_t bytes,
                                  IoCompletion completion) {
  STADION_ASSERT(is_open());
  state_->write_completion = completion;
  state_->file_part = {file, offset, std::min(bytes, kSendFileBytesMax)};
  state_->file_sent = state_->send_file_part();
  if (state_->file_sent.would_block()) {
    FileRoomHandler::wait(*state_);
  } else {
    asio::post(state_->stream.get_executor(), FileSentHandler{StateReference(state_)});
  }
}

void Socket::shutdown_send() noexcept {
  if (is_open()) {
    std::error_code ignored;  // The peer may be gone already; then there is nobody left to tell.
    state_->stream.shutdown(detail::StreamSocket::shutdown_send, ignored);
  }
}

void Socket::close() noexcept {
  if (State* state = std::exchange(state_, nullptr)) {
    state->is_closed = true;
    std::error_code ignored;
    state->stream.close(ignored);
    if (--state->references == 0) {
      delete state;
    }
  }
}

int Socket::native_handle() const noexcept { return is_open() ? state_->native_handle : -1; }

Endpoint Socket::remote_endpoint() const noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(native_handle(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return {};
  }
  return {reinterpret_cast<const sockaddr*>(&address), length};
}

}  // namespace stadion::net
