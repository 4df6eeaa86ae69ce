// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "apps/bench/allocators.hpp"
#include "apps/bench/rows.hpp"
#include "apps/bench/table.hpp"

namespace stadion::bench {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\"";
}

std::string number(std::optional<double> value) {
  if (!value) {
    return "null";
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", *value);
  return text.data();
}

std::string member(std::string_view name, const std::string& value) {
  return quoted(name) + ": " + value;
}

std::string list(const std::vector<std::string>& parts, const char* open, const char* close) {
  std::string text = open;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i];
  }
  return text + close;
}

std::string object(const std::vector<std::string>& members) { return list(members, "{", "}"); }

std::string strings(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  parts.reserve(texts.size());
  for (const std::string& text : texts) {
    parts.push_back(quoted(text));
  }
  return list(parts, "[", "]");
}

std::string targets_of(const Results& results, const Row& row) {
  std::vector<std::string> targets;
  for (const Target& target : kTargets) {
    if (std::string_view(target.row) == row.id) {
      const auto value = value_of(target, results);
      const char* met = value && is_met(target, *value) ? "true" : "false";
      targets.push_back(object({member("target", quoted(target.text)),
                                member("value", number(value)), member("met", met)}));
    }
  }
  return list(targets, "[", "]");
}

std::string row_object(const Results& results, const Row& row) {
  std::vector<std::string> medians;
  std::vector<std::string> half_ranges;
  for (const char* contestant : kContestants) {
    medians.push_back(member(contestant, number(results.median(row.id, contestant))));
    half_ranges.push_back(member(contestant, number(results.half_range(row.id, contestant))));
  }
  return object({member("row", quoted(row.id)), member("what", quoted(row.what)),
                 member("unit", quoted(row.unit)), member("median", object(medians)),
                 member("half_range", object(half_ranges)),
                 member("stadion_by_ideal", number(results.ratio(row.id, "stadion", "ideal"))),
                 member("malloc_by_stadion", number(results.ratio(row.id, "malloc", "stadion"))),
                 member("targets", targets_of(results, row))});
}

}  // namespace

std::string json_of(const Results& results, const Facts& facts) {
  std::vector<std::string> rows;
  rows.reserve(kRows.size());
  for (const Row& row : kRows) {
    rows.push_back("\n  " + row_object(results, row));
  }
  return object({member("machine", quoted(facts.machine)), member("date", quoted(facts.date)),
                 member("compiler", quoted(facts.compiler)),
                 member("versions", strings(facts.versions)),
                 member("skipped", strings(facts.skipped)), member("rows", list(rows, "[", "]"))}) +
         "\n";
}

}  // namespace stadion::bench
