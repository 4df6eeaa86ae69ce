// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string_view>

namespace stadion::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 section 5.6.7), in no locale but English.
class HttpDate {
 public:
  static constexpr std::size_t kBytes = 29;

  explicit HttpDate(std::time_t seconds_since_epoch) noexcept;
  std::string_view text() const noexcept { return {text_.data(), kBytes}; }

 private:
  std::array<char, kBytes + 1> text_{};
};

/// The time that an HTTP-date names, in any of the three formats of RFC 9110 section 5.6.7; none
/// for whatever else, and for a day that the calendar has not or that was another day of the week.
///
/// The two-digit year of the RFC 850 format is the latest that is not over 50 years after `now`,
/// which is the system's clock unless given. Second 60 is the first of the next minute.
std::optional<std::time_t> parse_http_date(std::string_view text) noexcept;
std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) noexcept;

/// The Date header line, formatted anew once per second. One per Worker.
class DateLine {
 public:
  /// "Date: …\r\n" for the current second; valid until the next call.
  std::string_view now() noexcept {
    std::timespec time{};
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    if (time.tv_sec != second_) {
      format(time.tv_sec);
    }
    return {line_.data(), line_.size()};
  }

 private:
  void format(std::time_t second) noexcept;

  static constexpr std::string_view kPrefix = "Date: ";

  std::time_t second_ = -1;
  std::array<char, kPrefix.size() + HttpDate::kBytes + 2> line_{};
};

}  // namespace stadion::http
