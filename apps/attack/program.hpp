// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace stadion::attack {

/// A program that runs, without a word, until it ends by itself or stop().
///
/// Throws     std::system_error when it cannot be started.
class Program {
 public:
  explicit Program(const std::vector<std::string>& command);
  ~Program() { stop(); }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// False when it had failed by then.
  bool stop() noexcept;

 private:
  pid_t process_ = -1;
};

}  // namespace stadion::attack
