// SPDX-License-Identifier: MIT
#include "apps/attack/soak.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "apps/attack/attacks.hpp"
#include "apps/attack/crowd.hpp"
#include "apps/attack/target.hpp"
#include "apps/attack/witness.hpp"

namespace stadion::attack {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRound{2000};
constexpr std::chrono::seconds kTimeToRest{15};
constexpr std::chrono::seconds kWarmUp{10};
constexpr std::size_t kRoundsMin = 4;
constexpr double kGrowthMax = 1.05;
constexpr double kMib = 1024 * 1024;
/// What all threads together keep of disposed arenas; see Arena::trim().
constexpr double kKeptBytes = 8 * kMib;

struct Sample {
  double resident_bytes = 0;
  double arenas_live = 0;
  std::size_t descriptors = 0;
};

double median_resident(std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& left, const Sample& right) {
    return left.resident_bytes < right.resident_bytes;
  });
  return samples[samples.size() / 2].resident_bytes;
}

/// At the beginning and at the end, of as many samples.
bool judge(const std::vector<Sample>& samples) {
  if (samples.size() < kRoundsMin) {
    std::printf("too short to say whether anything grows: it takes %zu rounds\n", kRoundsMin);
    return false;
  }
  const auto part = static_cast<std::ptrdiff_t>(samples.size() / kRoundsMin);
  const double first = median_resident({samples.begin(), samples.begin() + part});
  const double last = median_resident({samples.end() - part, samples.end()});
  const bool same = samples.front().arenas_live == samples.back().arenas_live &&
                    samples.front().descriptors == samples.back().descriptors;
  std::printf(
      "resident %.1f MiB at first, %.1f MiB at last; %.0f arenas, then %.0f; "
      "%zu descriptors, then %zu\n",
      first / kMib, last / kMib, samples.front().arenas_live, samples.back().arenas_live,
      samples.front().descriptors, samples.back().descriptors);
  return same && last <= first * kGrowthMax + kKeptBytes;
}

/// All at once: the pools hold what is in use at most at a time, and shall not grow after this.
void warm_up(Target& target) {
  std::vector<std::unique_ptr<Crowd>> crowds;
  for (const Attack& attack : all_attacks()) {
    crowds.push_back(std::make_unique<Crowd>(target.port(), attack.behaviour));
  }
  std::this_thread::sleep_for(kWarmUp);
}

}  // namespace

bool soak(Target& target, std::chrono::duration<double> time, std::uint32_t seed) {
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::vector<Attack> attacks = all_attacks();
  const std::size_t descriptors = target.process().descriptors();
  warm_up(target);
  std::vector<Sample> samples;
  std::size_t requests = 0;
  std::size_t errors = 0;
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  while (Clock::now() < end) {
    const Attack& one = attacks[random() % attacks.size()];
    const Attack& other = attacks[random() % attacks.size()];
    Testimony testimony;
    {
      Crowd first(target.port(), one.behaviour);
      Crowd second(target.port(), other.behaviour);
      Witness witness(target.port());
      std::this_thread::sleep_for(kRound);
      testimony = witness.stop();
    }
    requests += testimony.requests;
    errors += testimony.errors;
    if (testimony.errors > 0) {
      std::printf("%s, %s: the witness was told: %s\n", one.name.c_str(), other.name.c_str(),
                  testimony.first_error.c_str());
    }
    if (!target.rests_within(kTimeToRest, descriptors)) {
      std::printf("%s, %s: the server does not come to rest\n", one.name.c_str(),
                  other.name.c_str());
      return false;
    }
    samples.push_back({.resident_bytes = target.process().resident_bytes(),
                       .arenas_live = 0,
                       .descriptors = target.process().descriptors()});
    samples.back().arenas_live = target.metric("stadion_arenas_live");
  }
  std::printf("%zu rounds, %zu requests of the witness, %zu errors\n", samples.size(), requests,
              errors);
  return judge(samples) && errors == 0;
}

}  // namespace stadion::attack
