// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stadion {

/// A number that one thread changes and any thread reads, without a locked instruction.
class Counter {
 public:
  void add(std::uint64_t change) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t change) noexcept { add(~change + 1); }
  void increment() noexcept { add(1); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// How often a value fell at or below each of a fixed row of bounds, and above them all. Threads as
/// for Counter.
template <std::size_t BoundCount>
class Histogram {
 public:
  struct Snapshot {
    std::array<std::uint64_t, BoundCount + 1>
        counts{};  ///< Per bucket, not cumulative; the last is above all.
    std::uint64_t sum = 0;

    Snapshot& operator+=(const Snapshot& other) noexcept {
      for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] += other.counts[i];
      }
      sum += other.sum;
      return *this;
    }
  };

  explicit constexpr Histogram(const std::array<std::uint64_t, BoundCount>& bounds) noexcept
      : bounds_(&bounds) {}

  void record(std::uint64_t value) noexcept {
    std::size_t bucket = 0;
    while (bucket < BoundCount && value > (*bounds_)[bucket]) {
      ++bucket;
    }
    counts_[bucket].increment();
    sum_.add(value);
  }

  Snapshot snapshot() const noexcept {
    Snapshot result;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      result.counts[i] = counts_[i].value();
    }
    result.sum = sum_.value();
    return result;
  }

 private:
  const std::array<std::uint64_t, BoundCount>*
      bounds_;  ///< In ascending order; of static lifetime.
  std::array<Counter, BoundCount + 1> counts_;
  Counter sum_;
};

}  // namespace stadion
