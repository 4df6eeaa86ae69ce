// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace stadion::bench {

/// Stadion's figures that are counted, not timed, so that the same code has the same ones on any day:
/// instructions, system calls, allocations. By name.
using ExactFigures = std::map<std::string, double>;

/// Counts them: half a minute.
ExactFigures count_exact_figures();

/// A line "NAME NUMBER" for each. Throws std::runtime_error for a file that has anything else.
ExactFigures read_figures(const std::filesystem::path& file);
void write_figures(const std::filesystem::path& file, const ExactFigures& figures);

/// Which of them are worse than those kept by more than 5 %, or by more than 0.01 where there is
/// next to nothing, or are missing on either side: a line for each; empty when none is.
std::string compare_figures(const ExactFigures& kept, const ExactFigures& counted);

/// A table of both.
std::string table_of(const ExactFigures& kept, const ExactFigures& counted);

}  // namespace stadion::bench
