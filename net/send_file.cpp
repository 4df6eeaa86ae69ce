// SPDX-License-Identifier: MIT
#include "net/send_file.hpp"

#include <signal.h>
#include <sys/sendfile.h>

#include <cerrno>
#include <ctime>
#include <string>

#include "net/socket.hpp"

namespace stadion::net {
namespace {

constexpr int kFileTooShort = 1;

class FileErrorCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "stadion.file"; }
  std::string message(int /*value*/) const override {
    return "the file ends before what was to be sent of it";
  }
};

const std::error_category& file_error_category() noexcept {
  static const FileErrorCategory category;
  return category;
}

/// Keeps SIGPIPE from the calling thread while it lives: sendfile() has no MSG_NOSIGNAL, and what
/// the process does about signals is not ours to change.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() noexcept {
    ::sigemptyset(&broken_pipe_);
    ::sigaddset(&broken_pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe_, &mask_before_);
  }
  ~NoBrokenPipeSignal() {
    if (::sigismember(&mask_before_, SIGPIPE) == 0) {
      ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    }
  }

  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

  /// Takes away the signal that a broken pipe has raised. Who blocks it anyway may wait for it.
  void withdraw() const noexcept {
    if (::sigismember(&mask_before_, SIGPIPE) == 0) {
      const timespec at_once{};
      ::sigtimedwait(&broken_pipe_, nullptr, &at_once);
    }
  }

 private:
  sigset_t broken_pipe_;
  sigset_t mask_before_;
};

}  // namespace

bool is_file_too_short(const std::error_code& error) noexcept {
  return error == std::error_code(kFileTooShort, file_error_category());
}

namespace detail {

IoResult send_file_some(int socket, int file, std::uint64_t offset, std::size_t bytes) noexcept {
  if (bytes == 0) {
    return {};
  }
  const NoBrokenPipeSignal quiet;
  auto position = static_cast<off_t>(offset);
  ssize_t sent = 0;
  do {
    sent = ::sendfile(socket, file, &position, bytes);
  } while (sent < 0 && errno == EINTR);
  if (sent > 0) {
    return {.error = {}, .bytes = static_cast<std::size_t>(sent)};
  }
  if (sent == 0) {
    return {.error = {kFileTooShort, file_error_category()}, .bytes = 0};
  }
  const int error = errno;
  if (error == EPIPE) {
    quiet.withdraw();
  }
  return {.error = {error, std::system_category()}, .bytes = 0};
}

}  // namespace detail
}  // namespace stadion::net
