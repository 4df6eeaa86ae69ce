// SPDX-License-Identifier: MIT
#include "apps/bench/arena/rows.hpp"

namespace stadion::bench {

const std::vector<Row> kRows = {
    {"W1", "64 B, cleared every 1,000", "ns/alloc"},
    {"W1.instr", "the same under callgrind", "instr/alloc"},
    {"W2", "HTTP: make, 42 allocs, dispose", "ns/cycle"},
    {"W2.instr", "the same under callgrind", "instr/cycle"},
    {"W2.mallocs", "and mmaps, once warm", "calls/cycle", false},
    {"W3", "HTTP: 42 allocs, clear", "ns/cycle"},
    {"W4", "64 B, two threads, one arena", "ns/alloc"},
    {"W5.cold", "10^6 of 64 B, in a new process", "ns/alloc"},
    {"W5.warm", "the same again and again", "ns/alloc"},
    {"W5.rss", "cold peak / bytes asked", "ratio"},
    {"W6", "1-512 B, aligned to 1-64", "ns/alloc"},
    {"W7", "64 B, eight arenas in turn", "ns/alloc"},
    {"W8", "HTTP, disposed by 2nd thread", "ns/cycle"},
    {"W9", "HTTP, two threads for themselves", "ns/cycle"},
    {"W10", "an object and its destructor", "ns/object"},
    {"retained", "of 16 × 64 MiB, all disposed", "MiB", false},
    {"trimmed", "the same after trim()", "MiB", false},
};

const std::vector<Target> kTargets = {
    {"W1", "≤ 1.4 × ideal", {"W1", "stadion"}, Cell{"W1", "ideal"}, 1.4},
    {"W1", "malloc ≥ 10 ×", {"W1", "malloc"}, Cell{"W1", "stadion"}, 10, true},
    {"W2", "≤ 1.25 × ideal", {"W2", "stadion"}, Cell{"W2", "ideal"}, 1.25},
    {"W2", "malloc ≥ 10 ×", {"W2", "malloc"}, Cell{"W2", "stadion"}, 10, true},
    {"W2.mallocs", "0", {"W2.mallocs", "stadion"}, {}, 0},
    {"W4", "≤ 2 × W1", {"W4", "stadion"}, Cell{"W1", "stadion"}, 2},
    {"W5.cold", "≤ 0.5 × malloc", {"W5.cold", "stadion"}, Cell{"W5.cold", "malloc"}, 0.5},
    {"W5.rss", "≤ 1.03", {"W5.rss", "stadion"}, {}, 1.03},
    {"W7", "≤ 2 × W1", {"W7", "stadion"}, Cell{"W1", "stadion"}, 2},
    {"W8", "≤ 5 × W2", {"W8", "stadion"}, Cell{"W2", "stadion"}, 5},
    {"W9", "≤ 1.25 × W2", {"W9", "stadion"}, Cell{"W2", "stadion"}, 1.25},
    {"W10", "≤ 4 × W1", {"W10", "stadion"}, Cell{"W1", "stadion"}, 4},
    {"retained", "≤ 12", {"retained", "stadion"}, {}, 12},
    // Not 0 exactly: the kernel counts resident pages roughly.
    {"trimmed", "≤ 0.5", {"trimmed", "stadion"}, {}, 0.5},
};

std::optional<double> value_of(const Target& target, const Results& results) {
  const auto measured = results.median(target.measured.row, target.measured.contestant);
  if (!measured || !target.divided_by) {
    return measured;
  }
  const auto divisor = results.median(target.divided_by->row, target.divided_by->contestant);
  return divisor ? std::optional(*measured / *divisor) : std::nullopt;
}

bool is_met(const Target& target, double value) {
  return target.at_least ? value >= target.limit : value <= target.limit;
}

}  // namespace stadion::bench
