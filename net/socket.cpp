// SPDX-License-Identifier: MIT
#include "net/socket.hpp"

#include <sys/socket.h>

#include <array>
#include <new>
#include <utility>

#include "core/assert.hpp"
#include "net/asio.hpp"
#include "net/worker.hpp"

namespace stadion::net {
namespace {

/// The memory of the one operation of a kind that can be under way. Asio frees it before it calls
/// the handler, so that the next operation, which the handler starts, finds it free.
class OperationMemory {
 public:
  void* allocate(std::size_t bytes) {
    if (!in_use_ && bytes <= sizeof bytes_) {
      in_use_ = true;
      return bytes_;
    }
    return ::operator new(bytes);
  }
  void deallocate(void* memory) noexcept {
    if (memory == bytes_) {
      in_use_ = false;
    } else {
      ::operator delete(memory);
    }
  }

 private:
  alignas(std::max_align_t) std::byte bytes_[192];
  bool in_use_ = false;
};

/// Tells Asio to keep an operation in its socket's OperationMemory.
template <class T>
struct OperationAllocator {
  using value_type = T;

  explicit OperationAllocator(OperationMemory& operation_memory) noexcept
      : memory(&operation_memory) {}
  template <class U>
  OperationAllocator(const OperationAllocator<U>& other) noexcept : memory(other.memory) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory->allocate(count * sizeof(T))); }
  void deallocate(T* object, std::size_t /*count*/) noexcept { memory->deallocate(object); }
  bool operator==(const OperationAllocator&) const noexcept = default;

  OperationMemory* memory;
};

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
  State(asio::io_context& context, int descriptor)
      : stream(context, protocol_of(descriptor), descriptor), native_handle(descriptor) {}

  detail::StreamSocket stream;
  int native_handle;
  unsigned references =
      1;  ///< The Socket's, and one per operation under way. One thread: not atomic.
  bool is_closed = false;
  IoCompletion read_completion{};
  IoCompletion write_completion{};
  OperationMemory read_memory;
  OperationMemory write_memory;
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
  State* operator->() const noexcept { return state_; }

 private:
  State* state_;
};

}  // namespace

struct Socket::ReadHandler {
  using allocator_type = OperationAllocator<void>;

  StateReference<State> state;

  allocator_type get_allocator() const noexcept { return allocator_type(state->read_memory); }
  void operator()(std::error_code error, std::size_t bytes) const {
    if (!state->is_closed) {
      state->read_completion(portable(error), bytes);
    }
  }
};

struct Socket::WriteHandler {
  using allocator_type = OperationAllocator<void>;

  StateReference<State> state;

  allocator_type get_allocator() const noexcept { return allocator_type(state->write_memory); }
  void operator()(std::error_code error, std::size_t bytes) const {
    if (!state->is_closed) {
      state->write_completion(portable(error), bytes);
    }
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
                              IoCompletion completion) {
  STADION_ASSERT(is_open());
  state_->write_completion = completion;
  WriteHandler handler{StateReference(state_)};
  if (second.empty()) {
    state_->stream.async_write_some(asio::buffer(first), std::move(handler));
  } else {
    const std::array<asio::const_buffer, 2> both{asio::buffer(first), asio::buffer(second)};
    state_->stream.async_write_some(both, std::move(handler));
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
