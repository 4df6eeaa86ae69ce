// SPDX-License-Identifier: MIT
#include "apps/bench/arena/measure_time.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/arena/two_threads.hpp"
#include "apps/bench/arena/workloads.hpp"
#include "apps/bench/machine.hpp"

namespace stadion::bench {
namespace {

template <class Workload>
void time_rounds(benchmark::State& state) {
  pin_this_thread(0);
  auto workload = std::make_unique<Workload>();
  for ([[maybe_unused]] auto _ : state) {
    workload->round();
  }
}

/// Registers benchmarks by "row/contestant", and turns their time per iteration into one per
/// operation.
class Timings : public benchmark::BenchmarkReporter {
 public:
  Timings(const TimeOptions& options, Results& results) : options_(options), results_(results) {}

  void add(const char* row, const char* contestant, std::size_t operations, int threads,
           void (*run)(benchmark::State&)) {
    const std::string name = std::string(row) + "/" + contestant;
    benchmark::RegisterBenchmark(name.c_str(), run)
        ->UseRealTime()
        ->Threads(threads)
        ->Repetitions(options_.repetitions)
        ->MinTime(options_.repetition_seconds);
    benchmarks_[name] = {row, contestant, static_cast<double>(operations)};
  }

  template <class Workload>
  void add_workload(const char* contestant) {
    add(Workload::kRow, contestant, Workload::kOperations, 1, time_rounds<Workload>);
  }

  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) {
        throw std::runtime_error(run.benchmark_name() + ": " + run.error_message);
      }
      if (run.run_type == Run::RT_Iteration) {
        // The iterations are those of all threads, which ran at the same time.
        const double per_thread = static_cast<double>(run.iterations) / double(run.threads);
        const Benchmark& benchmark = benchmarks_.at(run.run_name.function_name);
        const double ns = run.real_accumulated_time * 1e9 / per_thread / benchmark.operations;
        results_.add(benchmark.row, benchmark.contestant, ns);
      }
    }
  }

 private:
  struct Benchmark {
    std::string row;
    std::string contestant;
    double operations = 1;
  };

  TimeOptions options_;
  Results& results_;
  std::map<std::string, Benchmark> benchmarks_;
};

template <template <std::size_t> class Contestant>
void add_one_thread(Timings& timings) {
  constexpr const char* kName = Contestant<1>::kName;
  timings.add_workload<SmallAllocations<Contestant>>(kName);
  timings.add_workload<HttpCycle<Contestant>>(kName);
  timings.add_workload<HttpCycleCleared<Contestant>>(kName);
  timings.add_workload<MixedAllocations<Contestant>>(kName);
  timings.add_workload<EightArenas<Contestant>>(kName);
  if constexpr (Contestant<1>::kRunsDestructors) {
    timings.add_workload<Destructors<Contestant>>(kName);
  }
}

template <template <std::size_t> class Contestant>
void add_two_threads(Timings& timings) {
  constexpr const char* kName = Contestant<1>::kName;
  if constexpr (Contestant<1>::kSharing == Sharing::one_arena) {
    timings.add("W4", kName, kSharedAllocations, 2, allocate_from_one_arena<Contestant>);
  } else if constexpr (Contestant<1>::kSharing == Sharing::own_pointers) {
    timings.add("W4", kName, kSharedAllocations, 2, allocate_from_own_arena<Contestant>);
  } else if (std::string_view(kName) == "ideal") {
    timings.add("W4", kName, kSharedAllocations, 1, allocate_from_own_arena<Contestant>);
  }
  if constexpr (Contestant<1>::kMovesBetweenThreads) {
    timings.add("W8", kName, 1, 2, hand_over<Contestant>);
  }
  timings.add("W9", kName, 1, 2, http_cycles_on_two_threads<Contestant>);
}

void initialize_benchmark() {
  std::string program = "stadion-bench-arena";
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  char* arguments[] = {program.data(), interleaved.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments);
}

}  // namespace

void measure_times(const TimeOptions& options, Results& results) {
  initialize_benchmark();
  Timings timings(options, results);
  for_each_contestant([&]<template <std::size_t> class Contestant>() {
    add_one_thread<Contestant>(timings);
    add_two_threads<Contestant>(timings);
  });
  for (const char* row : {"W1", "W2", "W3", "W4", "W6", "W7", "W8", "W9", "W10"}) {
    std::fprintf(stderr, "bench: %s\n", row);
    benchmark::RunSpecifiedBenchmarks(&timings, std::string("^").append(row).append("/"));
  }
}

}  // namespace stadion::bench
