// SPDX-License-Identifier: MIT
#include "http/accept.hpp"

#include <algorithm>
#include <optional>

#include "http/characters.hpp"

namespace stadion::http {
namespace {

/// "0.5" as 500 (RFC 9110 section 12.4.2).
std::optional<int> parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
      (text.size() > 1 && text[1] != '.')) {
    return std::nullopt;
  }
  int weight = (text[0] - '0') * 1000;
  int place = 100;
  for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (!is_digit(digit)) {
      return std::nullopt;
    }
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

/// The weight behind an element's ';'; 1000 without.
std::optional<int> weight_of(std::string_view parameters) noexcept {
  parameters = trim_whitespace(parameters);
  if (parameters.empty()) {
    return 1000;
  }
  if (parameters.size() < 2 || to_lower(parameters[0]) != 'q' || parameters[1] != '=') {
    return std::nullopt;
  }
  return parse_weight(parameters.substr(2));
}

/// What a list, or several, say of one coding.
struct Opinion {
  std::optional<int> named;
  std::optional<int> others;  ///< By "*".

  void read(std::string_view list, std::string_view coding) noexcept {
    for_each_list_element(list, [&](std::string_view element) {
      const std::size_t semicolon = element.find(';');
      const std::string_view name = trim_whitespace(element.substr(0, semicolon));
      const std::optional<int> weight = weight_of(
          semicolon == std::string_view::npos ? std::string_view() : element.substr(semicolon + 1));
      if (weight.has_value() && equals_ignoring_case(name, coding)) {
        named = weight;
      } else if (weight.has_value() && name == "*") {
        others = weight;
      }
      return true;
    });
  }

  int quality(std::string_view coding) const noexcept {
    const int unnamed = equals_ignoring_case(coding, "identity") ? 1 : 0;
    return named.value_or(others.value_or(unnamed));
  }
};

}  // namespace

int quality_of(std::string_view accept_encoding, std::string_view coding) noexcept {
  Opinion opinion;
  opinion.read(accept_encoding, coding);
  return opinion.quality(coding);
}

int accepted_quality(const Fields& fields, std::string_view field_name,
                     std::string_view coding) noexcept {
  Opinion opinion;
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, field_name)) {
      opinion.read(field.value, coding);
    }
  }
  return opinion.quality(coding);
}

}  // namespace stadion::http
