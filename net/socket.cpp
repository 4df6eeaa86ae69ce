// SPDX-License-Identifier: MIT
#include "net/socket.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "core/assert.hpp"
#include "core/finally.hpp"
#include "net/asio.hpp"
#include "net/event_set.hpp"
#include "net/send_file.hpp"
#include "net/worker.hpp"

namespace stadion::net {
namespace {

// recv() and send(), but no points where a thread may be cancelled, as nobody cancels a Worker's:
// being such costs some 60 instructions, four of them locked, per call in a process of several
// threads. The sanitizers know libc's functions alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(SYS_recvfrom)
ssize_t receive(int socket, std::span<char> room) noexcept {
  return ::recv(socket, room.data(), room.size(), 0);
}
ssize_t send(int socket, std::string_view bytes, int flags) noexcept {
  return ::send(socket, bytes.data(), bytes.size(), flags);
}
#else
ssize_t receive(int socket, std::span<char> room) noexcept {
  return ::syscall(SYS_recvfrom, socket, room.data(), room.size(), 0, nullptr, nullptr);
}
ssize_t send(int socket, std::string_view bytes, int flags) noexcept {
  return ::syscall(SYS_sendto, socket, bytes.data(), bytes.size(), flags, nullptr, 0);
}
#endif

/// The result of a system call that is made again when a signal interrupts it.
template <class Call>
IoResult result_of(Call&& call) noexcept {
  ssize_t done = 0;
  do {
    done = call();
  } while (done < 0 && errno == EINTR);
  if (done < 0) {
    return {.error = {errno, std::system_category()}, .bytes = 0};
  }
  return {.error = {}, .bytes = static_cast<std::size_t>(done)};
}

}  // namespace

bool is_end_of_stream(const std::error_code& error) noexcept { return error == asio::error::eof; }

/// What the Worker's EventSet knows a socket by: it stays where it is when the Socket moves, and
/// outlives it until on_events() has returned.
struct Socket::State final : detail::EventSource {
  enum class Reading : std::uint8_t { none, waits, reads };
  enum class Writing : std::uint8_t { none, waits, writes, sends_file, has_written };

  State(detail::EventSet& event_set, int number) noexcept : events(event_set), descriptor(number) {}

  static State* make(detail::EventSet& events, int descriptor) {
    return ::new (events.memory().allocate(sizeof(State))) State(events, descriptor);
  }
  void release() noexcept {
    if (--references == 0) {
      detail::EventSet& recycler = events;
      this->~State();
      recycler.memory().deallocate(this);
    }
  }

  IoResult read(std::span<char> room) noexcept;
  IoResult write(std::string_view head, std::string_view tail, MoreOutput follows) noexcept;
  IoResult send_file(int from, std::uint64_t begin, std::size_t size) noexcept;

  void begin_writing(Writing what, IoCompletion completion);
  IoResult write_some() noexcept;
  void go_on_writing();
  void go_on_reading();
  void on_events(std::uint32_t what) override;

  detail::EventSet& events;
  int descriptor;
  unsigned references = 1;  ///< The Socket's, and one within on_events().
  bool may_read = false;    ///< There may be something, which epoll does not tell again.
  bool may_write = true;
  bool is_ended = false;  ///< By the peer, or by a failure.
  bool has_hung_up = false;
  bool has_failed = false;

  Reading reading = Reading::none;
  Writing writing = Writing::none;
  IoCompletion read_completion{};
  IoCompletion write_completion{};
  IoCompletion hang_up{};
  std::span<char> buffer;
  // What is being written: the first three, or bytes of a file.
  std::string_view first;
  std::string_view second;
  MoreOutput more = MoreOutput::none;
  int file = -1;
  std::uint64_t offset = 0;
  std::size_t file_bytes = 0;
  IoResult written;
};

IoResult Socket::State::read(std::span<char> room) noexcept {
  IoResult result = result_of([&] { return receive(descriptor, room); });
  if (result.would_block()) {
    may_read = false;
  } else if (!result.error && result.bytes == 0) {
    result.error = asio::error::make_error_code(asio::error::eof);
  } else if (result.bytes < room.size()) {
    may_read = is_ended;  // That was all: of what comes from here on epoll tells.
  }
  return result;
}

IoResult Socket::State::write(std::string_view head, std::string_view tail,
                              MoreOutput follows) noexcept {
  const int flags = MSG_NOSIGNAL | (follows == MoreOutput::follows ? MSG_MORE : 0);
  const IoResult result = result_of([&] {
    if (tail.empty()) {
      return send(descriptor, head, flags);
    }
    iovec both[] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(tail.data()), tail.size()}};
    msghdr message{};
    message.msg_iov = both;
    message.msg_iovlen = std::size(both);
    return ::sendmsg(descriptor, &message, flags);
  });
  may_write = !result.would_block();
  return result;
}

IoResult Socket::State::send_file(int from, std::uint64_t begin, std::size_t size) noexcept {
  const IoResult result =
      detail::send_file_some(descriptor, from, begin, std::min(size, kSendFileBytesMax));
  may_write = !result.would_block();
  return result;
}

IoResult Socket::State::write_some() noexcept {
  return writing == Writing::writes ? write(first, second, more)
                                    : send_file(file, offset, file_bytes);
}

void Socket::State::begin_writing(Writing what, IoCompletion completion) {
  write_completion = completion;
  writing = what;
  written = write_some();
  if (!written.would_block()) {
    writing = Writing::has_written;
    events.defer(*this);
  }
}

