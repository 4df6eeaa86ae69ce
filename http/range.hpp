// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// From the first byte to the last, both included, counted from 0.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t size() const noexcept { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// How many ranges one request may ask for. Each costs a part of the response, so that a client
/// could otherwise make a small file's response large (RFC 9110 section 17.15).
inline constexpr std::size_t kRangesMax = 16;

/// What a Range field asks for: none of the file in particular, nothing that there is, or these
/// stretches of it.
///
/// No two of the ranges overlap or touch; they stand in the order in which they were asked for.
class RangeSet {
 public:
  enum class Outcome : std::uint8_t {
    ignored,        ///< Answer with the whole, and 200.
    unsatisfiable,  ///< Answer with 416 and unsatisfied_content_range().
    satisfiable,    ///< Answer with the ranges, and 206.
  };

  Outcome outcome() const noexcept { return outcome_; }
  /// Empty unless satisfiable.
  std::span<const ByteRange> ranges() const noexcept { return {ranges_.data(), count_}; }

 private:
  friend RangeSet parse_ranges(std::string_view value, std::uint64_t size, std::size_t ranges_max);

  void add(ByteRange range) noexcept;

  Outcome outcome_ = Outcome::ignored;
  std::size_t count_ = 0;
  std::array<ByteRange, kRangesMax> ranges_{};
};

/// Reads the value of a Range field for a representation of so many bytes. Another unit than bytes,
/// a malformed set, and one of more than `ranges_max` ranges (kRangesMax at the most) are ignored.
/// RFC 9110 sections 14.1 and 14.2.
RangeSet parse_ranges(std::string_view value, std::uint64_t size,
                      std::size_t ranges_max = kRangesMax);

/// "bytes 0-499/1234": where a part belongs. RFC 9110 section 14.4.
std::string_view content_range(ByteRange range, std::uint64_t size, Arena& arena);
/// "bytes */1234": for 416, how long the whole is. RFC 9110 section 14.4.
std::string_view unsatisfied_content_range(std::uint64_t size, Arena& arena);

}  // namespace stadion::http
