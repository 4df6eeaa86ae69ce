// SPDX-License-Identifier: MIT
#include "http/date.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <ctime>
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
