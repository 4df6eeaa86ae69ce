// SPDX-License-Identifier: MIT

// stadion-bench-http: the server beside a bare loop and its peers, as one table.

#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/bench/http/exact_figures.hpp"
#include "apps/bench/http/scenarios.hpp"
#include "apps/bench/machine.hpp"

namespace stadion::bench {
namespace {

constexpr const char* kUsage =
    "stadion-bench-http SCENARIO [--pipeline N] [--rounds N] [--seconds S] [--quick] [--json "
    "FILE]\n"
    "stadion-bench-http check [--update]\n"
    "stadion-bench-http train\n"
    "  SCENARIO      http, json, body, file, idle or workers\n"
    "  --pipeline N  requests at once on each connection; of http and workers. Default is 1\n"
    "  --rounds N    in each of which everybody has a turn. Default is 5\n"
    "  --seconds S   of a turn. Default is 2\n"
    "  --quick       3 rounds of half a second\n"
    "  --json FILE   also write all medians, ratios and targets to FILE\n"
    "  check         count what is exact, and fail if it is more than 5 % above the figures kept\n"
    "  --update      keep the counted figures instead\n"
    "  train         have the server do what servers do most, for a profile to be recorded of it\n";

constexpr std::size_t kPipelineMax = 64;

struct Options {
  std::string scenario;
  ScenarioOptions measured;
  std::string json_file;
  bool updates = false;
};

template <class Number>
Number number_from(const std::string& text, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    throw std::invalid_argument("'" + text + "' is no number from " + std::to_string(least) +
                                " to " + std::to_string(most));
  }
  return number;
}

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (argument == "--pipeline" && has_value) {
      options.measured.pipeline = number_from<std::size_t>(arguments[++i], 1, kPipelineMax);
    } else if (argument == "--rounds" && has_value) {
      options.measured.rates.rounds = number_from(arguments[++i], 1, 1000);
    } else if (argument == "--seconds" && has_value) {
      options.measured.rates.seconds = number_from(arguments[++i], 0.1, 600.0);
    } else if (argument == "--quick") {
      options.measured.rates = {.rounds = 3, .seconds = 0.5};
    } else if (argument == "--json" && has_value) {
      options.json_file = arguments[++i];
    } else if (argument == "--update") {
      options.updates = true;
    } else if (options.scenario.empty() && !argument.starts_with("-")) {
      options.scenario = argument;
    } else {
      throw std::invalid_argument("does not know " + argument);
    }
  }
  return options;
}

int check(bool updates) {
  const std::string file = std::string(STADION_BENCH_SOURCE) + "/figures.txt";
  const ExactFigures counted = count_exact_figures();
  if (updates) {
    write_figures(file, counted);
    std::printf("%s\nwritten to %s\n", table_of({}, counted).c_str(), file.c_str());
    return 0;
  }
  const ExactFigures kept = read_figures(file);
  std::printf("%s\n", table_of(kept, counted).c_str());
  const std::string worse = compare_figures(kept, counted);
  if (!worse.empty()) {
    std::fprintf(stderr,
                 "stadion-bench-http: worse than the figures kept:\n%sWhere that is meant: "
                 "./dev bench --check --update\n",
                 worse.c_str());
    return 1;
  }
  return 0;
}

void measure(const Options& options) {
  std::ofstream json;
  if (!options.json_file.empty()) {  // Opened first: better to fail now than after minutes.
    json.open(options.json_file);
    if (!json) {
      throw std::runtime_error("cannot write " + options.json_file);
    }
  }
  Facts facts = facts_of_this_run();
  const std::vector<Section> sections = run_scenario(options.scenario, options.measured, facts);
  std::fputs(table_of(sections, facts).c_str(), stdout);
  if (json.is_open() && !(json << json_of(sections, facts)).flush()) {
    throw std::runtime_error("cannot write " + options.json_file);
  }
}

int main(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() == "--help") {
    std::fputs(kUsage, arguments.empty() ? stderr : stdout);
    return arguments.empty() ? 2 : 0;
  }
  core_count();  // Before the first pinning.
  const Options options = read_options(arguments);
  if (options.scenario == "check") {
    return check(options.updates);
  }
  if (options.scenario == "train") {
    train();
    return 0;
  }
  measure(options);
  return 0;
}

}  // namespace
}  // namespace stadion::bench

int main(int argc, char** argv) try {
  return stadion::bench::main({argv + 1, argv + argc});
} catch (const std::invalid_argument& error) {
  std::fprintf(stderr, "stadion-bench-http: %s\n%s", error.what(), stadion::bench::kUsage);
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "stadion-bench-http: %s\n", error.what());
  return 1;
}
