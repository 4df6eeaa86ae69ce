// SPDX-License-Identifier: MIT
#include "http/range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "http/characters.hpp"
#include "http/fields.hpp"
#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kUnit = "bytes=";

/// The number, or the largest one where it is larger: no file has as many bytes either way.
std::optional<std::uint64_t> parse_position(std::string_view digits) noexcept {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return std::nullopt;
  }
  constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t position = 0;
  for (const char digit : digits) {
    const auto value = static_cast<std::uint64_t>(digit - '0');
    position = position > (max - value) / 10 ? max : position * 10 + value;
  }
  return position;
}

enum class Spec : std::uint8_t { malformed, unsatisfiable, empty, satisfiable };

/// "-500": so many bytes at the end, or all where there are fewer. That many of an empty file can
/// be satisfied (RFC 9110 section 14.1.2), but no Content-Range can say so.
Spec parse_suffix(std::string_view digits, std::uint64_t size, ByteRange& range) noexcept {
  const std::optional<std::uint64_t> length = parse_position(digits);
  if (!length.has_value()) {
    return Spec::malformed;
  }
  if (*length == 0) {
    return Spec::unsatisfiable;
  }
  if (size == 0) {
    return Spec::empty;
  }
  range = {.first = size - std::min(*length, size), .last = size - 1};
  return Spec::satisfiable;
}

/// "0-499", "500-" and "-500".
Spec parse_spec(std::string_view spec, std::uint64_t size, ByteRange& range) noexcept {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) {
    return Spec::malformed;
  }
  if (dash == 0) {
    return parse_suffix(spec.substr(1), size, range);
  }
  const std::optional<std::uint64_t> first = parse_position(spec.substr(0, dash));
  std::optional<std::uint64_t> last = std::numeric_limits<std::uint64_t>::max();
  if (dash + 1 < spec.size()) {
    last = parse_position(spec.substr(dash + 1));
  }
  if (!first.has_value() || !last.has_value() || *last < *first) {
    return Spec::malformed;
  }
  if (*first >= size) {
    return Spec::unsatisfiable;
  }
  range = {.first = *first, .last = std::min(*last, size - 1)};
  return Spec::satisfiable;
}

bool overlap_or_touch(ByteRange left, ByteRange right) noexcept {
  // A last byte is smaller than a file's size, so that one more cannot overflow.
  return left.first <= right.last + 1 && right.first <= left.last + 1;
}

}  // namespace

/// Takes in every range that the new one meets, at the place of the first of them.
void RangeSet::add(ByteRange range) noexcept {
  std::size_t kept = 0;
  std::size_t place = count_;
  for (std::size_t i = 0; i < count_; ++i) {
    if (overlap_or_touch(ranges_[i], range)) {
      range = {std::min(range.first, ranges_[i].first), std::max(range.last, ranges_[i].last)};
      place = place == count_ ? kept++ : place;
    } else {
      ranges_[kept++] = ranges_[i];
    }
  }
  place = place == count_ ? kept++ : place;
  ranges_[place] = range;
  count_ = kept;
}

RangeSet parse_ranges(std::string_view value, std::uint64_t size, std::size_t ranges_max) {
  if (!equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) {
    return {};
  }
  RangeSet set;
  std::size_t specs = 0;
  bool is_ignored = false;
  for_each_list_element(value.substr(kUnit.size()), [&](std::string_view element) {
    ByteRange range;
    const Spec spec = parse_spec(element, size, range);
    is_ignored = ++specs > std::min(ranges_max, kRangesMax) || spec == Spec::malformed ||
                 spec == Spec::empty;
    if (spec == Spec::satisfiable && !is_ignored) {
      set.add(range);
    }
    return !is_ignored;
  });
  if (is_ignored || specs == 0) {
    return {};
  }
  set.outcome_ = set.count_ > 0 ? RangeSet::Outcome::satisfiable : RangeSet::Outcome::unsatisfiable;
  return set;
}

std::string_view content_range(ByteRange range, std::uint64_t size, Arena& arena) {
  TextBuilder text(arena, 72);
  text.add("bytes ").add_number(range.first).add('-').add_number(range.last);
  return text.add('/').add_number(size).text();
}

std::string_view unsatisfied_content_range(std::uint64_t size, Arena& arena) {
  return TextBuilder(arena, 32).add("bytes */").add_number(size).text();
}

}  // namespace stadion::http
