// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "net/descriptor.hpp"
#include "tests/support/eventually.hpp"

namespace stadion::tests {

/// A program that a test runs, with its stdout and stderr at the test's hand. The destructor ends
/// it, whatever became of the test.
class ChildProcess {
 public:
  /// How it ended: its exit status, or -1 and the signal that killed it.
  struct End {
    int status = -1;
    int signal = 0;
  };

  /// `arguments` without the program's own name. `prepare` is called in the child before it becomes the
  /// program, and may call what is safe after a fork.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const std::function<void()>& prepare = nullptr) {
    auto [output_read, output_write] = pipe();
    auto [error_read, error_write] = pipe();
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) {
      throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (pid_ == 0) {
      ::dup2(output_write.get(), STDOUT_FILENO);
      ::dup2(error_write.get(), STDERR_FILENO);
      if (prepare) {
        prepare();
      }
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    output_ = {std::move(output_read), {}};
    error_ = {std::move(error_read), {}};
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The program's path from the environment.
  static std::string program(const char* variable) {
    const char* path = std::getenv(variable);
    if (path == nullptr) {
      throw std::runtime_error(std::string(variable) + " is not set: run the test through ctest");
    }
    return path;
  }

  /// The next line of its stdout, without its end; none when it ended before.
  std::optional<std::string> read_line() {
    while (output_.text.find('\n') == std::string::npos) {
      if (!receive(output_)) {
        return std::nullopt;
      }
    }
    const std::size_t end = output_.text.find('\n');
    std::string line = output_.text.substr(0, end);
    output_.text.erase(0, end + 1);
    return line;
  }
  /// Waits until its stderr contains the text; false when it ended before.
  bool wait_for_error(std::string_view text) {
    while (error_.text.find(text) == std::string::npos) {
      if (!receive(error_)) {
        return false;
      }
    }
    return true;
  }
  /// The same, for text behind all that was waited for so.
  bool wait_for_next_error(std::string_view text) {
    if (!wait_for_error(text)) {
      return false;
    }
    error_.text.erase(0, error_.text.find(text) + text.size());
    return true;
  }
  /// All that is left of its stdout, to its end.
  std::string read_output() { return read_all(output_); }
  std::string read_error() { return read_all(error_); }

  /// From here on it writes to pipes that nobody reads.
  void stop_reading() noexcept {
    output_.descriptor.close();
    error_.descriptor.close();
  }

  void send(int signal) {
    if (pid_ > 0) {
      ::kill(pid_, signal);
    }
  }

  /// Waits for its end; throws when it does not come.
  End wait(std::chrono::milliseconds patience = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error("the program does not end");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    pid_ = -1;
    if (WIFEXITED(status)) {
      return {.status = WEXITSTATUS(status), .signal = 0};
    }
    return {.status = -1, .signal = WTERMSIG(status)};
  }

 private:
  struct Stream {
    net::Descriptor descriptor;
    std::string text;
  };

  static std::pair<net::Descriptor, net::Descriptor> pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
    return {net::Descriptor(ends[0]), net::Descriptor(ends[1])};
  }

  static bool receive(Stream& stream) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(kPatience).count();
    pollfd waiting{.fd = stream.descriptor.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(milliseconds)) == 0) {
      throw std::runtime_error("the program says nothing; so far: '" + stream.text + "'");
    }
    char bytes[4096];
    const ssize_t got = ::read(stream.descriptor.get(), bytes, sizeof bytes);
    if (got <= 0) {
      return false;
    }
    stream.text.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  static std::string read_all(Stream& stream) {
    while (receive(stream)) {
    }
    return std::exchange(stream.text, {});
  }

  pid_t pid_ = -1;
  Stream output_;
  Stream error_;
};

}  // namespace stadion::tests