void Socket::State::go_on_writing() {
  if (writing == Writing::none || (!may_write && writing != Writing::has_written)) {
    return;
  }
  if (writing == Writing::writes || writing == Writing::sends_file) {
    written = write_some();
    if (written.would_block()) {
      return;
    }
  }
  writing = Writing::none;
  const IoResult result = std::exchange(written, {});
  write_completion(result.error, result.bytes);
}

void Socket::State::go_on_reading() {
  if (reading == Reading::none || !may_read) {
    return;
  }
  const IoResult result = reading == Reading::reads ? read(buffer) : IoResult{};
  if (!result.would_block()) {
    reading = Reading::none;
    read_completion(result.error, result.bytes);
  }
}

void Socket::State::on_events(std::uint32_t what) {
  const bool is_over = (what & (EPOLLERR | EPOLLHUP)) != 0;
  may_read = may_read || (what & EPOLLIN) != 0;
  may_write = may_write || (what & EPOLLOUT) != 0;
  if (is_over || (what & EPOLLRDHUP) != 0) [[unlikely]] {
    is_ended = may_read = true;
    may_write = may_write || is_over;
    has_hung_up = has_hung_up || is_over;
    has_failed = has_failed || (what & EPOLLERR) != 0;
  }

  ++references;
  const auto let_go = finally([this] { release(); });
  const bool is_awaited = reading != Reading::none || writing != Writing::none;
  go_on_writing();
  go_on_reading();
  if (is_over && !is_awaited && hang_up.function != nullptr) {
    hang_up({}, 0);
  }
}

Socket::Socket(Worker& worker, int descriptor) {
  State* state = State::make(worker.event_set(), descriptor);
  if (const std::error_code error = state->events.add(descriptor, *state)) {
    state->release();
    throw std::system_error(error, "cannot watch a socket");
  }
  state_ = state;
}

Socket::Socket(Socket&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

IoResult Socket::read_some(std::span<char> buffer) noexcept {
  STADION_ASSERT(is_open() && !buffer.empty());
  return state_->read(buffer);
}

IoResult Socket::write_some(std::string_view first, std::string_view second,
                            MoreOutput more) noexcept {
  STADION_ASSERT(is_open());
  return state_->write(first, second, more);
}

IoResult Socket::send_file_some(int file, std::uint64_t offset, std::size_t bytes) noexcept {
  STADION_ASSERT(is_open());
  return state_->send_file(file, offset, bytes);
}

void Socket::wait_readable(IoCompletion completion) {
  STADION_ASSERT(is_open() && state_->reading == State::Reading::none);
  state_->read_completion = completion;
  state_->reading = State::Reading::waits;
  if (state_->may_read) {
    state_->events.defer(*state_);
  }
}

void Socket::wait_writable(IoCompletion completion) {
  STADION_ASSERT(is_open() && state_->writing == State::Writing::none);
  state_->write_completion = completion;
  state_->writing = State::Writing::waits;
  if (state_->may_write) {
    state_->events.defer(*state_);
  }
}

void Socket::on_hang_up(IoCompletion completion) noexcept {
  STADION_ASSERT(is_open());
  state_->hang_up = completion;
}

bool Socket::has_hung_up() const noexcept { return is_open() && state_->has_hung_up; }

bool Socket::has_failed() const noexcept { return is_open() && state_->has_failed; }

void Socket::async_read_some(std::span<char> buffer, IoCompletion completion) {
  state_->buffer = buffer;
  wait_readable(completion);
  state_->reading = State::Reading::reads;
}

void Socket::async_write_some(std::string_view first, std::string_view second,
                              IoCompletion completion, MoreOutput more) {
  STADION_ASSERT(is_open() && state_->writing == State::Writing::none);
  state_->first = first;
  state_->second = second;
  state_->more = more;
  state_->begin_writing(State::Writing::writes, completion);
}

void Socket::async_send_file_some(int file, std::uint64_t offset, std::size_t bytes,
                                  IoCompletion completion) {
  STADION_ASSERT(is_open() && state_->writing == State::Writing::none);
  state_->file = file;
  state_->offset = offset;
  state_->file_bytes = bytes;
  state_->begin_writing(State::Writing::sends_file, completion);
}

void Socket::shutdown_send() noexcept {
  if (is_open()) {
    ::shutdown(state_->descriptor, SHUT_WR);  // A peer that is gone already need not be told.
  }
}

void Socket::reset_on_close() noexcept {
  if (is_open()) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(state_->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
}

void Socket::close() noexcept {
  if (State* state = std::exchange(state_, nullptr)) {
    state->reading = State::Reading::none;
    state->writing = State::Writing::none;
    state->hang_up = {};
    state->events.remove(state->descriptor, *state);
    ::close(state->descriptor);
    state->release();
  }
}

int Socket::native_handle() const noexcept { return is_open() ? state_->descriptor : -1; }

std::size_t Socket::send_queue_bytes() const noexcept {
  int bytes = 0;
  const bool is_known = is_open() && ::ioctl(native_handle(), SIOCOUTQ, &bytes) == 0;
  return is_known && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

Endpoint Socket::remote_endpoint() const noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(native_handle(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return {};
  }
  return {reinterpret_cast<const sockaddr*>(&address), length};
}

}  // namespace stadion::net
