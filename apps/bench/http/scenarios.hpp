// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/facts.hpp"
#include "apps/bench/http/measure.hpp"

namespace stadion::bench {

struct ScenarioOptions {
  RateOptions rates{};
  std::size_t pipeline = 1;
  std::size_t idle_connections = 10'000;
};

/// Something that Stadion promises of a scenario.
struct Target {
  enum class Kind { ratio_at_least, ratio_at_most, at_most };
  Kind kind;
  const char* row;
  const char* contestant;
  const char* reference;  ///< Of a ratio.
  double limit;
};

/// What was measured of some contestants that did the same.
struct Section {
  std::string title{};
  std::string reference{};  ///< Of the ratios.
  std::vector<std::string> contestants{};
  std::vector<const char*> rows{};
  std::vector<Target> targets{};
  Results results{};
};

/// "http", "json", "body", "file", "idle", "workers".
std::vector<std::string_view> scenario_names();

/// Measures; says in the facts who took part, and who was left out. Throws std::invalid_argument for
/// another name.
std::vector<Section> run_scenario(std::string_view name, const ScenarioOptions& options,
                                  Facts& facts);

/// Has Stadion do what servers do most: what a profile is recorded of.
void train();

std::string table_of(const std::vector<Section>& sections, const Facts& facts);
std::string json_of(const std::vector<Section>& sections, const Facts& facts);

}  // namespace stadion::bench
