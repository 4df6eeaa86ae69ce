// SPDX-License-Identifier: MIT
#include "apps/bench/arena/child_modes.hpp"

#include <dlfcn.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/arena/storage.hpp"
#include "apps/bench/arena/workloads.hpp"
#include "apps/bench/machine.hpp"
#include "apps/bench/results.hpp"

namespace stadion::bench {
namespace {

constexpr double kMiB = 1024 * 1024;

template <class Arena>
void allocate_and_touch(Arena& arena, std::size_t count, std::size_t bytes) {
  for (std::size_t i = 0; i < count; ++i) {
    auto* memory = static_cast<char*>(arena.alloc(bytes));
    *memory = 1;
    keep(memory);
  }
}

constexpr std::size_t kMillion = 1'000'000;

template <class Arena>
double million_ns(Storage<Arena>& storage, std::size_t* peak_bytes = nullptr) {
  const auto begin = std::chrono::steady_clock::now();
  allocate_and_touch(storage.make(), kMillion, kSmallBytes);
  const auto filled = std::chrono::steady_clock::now();
  if (peak_bytes != nullptr) {
    *peak_bytes = memory_bytes("VmHWM");
  }
  const auto resumed = std::chrono::steady_clock::now();
  storage.dispose();
  const auto time = (filled - begin) + (std::chrono::steady_clock::now() - resumed);
  return std::chrono::duration<double, std::nano>(time).count() / kMillion;
}

template <template <std::size_t> class Contestant>
void print_cold() {
  constexpr std::size_t kWarmRounds = 5;
  auto storage = std::make_unique<Storage<Contestant<kMillion>>>();
  reset_peak_memory();
  const std::size_t before = memory_bytes("VmRSS");
  std::size_t peak = 0;
  const double cold = million_ns(*storage, &peak);
  std::vector<double> warm(kWarmRounds);
  for (double& ns : warm) {
    ns = million_ns(*storage);
  }
  const double asked = static_cast<double>(kMillion * kSmallBytes);
  std::printf("%.4f %.4f %.4f\n", cold, median_of(warm),
              static_cast<double>(peak - before) / asked);
}

constexpr std::size_t kBurstArenas = 16;
constexpr std::size_t kBurstBytes = 1024;
constexpr std::size_t kBurstAllocations = 64 * 1024 * 1024 / kBurstBytes;

double grown_mib(std::size_t before) {
  return (static_cast<double>(memory_bytes("VmRSS")) - static_cast<double>(before)) / kMiB;
}

// All sixteen live at once: what a burst of requests does, and harder than one after the other.
template <template <std::size_t> class Contestant>
void print_retention() {
  using Burst = std::array<Storage<Contestant<kBurstAllocations>>, kBurstArenas>;
  auto burst = std::make_unique<Burst>();
  burst->front().make();  // So that the code is resident that runs from here on.
  burst->front().dispose();
  grown_mib(0);
  const std::size_t before = memory_bytes("VmRSS");
  for (auto& storage : *burst) {
    allocate_and_touch(storage.make(), kBurstAllocations, kBurstBytes);
  }
  for (auto& storage : *burst) {
    storage.dispose();
  }
  std::printf("%.3f", grown_mib(before));
  if (std::string_view(Contestant<1>::kName) == "stadion") {
    Arena::trim();
    std::printf(" %.3f", grown_mib(before));
  }
  std::printf("\n");
}

template <class Workload>
void run_operations(std::size_t count) {
  Workload workload;
  keep(&workload);
  for (std::size_t done = 0; done < count; done += Workload::kOperations) {
    workload.round();
  }
}

template <template <std::size_t> class Contestant>
void print_mallocs() {
  using Counter = std::size_t();
  auto* calls = reinterpret_cast<Counter*>(dlsym(RTLD_DEFAULT, "stadion_bench_malloc_calls"));
  if (calls == nullptr) {
    throw std::runtime_error("the malloc counter is not loaded");
  }
  constexpr std::size_t kWarmUp = 100;
  constexpr std::size_t kCycles = 10'000;
  run_operations<HttpCycle<Contestant>>(kWarmUp);
  const std::size_t before = calls();
  run_operations<HttpCycle<Contestant>>(kCycles);
  std::printf("%g\n", static_cast<double>(calls() - before) / kCycles);
}

template <template <std::size_t> class Contestant>
void count(const std::string& row, std::size_t operations) {
  if (row == "W1") {
    run_operations<SmallAllocations<Contestant>>(operations);
  } else if (row == "W2") {
    run_operations<HttpCycle<Contestant>>(operations);
  } else {
    throw std::runtime_error("--count knows W1 and W2, not " + row);
  }
}

}  // namespace

std::optional<int> run_child_mode(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    return std::nullopt;
  }
  const std::string& mode = arguments[0];
  bool known = true;
  const auto run = [&]<template <std::size_t> class Contestant>() {
    if (mode == "--cold") {
      print_cold<Contestant>();
    } else if (mode == "--retention") {
      print_retention<Contestant>();
    } else if (mode == "--mallocs") {
      print_mallocs<Contestant>();
    } else if (mode == "--count" && arguments.size() == 4) {
      count<Contestant>(arguments[1], std::stoul(arguments[3]));
    } else {
      known = false;
    }
  };
  const bool found =
      visit_contestant(arguments[mode == "--count" && arguments.size() > 2 ? 2 : 1], run);
  return found && known ? std::optional(0) : std::nullopt;
}

}  // namespace stadion::bench
