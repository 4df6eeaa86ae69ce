// SPDX-License-Identifier: MIT
#include <string_view>
#include <vector>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/arena/rows.hpp"
#include "apps/bench/arena/table.hpp"
#include "apps/bench/json_text.hpp"

namespace stadion::bench {
namespace {

std::string targets_of(const Results& results, const Row& row) {
  std::vector<std::string> targets;
  for (const Target& target : kTargets) {
    if (std::string_view(target.row) == row.id) {
      const auto value = value_of(target, results);
      const char* met = value && is_met(target, *value) ? "true" : "false";
      targets.push_back(
          json_object({json_member("target", json_quoted(target.text)),
                       json_member("value", json_number(value)), json_member("met", met)}));
    }
  }
  return json_array(targets);
}

std::string row_object(const Results& results, const Row& row) {
  std::vector<std::string> medians;
  std::vector<std::string> half_ranges;
  for (const char* contestant : kContestants) {
    medians.push_back(json_member(contestant, json_number(results.median(row.id, contestant))));
    half_ranges.push_back(
        json_member(contestant, json_number(results.half_range(row.id, contestant))));
  }
  return json_object(
      {json_member("row", json_quoted(row.id)), json_member("what", json_quoted(row.what)),
       json_member("unit", json_quoted(row.unit)), json_member("median", json_object(medians)),
       json_member("half_range", json_object(half_ranges)),
       json_member("stadion_by_ideal", json_number(results.ratio(row.id, "stadion", "ideal"))),
       json_member("malloc_by_stadion", json_number(results.ratio(row.id, "malloc", "stadion"))),
       json_member("targets", targets_of(results, row))});
}

}  // namespace

std::string json_of(const Results& results, const Facts& facts) {
  std::vector<std::string> rows;
  rows.reserve(kRows.size());
  for (const Row& row : kRows) {
    rows.push_back("\n  " + row_object(results, row));
  }
  std::vector<std::string> members = json_members_of(facts);
  members.push_back(json_member("rows", json_array(rows)));
  return json_object(members) + "\n";
}

}  // namespace stadion::bench
