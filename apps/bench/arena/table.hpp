// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "apps/bench/arena/versions.hpp"
#include "apps/bench/results.hpp"

namespace stadion::bench {

/// The whole output as text: rows by contestants, ratios, targets, and under it the facts.
std::string table_of(const Results& results, const Facts& facts);

/// The same as JSON: medians, half ranges, ratios and targets.
std::string json_of(const Results& results, const Facts& facts);

}  // namespace stadion::bench
