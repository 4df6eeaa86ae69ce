// SPDX-License-Identifier: MIT
#include "http/date.hpp"

#include <algorithm>
#include <cstdio>

namespace stadion::http {
namespace {

constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

HttpDate::HttpDate(std::time_t seconds_since_epoch) noexcept {
  std::tm utc{};
  gmtime_r(&seconds_since_epoch, &utc);
  // The remainders only tell the compiler that each number has as many digits as its place.
  std::snprintf(
      text_.data(), text_.size(), "%s, %02u %s %04u %02u:%02u:%02u GMT",
      kDays[static_cast<unsigned>(utc.tm_wday) % 7], static_cast<unsigned>(utc.tm_mday) % 100,
      kMonths[static_cast<unsigned>(utc.tm_mon) % 12],
      static_cast<unsigned>(utc.tm_year + 1900) % 10000, static_cast<unsigned>(utc.tm_hour) % 100,
      static_cast<unsigned>(utc.tm_min) % 100, static_cast<unsigned>(utc.tm_sec) % 100);
}

std::string_view DateLine::now() noexcept {
  std::timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec != second_) {
    second_ = time.tv_sec;
    const HttpDate date(second_);
    char* at = std::copy(kPrefix.begin(), kPrefix.end(), line_.data());
    at = std::copy(date.text().begin(), date.text().end(), at);
    *at++ = '\r';
    *at = '\n';
  }
  return {line_.data(), line_.size()};
}

}  // namespace stadion::http
