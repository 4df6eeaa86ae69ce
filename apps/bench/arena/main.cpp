// SPDX-License-Identifier: MIT

// stadion-bench-arena: the arena beside an ideal and its peers, as one table.

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/arena/child_modes.hpp"
#include "apps/bench/arena/measure_children.hpp"
#include "apps/bench/arena/measure_time.hpp"
#include "apps/bench/arena/shared_objects.hpp"
#include "apps/bench/arena/table.hpp"
#include "apps/bench/arena/verify.hpp"
#include "apps/bench/arena/versions.hpp"
#include "apps/bench/machine.hpp"

namespace stadion::bench {
namespace {

constexpr const char* kUsage =
    "stadion-bench-arena [--quick] [--json FILE]\n"
    "  --quick      fewer and shorter repetitions\n"
    "  --json FILE  also write all medians, ratios and targets to FILE\n";

struct Options {
  bool quick = false;
  std::string json_file;
};

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--quick") {
      options.quick = true;
    } else if (arguments[i] == "--json" && i + 1 < arguments.size()) {
      options.json_file = arguments[++i];
    } else {
      throw std::invalid_argument("does not know " + arguments[i]);
    }
  }
  return options;
}

void start_peers() {
  load_heaps();
#ifdef STADION_BENCH_APR
  if (apr_initialize() != APR_SUCCESS) {
    throw std::runtime_error("apr_initialize failed");
  }
#endif
}

Results measure(const Options& options, Facts& facts) {
  for_each_contestant([]<template <std::size_t> class Contestant>() { verify<Contestant>(); });
  Results results;
  measure_times(options.quick ? TimeOptions{5, 0.02} : TimeOptions{}, results);
  measure_cold(options.quick ? 3 : 5, results);
  measure_retention(results);
  measure_mallocs(results);
  measure_instructions(results, facts.skipped);
  return results;
}

void run(const Options& options) {
  std::ofstream json;
  if (!options.json_file.empty()) {  // Opened first: better to fail now than after minutes.
    json.open(options.json_file);
    if (!json) {
      throw std::runtime_error("cannot write " + options.json_file);
    }
  }
  Facts facts = gather_facts();
  const Results results = measure(options, facts);
  std::fputs(table_of(results, facts).c_str(), stdout);
  if (json.is_open() && !(json << json_of(results, facts)).flush()) {
    throw std::runtime_error("cannot write " + options.json_file);
  }
}

int main(const std::vector<std::string>& arguments) {
  if (arguments == std::vector<std::string>{"--help"}) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  core_count();  // Before the first pinning.
  pin_this_thread(0);
  start_peers();
  if (const auto status = run_child_mode(arguments)) {
    return *status;
  }
  run(read_options(arguments));
  return 0;
}

}  // namespace
}  // namespace stadion::bench

int main(int argc, char** argv) try {
  return stadion::bench::main({argv + 1, argv + argc});
} catch (const std::invalid_argument& error) {
  std::fprintf(stderr, "stadion-bench-arena: %s\n%s", error.what(), stadion::bench::kUsage);
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "stadion-bench-arena: %s\n", error.what());
  return 1;
}
