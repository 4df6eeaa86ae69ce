// SPDX-License-Identifier: MIT
#include "http/accept.hpp"

#include <optional>

#include "http/characters.hpp"

namespace stadion::http {
namespace {

constexpr int kQualityMax = 1000;

/// "0.8" gives 800: at most three digits behind the point, and none beyond 1 (RFC 9110 section
/// 12.4.2).
std::optional<int> parse_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
      (text.size() > 1 && text[1] != '.')) {
    return std::nullopt;
  }
  int quality = (text[0] - '0') * kQualityMax;
  int worth = kQualityMax / 10;
  for (const char digit : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!is_digit(digit)) {
      return std::nullopt;
    }
    quality += (digit - '0') * worth;
    worth /= 10;
  }
  return quality <= kQualityMax ? std::optional(quality) : std::nullopt;
}

/// What is behind an element's ';': "q=0.8".
std::optional<int> parse_weight(std::string_view parameters) noexcept {
  parameters = trim_whitespace(parameters);
  if (!equals_ignoring_case(parameters.substr(0, 2), "q=")) {
    return std::nullopt;
  }
  return parse_quality(parameters.substr(2));
}

/// What the lines seen so far say about one token.
struct Wanted {
  std::optional<int> by_name;
  std::optional<int> by_star;

  void read(std::string_view list, std::string_view token) noexcept {
    for_each_list_element(list, [&](std::string_view element) {
      const std::size_t semicolon = element.find(';');
      const std::string_view name = trim_whitespace(element.substr(0, semicolon));
      const bool is_star = name == "*";
      if (is_star || equals_ignoring_case(name, token)) {
        const std::optional<int> quality = semicolon == std::string_view::npos
                                               ? kQualityMax
                                               : parse_weight(element.substr(semicolon + 1));
        std::optional<int>& wanted = is_star ? by_star : by_name;
        wanted = wanted.has_value() ? wanted : quality;
      }
      return true;
    });
  }

  int quality(std::string_view token) const noexcept {
    return by_name.value_or(by_star.value_or(equals_ignoring_case(token, "identity") ? 1 : 0));
  }
};

}  // namespace

int quality_of(std::string_view accept_encoding_value, std::string_view coding) noexcept {
  Wanted wanted;
  wanted.read(accept_encoding_value, coding);
  return wanted.quality(coding);
}

int accepted_quality(const Fields& fields, std::string_view field_name,
                     std::string_view token) noexcept {
  Wanted wanted;
  bool is_there = false;
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, field_name)) {
      is_there = true;
      wanted.read(field.value, token);
    }
  }
  return is_there ? wanted.quality(token) : kQualityMax;
}

}  // namespace stadion::http
