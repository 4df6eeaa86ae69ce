// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "apps/serve/config.hpp"

namespace stadion::serve {

/// What the process was asked to do.
struct CommandLine {
  Config config;
  bool check_config = false;
};

/// Reads the flags, and the configuration file that they name; flags come before the file.
/// None when the process is done already: help, version or a fault was printed, and `exit_status`
/// says which. Throws ConfigError.
std::optional<CommandLine> read_command_line(int argc, const char* const* argv, int& exit_status);

}  // namespace stadion::serve
