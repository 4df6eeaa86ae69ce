// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stadion::bench {

/// A port of 127.0.0.1 that nobody listens on.
std::uint16_t free_port();

/// A server that runs, with all processes that it makes, until stop() or the destructor.
///
/// Throws     std::runtime_error, with what the server has printed, when it does not start.
class ServerProcess {
 public:
  struct Options {
    std::optional<std::size_t> core{};       ///< Of those that this program may use.
    std::vector<std::string> environment{};  ///< "NAME=value", besides our own.
    bool is_behind_tool = false;  ///< The first process is strace, which ends with the server.
  };

  /// Returns when it listens. `output` is a file for what it prints.
  ServerProcess(const std::vector<std::string>& command, std::uint16_t port,
                const std::filesystem::path& output, const Options& options);
  ~ServerProcess();

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Processor time of all its threads so far.
  double cpu_seconds() const;
  double resident_bytes() const;
  /// Open file descriptors of all its processes.
  std::size_t descriptors() const;
  /// Ends it; answers what it has printed.
  std::string stop();

 private:
  std::vector<pid_t> processes() const;
  void wait_until_it_listens(std::uint16_t port);
  std::string printed() const;

  pid_t group_ = -1;
  std::filesystem::path output_;
  bool is_behind_tool_;
};

}  // namespace stadion::bench
