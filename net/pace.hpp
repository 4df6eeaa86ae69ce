// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "net/listener.hpp"

namespace stadion::net {

/// Lets through so many a second, and a tenth of that at once: the generic cell rate algorithm.
///
/// Throws     std::invalid_argument for more than kAcceptsPerSecondMax; 0 is no limit.
/// Source     ITU-T I.371
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Pace(std::size_t per_second_max) {
    if (per_second_max > kAcceptsPerSecondMax) {
      throw std::invalid_argument("accepts_per_second_max is at most 1000000, not " +
                                  std::to_string(per_second_max));
    }
    if (per_second_max > 0) {
      // Rounded up: rounded down, more would come than the limit says.
      const auto count = static_cast<Clock::rep>(per_second_max);
      interval_ = (Clock::duration(std::chrono::seconds(1)) + Clock::duration(count - 1)) / count;
      capacity_ = std::max<Clock::duration>(interval_, std::chrono::milliseconds(100));
    }
  }

  /// How long to wait before the next; zero when it may come now.
  Clock::duration wait_time(Clock::time_point now) const noexcept {
    return is_limited() ? std::max(used_up_ + interval_ - capacity_ - now, Clock::duration())
                        : Clock::duration();
  }
  void count(Clock::time_point now) noexcept {
    if (is_limited()) {
      used_up_ = std::max(used_up_, now) + interval_;
    }
  }

 private:
  bool is_limited() const noexcept { return interval_ > Clock::duration::zero(); }

  Clock::duration interval_{};
  Clock::duration capacity_{};
  Clock::time_point used_up_{};  ///< When nothing will be owed any more.
};

}  // namespace stadion::net
