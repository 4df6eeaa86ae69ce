// SPDX-License-Identifier: MIT
#include "http/date.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("date: known dates [RFC 9110 §5.6.7]") {
  CHECK(HttpDate(784111777).text() == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(HttpDate(0).text() == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(HttpDate(-1).text() == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(HttpDate(951782400).text() == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(HttpDate(2147483648).text() == "Tue, 19 Jan 2038 03:14:08 GMT");
  CHECK(HttpDate(4107542400).text() == "Mon, 01 Mar 2100 00:00:00 GMT");
  CHECK(HttpDate(253402300799).text() == "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST_CASE("date: every day and month has its name") {
  constexpr std::time_t kDay = 24 * 60 * 60;
  for (std::time_t day = 0; day < 366; ++day) {
    const std::time_t time = 1700000000 + day * kDay;
    char expected[64];
    std::tm utc{};
    gmtime_r(&time, &utc);
    std::strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    REQUIRE(HttpDate(time).text() == expected);
  }
}

TEST_CASE("date: the three formats are read [RFC 9110 §5.6.7]") {
  for (const std::string_view text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994"}) {
    CAPTURE(text);
    CHECK(parse_http_date(text) == 784111777);
  }
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994") == 784975777);
}

TEST_CASE("date: what is written is read back") {
  constexpr std::time_t kStep = 86400 * 3 + 4321;
  for (std::time_t time = -62135596800; time < 253402300800; time += kStep * 97) {
    REQUIRE(parse_http_date(HttpDate(time).text()) == time);
  }
  for (std::time_t time = 1700000000; time < 1800000000; time += kStep) {
    REQUIRE(parse_http_date(HttpDate(time).text()) == time);
  }
  CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799);
}

TEST_CASE("date: cut short, or with anything more, there is none") {
  for (const std::string_view whole :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(whole.substr(0, size));
      CHECK_FALSE(parse_http_date(whole.substr(0, size)));
      CHECK_FALSE(parse_http_date(whole.substr(whole.size() - size)));
      std::string text(whole);
      text[size] = '~';
      CHECK_FALSE(parse_http_date(text));
    }
    CHECK_FALSE(parse_http_date(std::string(whole) + " "));
    CHECK_FALSE(parse_http_date(" " + std::string(whole)));
    CHECK_FALSE(parse_http_date(std::string(whole) + std::string(1, '\0')));
  }
}

TEST_CASE("date: no other form is read") {
  for (const std::string_view text :
       {"Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 November 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "784111777"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("date: the calendar and the clock are kept to") {
  CHECK(parse_http_date("Tue, 29 Feb 2000 00:00:00 GMT") == 951782400);
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
  for (const std::string_view text :
       {"Mon, 06 Nov 1994 08:49:37 GMT", "Monday, 06-Nov-94 08:49:37 GMT",
        "Mon Nov  6 08:49:37 1994", "Mon, 29 Feb 2100 00:00:00 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT", "Fri, 30 Feb 2024 00:00:00 GMT",
        "Thu, 31 Apr 2025 00:00:00 GMT", "Wed, 31 Apr 2024 00:00:00 GMT",
        "Mon, 00 Nov 1994 08:49:37 GMT", "Thu, 32 Dec 1970 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("date: a leap second is the first of the next minute") {
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800);
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:59 GMT") == 1483228799);
}

TEST_CASE("date: two digits are the latest year not over 50 years ahead [RFC 9110 §5.6.7]") {
  constexpr std::time_t kNow = 1700000000;  // Tue, 14 Nov 2023 22:13:20 GMT
  CHECK(parse_http_date("Tuesday, 14-Nov-23 22:13:20 GMT", kNow) == kNow);
  CHECK(parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT", kNow) == 946684800);
  CHECK(parse_http_date("Tuesday, 14-Nov-73 22:13:20 GMT", kNow) == 3277923200);
  CHECK(parse_http_date("Wednesday, 14-Nov-73 22:13:21 GMT", kNow) == 122163201);
  CHECK(parse_http_date("Thursday, 15-Nov-73 00:00:00 GMT", kNow) == 122169600);
  CHECK(parse_http_date("Tuesday, 01-Jan-74 00:00:00 GMT", kNow) == 126230400);
  CHECK(parse_http_date("Friday, 31-Dec-99 23:59:59 GMT", kNow) == 946684799);
  constexpr std::time_t kLate = 4102444799;  // Thu, 31 Dec 2099 23:59:59 GMT
  CHECK(parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT", kLate) == std::nullopt);
  CHECK(parse_http_date("Friday, 01-Jan-00 00:00:00 GMT", kLate) == kLate + 1);
}

TEST_CASE("date: the Date line is whole, and of this second") {
  DateLine line;
  const std::time_t before = std::time(nullptr);
  const std::string now(line.now());
  const std::time_t after = std::time(nullptr);
  bool is_current = false;
  for (std::time_t time = before - 1; time <= after; ++time) {  // The coarse clock may lag behind.
    is_current = is_current || now == "Date: " + std::string(HttpDate(time).text()) + "\r\n";
  }
  CHECK_MESSAGE(is_current, now);
  CHECK(now.size() == 37);
}

}  // namespace
}  // namespace stadion::http
