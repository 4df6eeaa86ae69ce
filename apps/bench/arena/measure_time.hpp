// SPDX-License-Identifier: MIT
#pragma once

#include "apps/bench/results.hpp"

namespace stadion::bench {

struct TimeOptions {
  int repetitions = 9;
  double repetition_seconds = 0.1;
};

/// Runs W1 to W4 and W6 to W10 under Google Benchmark. Row by row; within a row all contestants'
/// repetitions in a random order, so that a change of the machine's speed meets all alike.
void measure_times(const TimeOptions& options, Results& results);

}  // namespace stadion::bench
