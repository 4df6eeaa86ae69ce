// SPDX-License-Identifier: MIT
#include "apps/bench/arena/measure_children.hpp"

#include <cstdio>
#include <stdexcept>

#include "apps/bench/arena/allocators.hpp"
#include "apps/bench/child.hpp"

namespace stadion::bench {
namespace {

std::vector<std::string> contestants_here() {
  std::vector<std::string> names;
  for_each_contestant(
      [&]<template <std::size_t> class Contestant>() { names.emplace_back(Contestant<1>::kName); });
  return names;
}

bool has_valgrind() {
  try {
    output_of({"valgrind", "--version"});
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

// Of the whole process.
double instructions(const std::string& row, const std::string& contestant, std::size_t count) {
  const std::string text =
      output_of({"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", own_program(),
                 "--count", row, contestant, std::to_string(count)});
  const std::string label = "Collected : ";
  const std::size_t found = text.find(label);
  if (found == std::string::npos) {
    throw std::runtime_error("callgrind said: " + text);
  }
  return std::stod(text.substr(found + label.size()));
}

}  // namespace

void measure_cold(int rounds, Results& results) {
  std::fprintf(stderr, "bench: W5\n");
  for (int round = 0; round < rounds; ++round) {
    for (const std::string& name : contestants_here()) {
      const std::vector<double> numbers = numbers_of_child({"--cold", name});
      results.add("W5.cold", name, numbers.at(0));
      results.add("W5.warm", name, numbers.at(1));
      results.add("W5.rss", name, numbers.at(2));
    }
  }
}

void measure_retention(Results& results) {
  std::fprintf(stderr, "bench: retention\n");
  for (const std::string& name : contestants_here()) {
    const std::vector<double> numbers = numbers_of_child({"--retention", name});
    results.add("retained", name, numbers.at(0));
    if (numbers.size() > 1) {
      results.add("trimmed", name, numbers[1]);
    }
  }
}

void measure_mallocs(Results& results) {
  std::fprintf(stderr, "bench: mallocs\n");
  for (const std::string& name : contestants_here()) {
    if (name != "mimalloc" && name != "jemalloc") {  // These are malloc, and call none.
      const auto numbers = numbers_of_child({"--mallocs", name}, STADION_BENCH_MALLOC_COUNTER);
      results.add("W2.mallocs", name, numbers.at(0));
    }
  }
}

void measure_instructions(Results& results, std::vector<std::string>& skipped) {
  if (!has_valgrind()) {
    skipped.emplace_back("instructions: valgrind is not there");
    return;
  }
  struct Count {
    const char* row;
    std::size_t operations;
  };
  for (const auto& [row, operations] : {Count{"W1", 100'000}, Count{"W2", 2'000}}) {
    std::fprintf(stderr, "bench: %s under callgrind\n", row);
    for (const char* name : {"ideal", "stadion", "malloc"}) {
      // The difference of two runs has neither start nor end of the process in it.
      const double once = instructions(row, name, operations);
      const double twice = instructions(row, name, 2 * operations);
      results.add(std::string(row) + ".instr", name,
                  (twice - once) / static_cast<double>(operations));
    }
  }
}

}  // namespace stadion::bench
