// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace stadion::bench {

/// Runs a command to its end and answers what it wrote to stdout and stderr. Throws
/// std::runtime_error, with that text, if it cannot be started or fails.
std::string output_of(const std::vector<std::string>& command);

/// This program's file.
std::string own_program();

/// The numbers that a run of this program in one of its hidden modes (child_modes.hpp) prints.
/// `preload`, if not empty, is a library to load into it.
std::vector<double> numbers_of_child(const std::vector<std::string>& arguments,
                                     const std::string& preload = {});

}  // namespace stadion::bench
