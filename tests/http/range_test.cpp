// SPDX-License-Identifier: MIT
#include "http/range.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace stadion::http {
namespace {

using Outcome = RangeSet::Outcome;
using Ranges = std::vector<ByteRange>;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

Ranges ranges_of(std::string_view value, std::uint64_t size) {
  const RangeSet set = parse_ranges(value, size);
  CHECK((set.outcome() == Outcome::satisfiable) == !set.ranges().empty());
  return {set.ranges().begin(), set.ranges().end()};
}

/// So many ranges of one byte each, none beside another.
std::string separate_ranges(std::size_t count) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < count; ++i) {
    value += (i == 0 ? "" : ",") + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  }
  return value;
}

TEST_CASE("range: from, to, both, and so many at the end [RFC 9110 §14.1.2]") {
  CHECK(ranges_of("bytes=0-499", 10000) == Ranges{{0, 499}});
  CHECK(ranges_of("bytes=500-999", 10000) == Ranges{{500, 999}});
  CHECK(ranges_of("bytes=-500", 10000) == Ranges{{9500, 9999}});
  CHECK(ranges_of("bytes=9500-", 10000) == Ranges{{9500, 9999}});
  CHECK(ranges_of("bytes=0-0", 10000) == Ranges{{0, 0}});
  CHECK(ranges_of("bytes=-1", 10000) == Ranges{{9999, 9999}});
  CHECK(ranges_of("bytes=0-0,-1", 10000) == Ranges{{0, 0}, {9999, 9999}});
  CHECK(ranges_of("bytes=0-0", 1) == Ranges{{0, 0}});
}

TEST_CASE("range: what goes beyond the end stops at it") {
  CHECK(ranges_of("bytes=8-9", 10) == Ranges{{8, 9}});
  CHECK(ranges_of("bytes=8-10", 10) == Ranges{{8, 9}});
  CHECK(ranges_of("bytes=-10", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=-11", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=9-", 10) == Ranges{{9, 9}});
  CHECK(ranges_of("bytes=9-9,10-10", 10) == Ranges{{9, 9}});
}

TEST_CASE("range: nothing that there is can be satisfied by nothing") {
  for (const std::string_view value :
       {"bytes=10-", "bytes=10-10", "bytes=10-20,30-40", "bytes=-0", "bytes=-0,10-"}) {
    CAPTURE(value);
    CHECK(parse_ranges(value, 10).outcome() == Outcome::unsatisfiable);
  }
}

TEST_CASE("range: an empty file has no byte to ask for, and its end is the whole") {
  CHECK(parse_ranges("bytes=0-", 0).outcome() == Outcome::unsatisfiable);
  CHECK(parse_ranges("bytes=0-0", 0).outcome() == Outcome::unsatisfiable);
  CHECK(parse_ranges("bytes=-0", 0).outcome() == Outcome::unsatisfiable);
  CHECK(parse_ranges("bytes=-1", 0).outcome() == Outcome::ignored);
  CHECK(parse_ranges("bytes=0-0,-1", 0).outcome() == Outcome::ignored);
}

