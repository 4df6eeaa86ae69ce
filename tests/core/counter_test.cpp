// SPDX-License-Identifier: MIT
#include "core/counter.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

namespace stadion {
namespace {

constexpr std::array<std::uint64_t, 3> kBounds{10, 100, 1000};

TEST_CASE("counter: begins at zero, adds, subtracts and increments") {
  Counter counter;
  CHECK(counter.value() == 0);
  counter.increment();
  counter.add(41);
  CHECK(counter.value() == 42);
  counter.subtract(40);
  CHECK(counter.value() == 2);
  counter.subtract(2);
  CHECK(counter.value() == 0);
  counter.subtract(0);
  counter.add(0);
  CHECK(counter.value() == 0);
}

TEST_CASE("counter: another thread reads it while it grows, and never sees it shrink") {
  Counter counter;
  std::atomic<bool> shrank{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (last < 20'000) {
      const std::uint64_t value = counter.value();
      shrank = shrank || value < last;
      last = value;
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    counter.increment();
  }
  reader.join();
  CHECK_FALSE(shrank);
  CHECK(counter.value() == 20'000);
}

TEST_CASE("histogram: a new one is empty") {
  const Histogram<3> histogram(kBounds);
  const auto snapshot = histogram.snapshot();
  CHECK(snapshot.counts == std::array<std::uint64_t, 4>{});
  CHECK(snapshot.sum == 0);
}

TEST_CASE("histogram: one below, at and above each bound") {
  for (std::size_t bound = 0; bound < kBounds.size(); ++bound) {
    CAPTURE(bound);
    Histogram<3> histogram(kBounds);
    histogram.record(kBounds[bound] - 1);
    histogram.record(kBounds[bound]);
    histogram.record(kBounds[bound] + 1);
    const auto snapshot = histogram.snapshot();
    CHECK(snapshot.counts[bound] == 2);
    CHECK(snapshot.counts[bound + 1] == 1);
    CHECK(snapshot.sum == 3 * kBounds[bound]);
  }
}

TEST_CASE("histogram: zero falls in the first bucket, the largest number above all bounds") {
  Histogram<3> histogram(kBounds);
  histogram.record(0);
  histogram.record(std::numeric_limits<std::uint64_t>::max());
  CHECK(histogram.snapshot().counts == std::array<std::uint64_t, 4>{1, 0, 0, 1});
}

TEST_CASE("histogram: snapshots add up, and are not changed by what is recorded later") {
  Histogram<3> first(kBounds);
  Histogram<3> second(kBounds);
  first.record(5);
  first.record(50);
  second.record(50);
  second.record(5000);
  auto total = first.snapshot();
  total += second.snapshot();
  first.record(7);
  CHECK(total.counts == std::array<std::uint64_t, 4>{1, 2, 0, 1});
  CHECK(total.sum == 5105);
}

}  // namespace
}  // namespace stadion
