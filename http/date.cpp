// SPDX-License-Identifier: MIT
#include "http/date.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>

#include "http/characters.hpp"

namespace stadion::http {
namespace {

constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

/// A date as it is written: nothing of it checked but its form.
struct Written {
  unsigned weekday = 0;  ///< From Sunday.
  unsigned day = 0;
  unsigned month = 0;  ///< From 0.
  unsigned year = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

/// Takes one thing after the other off the front of a text; each answers whether it was there.
class DateReader {
 public:
  explicit DateReader(std::string_view text) noexcept : rest_(text) {}

  bool take(std::string_view literal) noexcept {
    if (!rest_.starts_with(literal)) {
      return false;
    }
    rest_.remove_prefix(literal.size());
    return true;
  }

  bool take_number(std::size_t digits, unsigned& number) noexcept {
    if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, is_digit)) {
      return false;
    }
    number = 0;
    for (const char digit : rest_.substr(0, digits)) {
      number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }

  bool take_name(std::span<const char* const> names, unsigned& index) noexcept {
    const auto name =
        std::find_if(names.begin(), names.end(), [this](const char* one) { return take(one); });
    index = static_cast<unsigned>(name - names.begin());
    return name != names.end();
  }

  bool take_time(Written& date) noexcept {
    return take_number(2, date.hour) && take(":") && take_number(2, date.minute) && take(":") &&
           take_number(2, date.second);
  }

  bool is_at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(DateReader text, Written& date) noexcept {
  return text.take_name(kDays, date.weekday) && text.take(", ") && text.take_number(2, date.day) &&
         text.take(" ") && text.take_name(kMonths, date.month) && text.take(" ") &&
         text.take_number(4, date.year) && text.take(" ") && text.take_time(date) &&
         text.take(" GMT") && text.is_at_end();
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
bool read_rfc850_date(DateReader text, Written& date) noexcept {
  return text.take_name(kLongDays, date.weekday) && text.take(", ") &&
         text.take_number(2, date.day) && text.take("-") && text.take_name(kMonths, date.month) &&
         text.take("-") && text.take_number(2, date.year) && text.take(" ") &&
         text.take_time(date) && text.take(" GMT") && text.is_at_end();
}

/// "Sun Nov  6 08:49:37 1994"
bool read_asctime_date(DateReader text, Written& date) noexcept {
  return text.take_name(kDays, date.weekday) && text.take(" ") &&
         text.take_name(kMonths, date.month) && text.take(" ") &&
         (text.take(" ") ? text.take_number(1, date.day) : text.take_number(2, date.day)) &&
         text.take(" ") && text.take_time(date) && text.take(" ") &&
         text.take_number(4, date.year) && text.is_at_end();
}

std::chrono::year_month_day day_of(const Written& date) noexcept {
  return std::chrono::year(static_cast<int>(date.year)) / std::chrono::month(date.month + 1) /
         std::chrono::day(date.day);
}

std::chrono::seconds time_of_day(const Written& date) noexcept {
  return std::chrono::hours(date.hour) + std::chrono::minutes(date.minute) +
         std::chrono::seconds(date.second);
}

/// The year of which only the last two digits are written (RFC 9110 section 5.6.7).
unsigned whole_year(const Written& date, std::time_t now) noexcept {
  const std::chrono::sys_seconds time{std::chrono::seconds(now)};
  const auto today = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day limit =
      std::chrono::year_month_day(today) + std::chrono::years(50);
  const auto year_max = static_cast<unsigned>(static_cast<int>(limit.year()));
  Written whole = date;
  whole.year = year_max - (year_max + 100 - date.year) % 100;
  const auto day = day_of(whole);
  const bool is_beyond = day > limit || (day == limit && time_of_day(whole) > time - today);
  return is_beyond ? whole.year - 100 : whole.year;
}

/// None when there is no such time.
std::optional<std::time_t> time_of(const Written& date) noexcept {
  const auto day = day_of(date);
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) {
    return std::nullopt;
  }
  const std::chrono::sys_days days(day);
  if (std::chrono::weekday(days).c_encoding() != date.weekday) {
    return std::nullopt;
  }
  return static_cast<std::time_t>((days.time_since_epoch() + time_of_day(date)).count());
}

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

std::optional<std::time_t> parse_http_date(std::string_view text) noexcept {
  return parse_http_date(text, std::time(nullptr));
}

std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) noexcept {
  Written date;
  if (read_imf_fixdate(DateReader(text), date) || read_asctime_date(DateReader(text), date)) {
    return time_of(date);
  }
  if (read_rfc850_date(DateReader(text), date)) {
    date.year = whole_year(date, now);
    return time_of(date);
  }
  return std::nullopt;
}

void DateLine::format(std::time_t second) noexcept {
  second_ = second;
  const HttpDate date(second);
  char* at = std::copy(kPrefix.begin(), kPrefix.end(), line_.data());
  at = std::copy(date.text().begin(), date.text().end(), at);
  *at++ = '\r';
  *at = '\n';
}

}  // namespace stadion::http