TEST_CASE("range: what overlaps or touches becomes one, at the place of the first") {
  CHECK(ranges_of("bytes=0-4,2-6", 10) == Ranges{{0, 6}});
  CHECK(ranges_of("bytes=2-6,0-4", 10) == Ranges{{0, 6}});
  CHECK(ranges_of("bytes=0-4,5-6", 10) == Ranges{{0, 6}});
  CHECK(ranges_of("bytes=5-6,0-4", 10) == Ranges{{0, 6}});
  CHECK(ranges_of("bytes=0-4,6-6", 10) == Ranges{{0, 4}, {6, 6}});
  CHECK(ranges_of("bytes=0-9,3-4", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=3-4,0-9", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=3-3,3-3", 10) == Ranges{{3, 3}});
  CHECK(ranges_of("bytes=0-,0-,0-,-9", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=8-9,4-4,0-0,2-2,1-1", 10) == Ranges{{8, 9}, {4, 4}, {0, 2}});
  CHECK(ranges_of("bytes=8-8,0-0,4-4,1-7", 10) == Ranges{{0, 8}});
  CHECK(ranges_of("bytes=9-9,5-5,0-0,6-6", 10) == Ranges{{9, 9}, {5, 6}, {0, 0}});
}

TEST_CASE("range: the order in which they were asked for stays") {
  CHECK(ranges_of("bytes=8-8,0-0,4-4", 10) == Ranges{{8, 8}, {0, 0}, {4, 4}});
}

TEST_CASE("range: spaces and empty elements of the list mean nothing, the unit's case neither") {
  CHECK(ranges_of("bytes= 0-0 ,\t2-2", 10) == Ranges{{0, 0}, {2, 2}});
  CHECK(ranges_of("bytes=,,0-0,,", 10) == Ranges{{0, 0}});
  CHECK(ranges_of("Bytes=0-0", 10) == Ranges{{0, 0}});
}

TEST_CASE("range: another unit, and what is malformed, is ignored as a whole") {
  for (const std::string_view value : {"",
                                       "bytes",
                                       "bytes=",
                                       "bytes=,",
                                       "bytes 0-1",
                                       "bytes =0-1",
                                       "items=0-1",
                                       "byte=0-1",
                                       "bytess=0-1",
                                       "bytes=1",
                                       "bytes=-",
                                       "bytes=--1",
                                       "bytes=a-b",
                                       "bytes=0-b",
                                       "bytes=0x1-2",
                                       "bytes=0--1",
                                       "bytes=+0-1",
                                       "bytes=0-1-2",
                                       "bytes=2-1",
                                       "bytes=0 -1",
                                       "bytes=0- 1",
                                       "bytes=0-1;2",
                                       "bytes=0-1 2-3",
                                       "bytes=*",
                                       "bytes=0-0,x",
                                       "bytes=x,0-0",
                                       "bytes=0-0,5",
                                       "bytes=0-0,2-1",
                                       "bytes=10-9",
                                       "bytes=20-,9-8"}) {
    CAPTURE(value);
    CHECK(parse_ranges(value, 10).outcome() == Outcome::ignored);
  }
}

TEST_CASE("range: a number too large for any file does not wrap around") {
  CHECK(ranges_of("bytes=0-18446744073709551615", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=0-18446744073709551616", 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=5-" + std::string(1000, '9'), 10) == Ranges{{5, 9}});
  CHECK(ranges_of("bytes=-" + std::string(1000, '9'), 10) == Ranges{{0, 9}});
  CHECK(ranges_of("bytes=" + std::string(1000, '0') + "5-5", 10) == Ranges{{5, 5}});
  CHECK(parse_ranges("bytes=18446744073709551616-", 10).outcome() == Outcome::unsatisfiable);
  CHECK(parse_ranges("bytes=18446744073709551617-18446744073709551617", 10).outcome() ==
        Outcome::unsatisfiable);
  CHECK(ranges_of("bytes=0-,-1", kMax) == Ranges{{0, kMax - 1}});
  CHECK(ranges_of("bytes=0-0,18446744073709551614-", kMax) == Ranges{{0, 0}, {kMax - 1, kMax - 1}});
}

TEST_CASE("range: as many as the limit are read, one more makes the field ignored") {
  CHECK(ranges_of(separate_ranges(kRangesMax - 1), 1000).size() == kRangesMax - 1);
  CHECK(ranges_of(separate_ranges(kRangesMax), 1000).size() == kRangesMax);
  CHECK(parse_ranges(separate_ranges(kRangesMax + 1), 1000).outcome() == Outcome::ignored);
  // Those that would have been merged, or cannot be satisfied, count as well.
  CHECK(parse_ranges(separate_ranges(kRangesMax) + ",0-", 1000).outcome() == Outcome::ignored);
  CHECK(parse_ranges(separate_ranges(kRangesMax) + ",2000-", 1000).outcome() == Outcome::ignored);
  CHECK(parse_ranges(separate_ranges(kRangesMax + 1), 1000, 100).outcome() == Outcome::ignored);
  CHECK(parse_ranges("bytes=0-0,2-2", 1000, 2).outcome() == Outcome::satisfiable);
  CHECK(parse_ranges("bytes=0-0,2-2", 1000, 1).outcome() == Outcome::ignored);
  CHECK(parse_ranges("bytes=0-0", 1000, 0).outcome() == Outcome::ignored);
}

TEST_CASE("range: Content-Range says which part of what, or only of what [RFC 9110 §14.4]") {
  Arena arena;
  CHECK(content_range({0, 499}, 1234, arena) == "bytes 0-499/1234");
  CHECK(content_range({kMax - 2, kMax - 1}, kMax, arena) ==
        "bytes 18446744073709551613-18446744073709551614/18446744073709551615");
  CHECK(unsatisfied_content_range(47022, arena) == "bytes */47022");
  CHECK(unsatisfied_content_range(0, arena) == "bytes */0");
}

}  // namespace
}  // namespace stadion::http
