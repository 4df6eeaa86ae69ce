// SPDX-License-Identifier: MIT
// Whatever a Range field says, the ranges are within the file, apart, and no more than allowed. The
// input's first two bytes are the file's size and the most ranges, the rest is the field's value.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/range.hpp"
#include "tests/fuzz/expect.hpp"

using stadion::http::ByteRange;
using stadion::http::parse_ranges;
using stadion::http::RangeSet;
using stadion::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::uint64_t file_bytes = data[0];
  const std::size_t ranges_max = data[1] % (stadion::http::kRangesMax + 1);
  const std::string_view value(reinterpret_cast<const char*>(data) + 2, size - 2);
  const RangeSet set = parse_ranges(value, file_bytes, ranges_max);
  const auto ranges = set.ranges();
  expect(ranges.empty() == (set.outcome() != RangeSet::Outcome::satisfiable),
         "there are ranges where they can be given");
  expect(ranges.size() <= ranges_max, "there are no more than allowed");
  for (const ByteRange& range : ranges) {
    expect(range.first <= range.last && range.last < file_bytes, "a range is within the file");
    for (const ByteRange& other : ranges) {
      expect(&other == &range || other.last + 1 < range.first || range.last + 1 < other.first,
             "no two overlap or touch");
    }
  }
  if (set.outcome() != RangeSet::Outcome::ignored) {
    expect(value.size() > 6, "a unit and something behind it were there");
  }
  return 0;
}
