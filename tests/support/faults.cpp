// SPDX-License-Identifier: MIT
#include "tests/support/faults.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace stadion::tests {
namespace {

std::atomic<bool> armed{false};
std::atomic<Call> call_to_fail{};
std::array<std::atomic<std::int64_t>, kCallKinds> calls{};
std::atomic<std::int64_t> first_to_fail{0};
std::atomic<std::int64_t> last_to_fail{0};
std::atomic<int> error_to_give{0};
std::atomic<std::int64_t> failed{0};
thread_local bool is_spared = false;

bool fails(Call call) noexcept {
  if (!armed || is_spared) {
    return false;
  }
  const std::int64_t nth = ++calls[static_cast<std::size_t>(call)];
  const bool is_meant = call == call_to_fail && nth >= first_to_fail && nth <= last_to_fail;
  failed += is_meant ? 1 : 0;
  return is_meant;
}

bool is_short() noexcept { return error_to_give == kShort; }

/// What a call that fails answers.
int refused() noexcept {
  errno = error_to_give;
  return -1;
}

void* allocated(std::size_t bytes, std::size_t alignment) {
  void* memory = nullptr;
  if (fails(Call::allocation) || ::posix_memalign(&memory, alignment, bytes) != 0) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

Faults::Faults(Call call, std::int64_t first, std::int64_t last, int error) noexcept {
  call_to_fail = call;
  first_to_fail = first;
  last_to_fail = last;
  error_to_give = error;
  for (auto& kind : calls) {
    kind = 0;
  }
  failed = 0;
  armed = true;
}

Faults::~Faults() { armed = false; }

std::int64_t Faults::count() noexcept { return failed; }

std::int64_t Faults::made(Call call) noexcept { return calls[static_cast<std::size_t>(call)]; }

void Faults::spare_this_thread() noexcept { is_spared = true; }

}  // namespace stadion::tests

// The linker puts these in the place of the functions (--wrap), and those under the name of __real_….
using stadion::tests::Call;
using stadion::tests::fails;
using stadion::tests::is_short;
using stadion::tests::refused;

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

int __real_accept4(int socket, sockaddr* address, socklen_t* length, int flags);
int __wrap_accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
  return fails(Call::accept) ? refused() : __real_accept4(socket, address, length, flags);
}

int __real_epoll_ctl(int set, int operation, int descriptor, epoll_event* event);
int __wrap_epoll_ctl(int set, int operation, int descriptor, epoll_event* event) {
  return operation != EPOLL_CTL_DEL && fails(Call::epoll_ctl)
             ? refused()
             : __real_epoll_ctl(set, operation, descriptor, event);
}

int __real_epoll_wait(int set, epoll_event* events, int max, int timeout);
int __wrap_epoll_wait(int set, epoll_event* events, int max, int timeout) {
  return fails(Call::epoll_wait) ? refused() : __real_epoll_wait(set, events, max, timeout);
}

int __real_fstat(int descriptor, struct stat* status);
int __wrap_fstat(int descriptor, struct stat* status) {
  return fails(Call::fstat) ? refused() : __real_fstat(descriptor, status);
}

int __real_open(const char* path, int flags, mode_t mode);
int __wrap_open(const char* path, int flags, mode_t mode) {
  return fails(Call::open) ? refused() : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char* path, int flags, mode_t mode);
int __wrap_openat(int folder, const char* path, int flags, mode_t mode) {
  return fails(Call::open) ? refused() : __real_openat(folder, path, flags, mode);
}

ssize_t __real_pread(int file, void* bytes, std::size_t count, off_t offset);
ssize_t __wrap_pread(int file, void* bytes, std::size_t count, off_t offset) {
  if (!fails(Call::pread)) {
    return __real_pread(file, bytes, count, offset);
  }
  return is_short() ? __real_pread(file, bytes, 1, offset) : refused();
}

ssize_t __real_recv(int socket, void* bytes, std::size_t count, int flags);
ssize_t __wrap_recv(int socket, void* bytes, std::size_t count, int flags) {
  if (!fails(Call::recv)) {
    return __real_recv(socket, bytes, count, flags);
  }
  return is_short() ? __real_recv(socket, bytes, 1, flags) : refused();
}

ssize_t __real_send(int socket, const void* bytes, std::size_t count, int flags);
ssize_t __wrap_send(int socket, const void* bytes, std::size_t count, int flags) {
  if (!fails(Call::send)) {
    return __real_send(socket, bytes, count, flags);
  }
  return is_short() ? __real_send(socket, bytes, 1, flags) : refused();
}

ssize_t __real_sendmsg(int socket, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int socket, const msghdr* message, int flags) {
  if (!fails(Call::send)) {
    return __real_sendmsg(socket, message, flags);
  }
  return is_short() ? __real_send(socket, message->msg_iov->iov_base, 1, flags) : refused();
}

ssize_t __real_sendfile(int socket, int file, off_t* offset, std::size_t count);
ssize_t __wrap_sendfile(int socket, int file, off_t* offset, std::size_t count) {
  if (!fails(Call::sendfile)) {
    return __real_sendfile(socket, file, offset, count);
  }
  return is_short() ? __real_sendfile(socket, file, offset, 1) : refused();
}

int __real_setsockopt(int socket, int level, int option, const void* value, socklen_t length);
int __wrap_setsockopt(int socket, int level, int option, const void* value, socklen_t length) {
  return fails(Call::setsockopt) ? refused()
                                 : __real_setsockopt(socket, level, option, value, length);
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
/// What is called past libc, or has no name there.
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f) {
  constexpr long kOpenat2 = 437;
  const bool receives = number == SYS_recvfrom;
  const bool sends = number == SYS_sendto;
  if ((receives && fails(Call::recv)) || (sends && fails(Call::send))) {
    return is_short() ? __real_syscall(number, a, b, 1, d, e, f) : refused();
  }
  return number == kOpenat2 && fails(Call::open) ? refused()
                                                 : __real_syscall(number, a, b, c, d, e, f);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

// Not inlined: GCC would warn of a free() that it takes for operator new's.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return stadion::tests::allocated(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return ::operator new(bytes); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return stadion::tests::allocated(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return ::operator new(bytes, alignment);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/,
                                         std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
