// SPDX-License-Identifier: MIT
// Random programs of arena operations against a simple model: see tests/support/arena_program.hpp.
//
// STADION_SEED=7, or a range as 1000-2000, runs others than the usual ones. STADION_TRACE=1 prints
// each operation before it runs.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/support/arena_program.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

struct SeedRange {
  std::uint64_t first;
  std::uint64_t last;
};

std::vector<std::uint8_t> random_bytes(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> bytes(200 + random() % 1800);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return bytes;
}

void run_program(std::uint64_t seed) {
  CAPTURE(seed);
  const std::vector<std::uint8_t> bytes = random_bytes(seed);
  std::string found;
  std::ostream* trace = std::getenv("STADION_TRACE") != nullptr ? &std::cerr : nullptr;
  tests::ArenaProgram program(
      bytes, [&found](const std::string& what) { found = what; }, trace);
  program.run();
  CHECK(found == "");
}

void run_programs(SeedRange seeds) {
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    run_program(seed);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "random programs: no overlap, aligned, intact, and every destructor once") {
  run_programs({.first = 1, .last = 150});
}

TEST_CASE_FIXTURE(LiveArenas, "random programs: those of STADION_SEED") {
  const char* text = std::getenv("STADION_SEED");
  if (text == nullptr) {
    return;
  }
  char* rest = nullptr;
  const std::uint64_t first = std::strtoull(text, &rest, 10);
  const std::uint64_t last = *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first;
  MESSAGE("seeds ", first, " to ", last);
  run_programs({.first = first, .last = last});
}

}  // namespace
}  // namespace stadion
