// SPDX-License-Identifier: MIT
#include "net/pace.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <stdexcept>

namespace stadion::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Pace::Clock::time_point kStart{std::chrono::hours(1)};
constexpr nanoseconds kNone{};

/// How many come at once before one has to wait.
std::size_t burst(Pace& pace, Pace::Clock::time_point now) {
  std::size_t count = 0;
  while (pace.wait_time(now) == kNone) {
    pace.count(now);
    ++count;
  }
  return count;
}

struct Rate {
  std::size_t per_second;
  std::size_t at_once;
  nanoseconds interval;
};

constexpr Rate kRates[] = {
    {1, 1, seconds(1)},           {2, 1, milliseconds(500)},
    {10, 1, milliseconds(100)},   {20, 2, milliseconds(50)},
    {1000, 100, milliseconds(1)}, {1'000'000, 100'000, nanoseconds(1000)},
};

TEST_CASE("pace: a tenth of a second's come at once, and the next when its time has come") {
  for (const Rate& rate : kRates) {
    CAPTURE(rate.per_second);
    Pace pace(rate.per_second);
    CHECK(burst(pace, kStart) == rate.at_once);
    Pace::Clock::time_point now = kStart;
    for (int i = 0; i < 3; ++i) {
      CHECK(pace.wait_time(now) == rate.interval);
      now += rate.interval;
      CHECK(pace.wait_time(now - nanoseconds(1)) == nanoseconds(1));
      CHECK(burst(pace, now) == 1);
    }
  }
}

TEST_CASE("pace: after any rest a tenth of a second's come at once, and no more") {
  for (const Rate& rate : kRates) {
    CAPTURE(rate.per_second);
    Pace pace(rate.per_second);
    Pace::Clock::time_point now = kStart;
    for (const nanoseconds rest : {nanoseconds(seconds(2)), nanoseconds(std::chrono::hours(24))}) {
      burst(pace, now);
      now += rest;
      CHECK(burst(pace, now) == rate.at_once);
    }
    // A rest that is too short for all of it gives what was earned in it.
    CHECK(burst(pace, now + rate.interval - nanoseconds(1)) == 0);
    CHECK(burst(pace, now + rate.interval) == 1);
  }
}

TEST_CASE("pace: in the long run no more come than the limit says, nor much fewer") {
  for (const std::size_t per_second : {1, 3, 7, 10, 30, 999, 700'000, 999'999, 1'000'000}) {
    CAPTURE(per_second);
    Pace pace(per_second);
    burst(pace, kStart);
    // From here on somebody always waits, and as many come as may.
    const auto start = kStart + pace.wait_time(kStart);
    pace.count(start);
    const nanoseconds interval = pace.wait_time(start);
    CHECK(interval * per_second >= seconds(1));
    CHECK((interval - nanoseconds(1)) * per_second < seconds(1));
    auto now = start;
    for (std::size_t i = 0; i < per_second; ++i) {
      now += pace.wait_time(now);
      pace.count(now);
    }
    CHECK(now - start == interval * per_second);
  }
}

TEST_CASE("pace: 0 is no limit, and what is above a million is none that there can be") {
  Pace unlimited(0);
  for (int i = 0; i < 1000; ++i) {
    CHECK(unlimited.wait_time(kStart) == kNone);
    unlimited.count(kStart);
  }
  CHECK_NOTHROW(Pace(1'000'000));
  CHECK_THROWS_WITH_AS(Pace(1'000'001), "accepts_per_second_max is at most 1000000, not 1000001",
                       std::invalid_argument);
}

}  // namespace
}  // namespace stadion::net
