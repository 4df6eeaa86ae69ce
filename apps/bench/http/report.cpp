// SPDX-License-Identifier: MIT
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/http/scenarios.hpp"
#include "apps/bench/json_text.hpp"
#include "apps/bench/text_table.hpp"

namespace stadion::bench {
namespace {

/// Below it, something else than the server was the bottleneck.
constexpr double kBusyPercent = 95;

std::optional<double> value_of(const Target& target, const Results& results) {
  return target.kind == Target::Kind::at_most
             ? results.median(target.row, target.contestant)
             : results.ratio(target.row, target.contestant, target.reference);
}

bool is_met(const Target& target, double value) {
  constexpr double kRounding = 0.005;  // Of what is counted, no half thing is shown.
  return target.kind == Target::Kind::ratio_at_least ? value >= target.limit
                                                     : value <= target.limit + kRounding;
}

std::string text_of(const Target& target) {
  std::string text = std::string(target.contestant) + ": " + target.row;
  if (target.kind != Target::Kind::at_most) {
    text += std::string(" ÷ ") + target.reference;
  }
  text += target.kind == Target::Kind::ratio_at_least ? " ≥ " : " ≤ ";
  return text + formatted("%g", target.limit);
}

std::string cell_of(const Section& section, const char* row, const std::string& contestant) {
  const std::optional<double> number = section.results.median(row, contestant);
  std::string text = number_text(number);
  if (row == row::kCpuPercent && number && *number < kBusyPercent) {
    text += "*";
  }
  return text;
}

bool has_ratio(const Section& section, const char* row) {
  return !section.reference.empty() && row == section.rows.front();
}

TableLine head_of(const Section& section) {
  TableLine line = {""};
  for (const char* row : section.rows) {
    line.emplace_back(row);
    if (has_ratio(section, row)) {
      line.emplace_back("÷ " + section.reference);
      line.emplace_back("±");
    }
  }
  return line;
}

TableLine line_of(const Section& section, const std::string& contestant) {
  TableLine line = {contestant};
  for (const char* row : section.rows) {
    line.push_back(cell_of(section, row, contestant));
    if (has_ratio(section, row)) {
      const auto ratio = section.results.ratio(row, contestant, section.reference);
      const auto half = section.results.half_range(row::kRequestsPerSecond, contestant);
      line.push_back(ratio ? formatted("%.2f", *ratio) : "-");
      line.push_back(half ? formatted("%.0f%%", *half * 100) : "-");
    }
  }
  return line;
}

std::string table_of(const Section& section) {
  std::vector<TableLine> lines = {head_of(section)};
  for (const std::string& contestant : section.contestants) {
    lines.push_back(line_of(section, contestant));
  }
  std::string text = section.title + "\n\n" + aligned(lines, 1, false) + "\n";
  for (const Target& target : section.targets) {
    if (const auto value = value_of(target, section.results)) {
      text += std::string(is_met(target, *value) ? "ok      " : "MISSED  ") + text_of(target) +
              " (" + number_text(value) + ")\n";
    }
  }
  return text + "\n";
}

std::string json_of(const Section& section) {
  std::vector<std::string> contestants;
  for (const std::string& name : section.contestants) {
    std::vector<std::string> members = {json_member("name", json_quoted(name))};
    for (const char* row : section.rows) {
      members.push_back(json_member(row, json_number(section.results.median(row, name))));
    }
    if (!section.reference.empty()) {
      members.push_back(json_member("ratio", json_number(section.results.ratio(
                                                 section.rows.front(), name, section.reference))));
    }
    contestants.push_back("\n    " + json_object(members));
  }
  std::vector<std::string> targets;
  for (const Target& target : section.targets) {
    const auto value = value_of(target, section.results);
    targets.push_back(
        json_object({json_member("target", json_quoted(text_of(target))),
                     json_member("value", json_number(value)),
                     json_member("met", value && is_met(target, *value) ? "true" : "false")}));
  }
  return "\n  " + json_object({json_member("title", json_quoted(section.title)),
                               json_member("reference", json_quoted(section.reference)),
                               json_member("contestants", json_array(contestants)),
                               json_member("targets", json_array(targets))});
}

}  // namespace

std::string table_of(const std::vector<Section>& sections, const Facts& facts) {
  std::string text;
  for (const Section& section : sections) {
    text += table_of(section);
  }
  text +=
      "Medians of the rounds; ± is half the range of requests/s. * The server was idle in between: "
      "its client\nor the network was the bottleneck. Counts are user instructions (callgrind), "
      "system calls (strace),\nand calls of malloc, per request. The load is this program's own, "
      "with requests made beforehand.\n\n";
  return text + text_of(facts);
}

std::string json_of(const std::vector<Section>& sections, const Facts& facts) {
  std::vector<std::string> members = json_members_of(facts);
  std::vector<std::string> all;
  all.reserve(sections.size());
  for (const Section& section : sections) {
    all.push_back(json_of(section));
  }
  members.push_back(json_member("sections", json_array(all)));
  return json_object(members) + "\n";
}

}  // namespace stadion::bench
