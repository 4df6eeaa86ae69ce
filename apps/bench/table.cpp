// SPDX-License-Identifier: MIT
#include "apps/bench/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "apps/bench/allocators.hpp"
#include "apps/bench/rows.hpp"

namespace stadion::bench {
namespace {

using Line = std::vector<std::string>;

constexpr const char* kNotes = R"(
Medians; ± is half the range of the repetitions. "÷ ideal" is stadion ÷ ideal, "malloc ÷" is
malloc ÷ stadion.
W1 and W2 can be fast or slow with the order of an arena's instructions (see ideal.hpp); W7 hides that.
W4 and W9 are per thread. In W4 the ideal has one thread, and heaps are shared as they are.
pmr and protobuf have blocks of 64 KiB. The malloc type frees each pointer, which it keeps in an array.
)";

std::string formatted(const char* format, double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

std::string number_text(std::optional<double> number) {
  if (!number) {
    return "-";
  }
  return formatted(*number < 10 ? "%.2f" : *number < 100 ? "%.1f" : "%.0f", *number);
}

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

Line head() {
  Line line = {"", "", ""};
  line.insert(line.end(), std::begin(kContestants), std::end(kContestants));
  line.insert(line.end(), {"÷ ideal", "malloc ÷", "target"});
  return line;
}

Line line_of(const Results& results, const Row& row) {
  Line line = {row.id, row.what, row.unit};
  for (const char* contestant : kContestants) {
    line.push_back(cell_text(results, row.id, contestant));
  }
  line.push_back(row.has_ratios ? number_text(results.ratio(row.id, "stadion", "ideal")) : "-");
  line.push_back(row.has_ratios ? number_text(results.ratio(row.id, "malloc", "stadion")) : "-");
  line.push_back(targets_text(results, row));
  return line;
}

// Characters, of which UTF-8 has one for each byte that does not continue another.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Words to the left of their column, numbers to the right.
std::string aligned(const std::vector<Line>& lines) {
  const std::size_t columns = lines.front().size();
  const auto is_words = [&](std::size_t column) { return column < 3 || column + 1 == columns; };
  std::vector<std::size_t> widths(columns);
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string text;
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      const std::string space(widths[i] - width_of(line[i]), ' ');
      text += (i == 0 ? "" : "  ") + (is_words(i) ? line[i] + space : space + line[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

}  // namespace

std::string table_of(const Results& results, const Facts& facts) {
  std::vector<Line> lines = {head()};
  for (const Row& row : kRows) {
    lines.push_back(line_of(results, row));
  }
  std::string text = aligned(lines);
  text += kNotes;
  text += "machine   " + facts.machine + "\n";
  text += "date      " + facts.date + "\n";
  text += "compiler  " + facts.compiler + "\n";
  text += "versions  " + joined(facts.versions) + "\n";
  for (const std::string& skipped : facts.skipped) {
    text += "skipped   " + skipped + "\n";
  }
  return text;
}

}  // namespace stadion::bench
