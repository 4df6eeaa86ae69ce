// SPDX-License-Identifier: MIT
#include "apps/bench/arena/table.hpp"

#include <optional>
#include <string_view>
#include <vector>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/arena/rows.hpp"
#include "apps/bench/text_table.hpp"

namespace stadion::bench {
namespace {

constexpr const char* kNotes = R"(
Medians; ± is half the range of the repetitions. "÷ ideal" is stadion ÷ ideal, "malloc ÷" is
malloc ÷ stadion.
W1 and W2 can be fast or slow with the order of an arena's instructions (see ideal.hpp); W7 hides that.
W4 and W9 are per thread. In W4 the ideal has one thread, and heaps are shared as they are.
pmr and protobuf have blocks of 64 KiB. The malloc type frees each pointer, which it keeps in an array.
)";

std::string cell_text(const Results& results, const char* row, std::string_view contestant) {
  std::string text = number_text(results.median(row, std::string(contestant)));
  if (contestant == "ideal" || contestant == "stadion") {
    if (const auto half = results.half_range(row, std::string(contestant))) {
      text += formatted(" ±%.0f%%", *half * 100);
    }
  }
  return text;
}

// "ok ≤ 1.4 × ideal, MISSED malloc ≥ 10 × (8.13)"
std::string targets_text(const Results& results, const Row& row) {
  std::string text;
  for (const Target& target : kTargets) {
    if (std::string_view(target.row) == row.id) {
      const auto value = value_of(target, results);
      const bool met = value && is_met(target, *value);
      text += text.empty() ? "" : ", ";
      text += std::string(met ? "ok " : "MISSED ") + target.text;
      text += met ? "" : " (" + number_text(value) + ")";
    }
  }
  return text;
}

TableLine head() {
  TableLine line = {"", "", ""};
  line.insert(line.end(), std::begin(kContestants), std::end(kContestants));
  line.insert(line.end(), {"÷ ideal", "malloc ÷", "target"});
  return line;
}

TableLine line_of(const Results& results, const Row& row) {
  TableLine line = {row.id, row.what, row.unit};
  for (const char* contestant : kContestants) {
    line.push_back(cell_text(results, row.id, contestant));
  }
  line.push_back(row.has_ratios ? number_text(results.ratio(row.id, "stadion", "ideal")) : "-");
  line.push_back(row.has_ratios ? number_text(results.ratio(row.id, "malloc", "stadion")) : "-");
  line.push_back(targets_text(results, row));
  return line;
}

}  // namespace

std::string table_of(const Results& results, const Facts& facts) {
  std::vector<TableLine> lines = {head()};
  for (const Row& row : kRows) {
    lines.push_back(line_of(results, row));
  }
  return aligned(lines, 3, true) + kNotes + text_of(facts);
}

}  // namespace stadion::bench
