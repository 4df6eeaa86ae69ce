// SPDX-License-Identifier: MIT
#include "http/rate_limiter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;
using namespace std::chrono_literals;
using Time = RateLimiter::Clock::time_point;

const Time kStart{1'000'000s};

TEST_CASE_FIXTURE(LiveArenas,
                  "rate limiter: the burst passes, one below it, at it, not one above") {
  RateLimiter limiter({.requests_per_second = 2, .burst = 3});
  CHECK(limiter.admit("a", kStart).is_allowed);
  CHECK(limiter.admit("a", kStart).is_allowed);
  CHECK(limiter.admit("a", kStart).is_allowed);
  CHECK_FALSE(limiter.admit("a", kStart).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "rate limiter: a token comes back when its time has come, not before") {
  RateLimiter limiter({.requests_per_second = 2, .burst = 1});
  CHECK(limiter.admit("a", kStart).is_allowed);
  CHECK_FALSE(limiter.admit("a", kStart + 500ms - 1ns).is_allowed);
  CHECK(limiter.admit("a", kStart + 500ms).is_allowed);
  CHECK_FALSE(limiter.admit("a", kStart + 1s - 1ns).is_allowed);
  CHECK(limiter.admit("a", kStart + 1s + 1ns).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: a bucket never holds more than its burst") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 2});
  CHECK(limiter.admit("a", kStart).is_allowed);
  const Time later = kStart + 1000h;
  CHECK(limiter.admit("a", later).is_allowed);
  CHECK(limiter.admit("a", later).is_allowed);
  CHECK_FALSE(limiter.admit("a", later).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: retry after is rounded up, and then it passes") {
  RateLimiter limiter({.requests_per_second = 0.1, .burst = 1});
  CHECK(limiter.admit("a", kStart).retry_after == 0s);
  CHECK(limiter.admit("a", kStart).retry_after == 10s);
  CHECK(limiter.admit("a", kStart + 1ns).retry_after == 10s);
  CHECK(limiter.admit("a", kStart + 1s).retry_after == 9s);
  CHECK(limiter.admit("a", kStart + 9'999ms).retry_after == 1s);
  CHECK(limiter.admit("a", kStart + 10s).is_allowed);

  RateLimiter fast({.requests_per_second = 1e6, .burst = 1});
  CHECK(fast.admit("a", kStart).is_allowed);
  CHECK(fast.admit("a", kStart).retry_after == 1s);
  CHECK(fast.admit("a", kStart + 1us).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: who is refused does not wait longer by asking") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1});
  CHECK(limiter.admit("a", kStart).is_allowed);
  for (int i = 0; i < 1000; ++i) {
    CHECK_FALSE(limiter.admit("a", kStart + 999ms).is_allowed);
  }
  CHECK(limiter.admit("a", kStart + 1s).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: each key has its own bucket") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1});
  for (const std::string_view key : {"", "a", "b", "aa", "192.0.2.1"}) {
    CAPTURE(key);
    CHECK(limiter.admit(key, kStart).is_allowed);
    CHECK_FALSE(limiter.admit(key, kStart).is_allowed);
  }
  CHECK(limiter.size() == 5);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: a clock that goes back gives nothing away") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1});
  CHECK(limiter.admit("a", kStart).is_allowed);
  CHECK_FALSE(limiter.admit("a", kStart - 10s).is_allowed);
  CHECK(limiter.admit("a", kStart + 1s).is_allowed);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "rate limiter: keys: at the limit all are known, one above the stalest goes") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1, .keys_max = 3});
  for (const std::string_view key : {"a", "b", "c"}) {
    CHECK(limiter.admit(key, kStart).is_allowed);
  }
  CHECK_FALSE(limiter.admit("a", kStart).is_allowed);  // Heard of later than b, though refused.
  CHECK(limiter.admit("d", kStart).is_allowed);
  CHECK(limiter.size() == 3);
  CHECK_FALSE(limiter.admit("a", kStart).is_allowed);
  CHECK_FALSE(limiter.admit("c", kStart).is_allowed);
  CHECK_FALSE(limiter.admit("d", kStart).is_allowed);
  CHECK(limiter.admit("b", kStart).is_allowed);  // Forgotten, so its bucket is full.
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: with room for one key each other one takes it") {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1, .keys_max = 1});
  for (int i = 0; i < 10; ++i) {
    CHECK(limiter.admit("a", kStart).is_allowed);
    CHECK_FALSE(limiter.admit("a", kStart).is_allowed);
    CHECK(limiter.admit("b", kStart).is_allowed);
  }
  CHECK(limiter.size() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: 10,000 keys take some 400 KiB, however many come") {
  RateLimiter limiter;
  const std::size_t before = limiter.bytes();
  for (int i = 0; i < 30'000; ++i) {
    CHECK(limiter.admit(std::to_string(i), kStart).is_allowed);
  }
  CHECK(limiter.size() == 10'000);
  CHECK(limiter.bytes() == before);
  CHECK(limiter.bytes() >= 376 * 1024);
  CHECK(limiter.bytes() <= 404 * 1024);
}

/// What the limiter must do, done slowly: tokens, and a list of keys by age.
class Model {
 public:
  Model(std::chrono::nanoseconds interval, int burst, std::size_t keys_max)
      : interval_(interval), burst_(burst), keys_max_(keys_max) {}

  bool admit(const std::string& key, Time now) {
    auto found = std::find_if(keys_.begin(), keys_.end(),
                              [&key](const auto& entry) { return entry.first == key; });
    Bucket bucket{burst_ * interval_, now};
    if (found != keys_.end()) {
      bucket = found->second;
      keys_.erase(found);
    } else if (keys_.size() == keys_max_) {
      keys_.pop_front();
    }
    bucket.fill =
        std::min<std::chrono::nanoseconds>(bucket.fill + (now - bucket.at), burst_ * interval_);
    bucket.at = now;
    const bool is_allowed = bucket.fill >= interval_;
    bucket.fill -= is_allowed ? interval_ : 0ns;
    keys_.emplace_back(key, bucket);
    return is_allowed;
  }

 private:
  struct Bucket {
    std::chrono::nanoseconds fill;
    Time at;
  };

  std::chrono::nanoseconds interval_;
  int burst_;
  std::size_t keys_max_;
  std::deque<std::pair<std::string, Bucket>> keys_;
};

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: at random it does as a simple model does") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const std::size_t keys_max : {1U, 2U, 7U, 8U, 9U, 50U}) {
    RateLimiter limiter({.requests_per_second = 100, .burst = 4, .keys_max = keys_max});
    Model model(10ms, 4, keys_max);
    Time now = kStart;
    for (int i = 0; i < 5000; ++i) {
      now += std::chrono::nanoseconds(random() % 8 == 0 ? random() % 50'000'000 : random() % 3);
      const std::string key = std::to_string(random() % 12);
      REQUIRE(limiter.admit(key, now).is_allowed == model.admit(key, now));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "rate limiter: options out of range are refused") {
  const auto refuses = [](RateLimiterOptions options) {
    try {
      const RateLimiter limiter(options);
      return false;
    } catch (const std::invalid_argument&) {
      return true;
    }
  };
  CHECK(refuses({.requests_per_second = 0}));
  CHECK(refuses({.requests_per_second = -1}));
  CHECK(refuses({.requests_per_second = 1.0 / 86'401}));
  CHECK(refuses({.requests_per_second = 1e6 + 1}));
  CHECK(refuses({.requests_per_second = std::numeric_limits<double>::quiet_NaN()}));
  CHECK(refuses({.requests_per_second = std::numeric_limits<double>::infinity()}));
  CHECK_FALSE(refuses({.requests_per_second = 1.0 / 86'400}));
  CHECK_FALSE(refuses({.requests_per_second = 1e6}));
  CHECK(refuses({.burst = 0}));
  CHECK_FALSE(refuses({.burst = 1}));
  CHECK_FALSE(refuses({.requests_per_second = 1, .burst = 30 * 86'400}));
  CHECK(refuses({.requests_per_second = 1, .burst = 30 * 86'400 + 1}));
  CHECK(refuses({.keys_max = 0}));
  CHECK(refuses({.keys_max = kRateLimiterKeysMax + 1}));
  CHECK_FALSE(refuses({.keys_max = 1}));
}

}  // namespace
}  // namespace stadion::http
