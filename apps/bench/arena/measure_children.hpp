// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "apps/bench/results.hpp"

/// The rows that need processes of their own; see child_modes.hpp.
namespace stadion::bench {

/// W5, each contestant in `rounds` new processes, in turn.
void measure_cold(int rounds, Results& results);
/// What stays resident after a burst.
void measure_retention(Results& results);
/// Calls of malloc per W2 cycle.
void measure_mallocs(Results& results);
/// Instructions of W1 and W2 for the ideal, Stadion and malloc, exactly, by callgrind. Adds a line
/// to `skipped` where there is no valgrind.
void measure_instructions(Results& results, std::vector<std::string>& skipped);

}  // namespace stadion::bench
