// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "tests/support/child_process.hpp"

namespace stadion::tests {

/// What a line of shell has to say.
struct Shell {
  explicit Shell(const std::string& line) {
    ChildProcess process("/bin/sh", {"-c", line});
    output = process.read_output();
    error = process.read_error();
    status = process.wait().status;
  }
  int status;
  std::string output;
  std::string error;
};

}  // namespace stadion::tests
