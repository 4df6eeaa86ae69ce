// SPDX-License-Identifier: MIT
#include "apps/bench/http/scenarios.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace stadion::bench {
namespace {

constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr const char* kStadion = "stadion";
constexpr const char* kMebibytesPerSecond = "MiB/s";

using enum Target::Kind;

const std::vector<const char*> kRateRows = {row::kRequestsPerSecond, row::kP50, row::kP99,
                                            row::kCpuPercent, row::kCpuNs};
const std::vector<const char*> kCountRows = {row::kInstructions, row::kSystemCalls, row::kMallocs,
                                             row::kMallocBytes};

std::vector<const char*> joined(std::vector<const char*> left,
                                const std::vector<const char*>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::vector<Contestant> those_who_answer(const Work& work, Facts& facts) {
  std::vector<Contestant> here;
  for (Contestant& contestant : find_contestants()) {
    if (!contestant.does_answer(work.target)) {
      continue;
    }
    if (work.pipeline > 1 && !contestant.can_be_pipelined) {
      facts.skipped.push_back(contestant.name + " does not answer requests that are sent at once");
    } else if (contestant.is_there()) {
      facts.versions.push_back(contestant.name + " " + contestant.version);
      here.push_back(std::move(contestant));
    } else {
      facts.skipped.push_back(contestant.name + " " + contestant.missing);
    }
  }
  return here;
}

void name_contestants(Section& section, const std::vector<Contestant>& contestants) {
  for (const Contestant& contestant : contestants) {
    section.contestants.push_back(contestant.name);
  }
}

void count(Measurement& measurement, const std::vector<Contestant>& contestants, const Work& work,
           Results& results) {
  for (const Contestant& contestant : contestants) {
    const std::string& name = contestant.name;
    std::fprintf(stderr, "bench: counting %s\n", name.c_str());
    if (contestant.can_be_counted) {
      results.add(row::kInstructions, name, measurement.instructions(contestant, work));
      const Measurement::Allocations allocations = measurement.allocations(contestant, work);
      results.add(row::kMallocs, name, allocations.calls);
      results.add(row::kMallocBytes, name, allocations.bytes);
    }
    results.add(row::kSystemCalls, name, measurement.system_calls(contestant, work));
  }
}

void measure_idle(Measurement& measurement, const std::vector<Contestant>& contestants,
                  std::size_t connections, Results& results) {
  for (const Contestant& contestant : contestants) {
    const std::size_t held = std::min(connections, contestant.idle_connections_max);
    if (held > 0) {
      std::fprintf(stderr, "bench: idle connections of %s\n", contestant.name.c_str());
      results.add(row::kIdleBytes, contestant.name, measurement.idle_bytes(contestant, held));
    }
  }
}

void add_throughput(const std::vector<Contestant>& contestants, std::size_t bytes,
                    Results& results) {
  for (const Contestant& contestant : contestants) {
    const double rate = results.median(row::kRequestsPerSecond, contestant.name).value();
    results.add(kMebibytesPerSecond, contestant.name,
                rate * static_cast<double>(bytes) / static_cast<double>(kMebibyte));
  }
}

std::string title_of(const std::string& what, const Work& work) {
  std::string title = what + ", " + std::to_string(work.connections) + " connections";
  if (work.pipeline > 1) {
    title += ", " + std::to_string(work.pipeline) + " requests at once on each";
  }
  return title;
}

std::vector<Section> run_http(const ScenarioOptions& options, Facts& facts) {
  const Work work{.target = "/plaintext", .body = "Hello, World!", .pipeline = options.pipeline};
  const bool is_pipelined = options.pipeline > 1;
  Section section{.title = title_of("GET /plaintext", work), .reference = kReference};
  section.rows = joined(kRateRows, kCountRows);
  section.targets = {
      {ratio_at_least, row::kRequestsPerSecond, kStadion, kReference, is_pipelined ? 0.70 : 0.95},
      {at_most, row::kInstructions, kStadion, nullptr, is_pipelined ? 2'000.0 : 2'500.0},
      {at_most, row::kMallocs, kStadion, nullptr, 0},
      {ratio_at_most, row::kInstructions, "stadion, coroutine", kStadion, 1.05}};
  const std::vector<Contestant> contestants = those_who_answer(work, facts);
  name_contestants(section, contestants);
  Measurement measurement;
  measurement.rates(contestants, work, options.rates, section.results);
  count(measurement, contestants, work, section.results);
  if (is_pipelined) {
    section.targets.push_back(
        {at_most, row::kSystemCalls, kStadion, nullptr,
         options.pipeline == 16 ? 0.14 : 2.2 / static_cast<double>(options.pipeline)});
  } else {
    section.rows.push_back(row::kIdleBytes);
    section.targets.push_back({at_most, row::kSystemCalls, kStadion, nullptr, 2.15});
    section.targets.push_back({ratio_at_most, row::kP99, kStadion, kReference, 1.10});
    section.targets.push_back({at_most, row::kIdleBytes, kStadion, nullptr, 1'024});
    measure_idle(measurement, contestants, options.idle_connections, section.results);
  }
  return {std::move(section)};
}

std::vector<Section> run_json(const ScenarioOptions& options, Facts& facts) {
  const Work work{.target = "/json", .body = R"({"message":"Hello, World!"})"};
  Section section{.title = title_of("GET /json, made for each response", work),
                  .reference = kStadion};
  section.rows = joined(kRateRows, kCountRows);
  section.targets = {{at_most, row::kMallocs, kStadion, nullptr, 0}};
  const std::vector<Contestant> contestants = those_who_answer(work, facts);
  name_contestants(section, contestants);
  Measurement measurement;
  measurement.rates(contestants, work, options.rates, section.results);
  count(measurement, contestants, work, section.results);
  return {std::move(section)};
}

Section run_bytes(Measurement& measurement, const std::string& what, const Work& work,
                  std::size_t bytes, const ScenarioOptions& options, Facts& facts) {
  Section section{.title = title_of(what, work), .reference = "nginx"};
  section.rows = joined({kMebibytesPerSecond}, kRateRows);
  // What it sends of a file is not copied: no measure for a body in memory.
  if (work.target != "/memory") {
    section.targets = {{ratio_at_least, kMebibytesPerSecond, kStadion, "nginx", 1.0}};
  }
  const std::vector<Contestant> contestants = those_who_answer(work, facts);
  name_contestants(section, contestants);
  measurement.rates(contestants, work, options.rates, section.results);
  add_throughput(contestants, bytes, section.results);
  return section;
}

std::vector<Section> run_body(const ScenarioOptions& options, Facts& facts) {
  Measurement measurement;
  Facts of_first = facts;
  const Work in{.target = "/discard", .request_body_bytes = kMebibyte, .connections = 8};
  const Work out{.target = "/memory", .connections = 8};
  const Work file{.target = "/mebibyte", .connections = 8};
  std::vector<Section> sections;
  sections.push_back(
      run_bytes(measurement, "POST of 1 MiB, thrown away", in, kMebibyte, options, of_first));
  sections.push_back(run_bytes(measurement, "GET of 1 MiB in memory (nginx, h2o, lighttpd: a file)",
                               out, kMebibyte, options, facts));
  Facts of_last = facts;
  sections.push_back(
      run_bytes(measurement, "GET of a file of 1 MiB", file, kMebibyte, options, of_last));
  return sections;
}

std::vector<Section> run_file(const ScenarioOptions& options, Facts& facts) {
  Measurement measurement;
  const Work work{.target = "/file", .connections = 4};
  std::vector<Section> sections;
  sections.push_back(
      run_bytes(measurement, "GET of a file of 100 MiB", work, 100 * kMebibyte, options, facts));
  return sections;
}

std::vector<Section> run_idle(const ScenarioOptions& options, Facts& facts) {
  Section section{.title = std::to_string(options.idle_connections) + " idle connections",
                  .reference = {}};
  section.rows = {row::kIdleBytes};
  section.targets = {{at_most, row::kIdleBytes, kStadion, nullptr, 1'024}};
  const std::vector<Contestant> contestants = those_who_answer({.target = "/plaintext"}, facts);
  name_contestants(section, contestants);
  Measurement measurement;
  measure_idle(measurement, contestants, options.idle_connections, section.results);
  return {std::move(section)};
}

// Both share the cores with the load, which is one thread.
std::vector<Section> run_workers(const ScenarioOptions& options, Facts& facts) {
  const Work work{.target = "/plaintext",
                  .body = "Hello, World!",
                  .connections = 64,
                  .pipeline = options.pipeline};
  Section section{.title = title_of("GET /plaintext, nobody pinned", work), .reference = kStadion};
  section.rows = kRateRows;
  std::vector<Contestant> contestants;
  for (Contestant& contestant : those_who_answer(work, facts)) {
    if (contestant.name == kStadion) {
      contestants.push_back(std::move(contestant));
    }
  }
  contestants.push_back(stadion_with_two_workers());
  name_contestants(section, contestants);
  RateOptions rates = options.rates;
  rates.pins = false;
  Measurement measurement;
  measurement.rates(contestants, work, rates, section.results);
  return {std::move(section)};
}

constexpr std::pair<std::string_view, std::vector<Section> (*)(const ScenarioOptions&, Facts&)>
    kScenarios[] = {{"http", run_http}, {"json", run_json}, {"body", run_body},
                    {"file", run_file}, {"idle", run_idle}, {"workers", run_workers}};

}  // namespace

void train() {
  constexpr std::size_t kRequests = 64'000;
  Measurement measurement;
  measurement.exercise(contestant_named(kStadion),
                       {{.target = "/plaintext"},
                        {.target = "/plaintext", .connections = 1},
                        {.target = "/plaintext", .pipeline = 16},
                        {.target = "/coroutine"},
                        {.target = "/json"},
                        {.target = "/discard", .request_body_bytes = 1000},
                        {.target = "/memory", .connections = 64}},
                       kRequests);
}

std::vector<std::string_view> scenario_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, run] : kScenarios) {
    names.push_back(name);
  }
  return names;
}

std::vector<Section> run_scenario(std::string_view name, const ScenarioOptions& options,
                                  Facts& facts) {
  for (const auto& [known, run] : kScenarios) {
    if (known == name) {
      return run(options, facts);
    }
  }
  throw std::invalid_argument("no scenario '" + std::string(name) + "'");
}

}  // namespace stadion::bench
