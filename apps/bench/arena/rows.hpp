// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/bench/results.hpp"

/// The rows of the table, in its order, and what Stadion aims at in each.
namespace stadion::bench {

struct Row {
  const char* id;
  const char* what;
  const char* unit;
  /// Whether a contestant can be so many times better than another: not so where 0 is usual.
  bool has_ratios = true;
};
extern const std::vector<Row> kRows;

/// Where a number of the table stands.
struct Cell {
  const char* row;
  const char* contestant;
};

/// A number, or the ratio of two, and its limit.
struct Target {
  const char* row;  ///< Where it is shown.
  const char* text;
  Cell measured;
  std::optional<Cell> divided_by;
  double limit;
  bool at_least = false;  ///< Else at most.
};
extern const std::vector<Target> kTargets;

/// What a target's numbers come to; nothing if one of them is missing.
std::optional<double> value_of(const Target& target, const Results& results);
bool is_met(const Target& target, double value);

}  // namespace stadion::bench
