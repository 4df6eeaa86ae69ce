// SPDX-License-Identifier: MIT
#include "http/part_parameters.hpp"

#include <array>

namespace stadion::http {
namespace {

struct Escape {
  std::string_view text;
  char byte;
};
/// What HTML has for names in forms, and RFC 9110 section 5.6.4 for strings in quotes.
constexpr std::array<Escape, 5> kEscapes{{
    {"%22", '"'},
    {"%0D", '\r'},
    {"%0A", '\n'},
    {"\\\"", '"'},
    {"\\\\", '\\'},
}};

/// The escape that the text begins with, or null.
const Escape* escape_at(std::string_view text) noexcept {
  const auto escape = std::find_if(kEscapes.begin(), kEscapes.end(), [text](const Escape& each) {
    return text.starts_with(each.text);
  });
  return escape == kEscapes.end() ? nullptr : &*escape;
}

/// Where the quotes end that the text begins with.
std::size_t end_of_quotes(std::string_view text) noexcept {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    const Escape* const escape = escape_at(text.substr(at));
    at += escape != nullptr ? escape->text.size() : 1;
  }
  return at < text.size() ? at : std::string_view::npos;
}

}  // namespace

std::optional<PartParameter> take_part_parameter(std::string_view& rest) noexcept {
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || !is_token(rest.substr(0, equals))) {
    return std::nullopt;
  }
  const std::string_view name = rest.substr(0, equals);
  rest.remove_prefix(equals + 1);
  if (rest.starts_with('"')) {
    const std::size_t end = end_of_quotes(rest);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view text = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return PartParameter{name, text, true};
  }
  const std::string_view token = rest.substr(0, rest.find_first_of("; \t"));
  rest.remove_prefix(token.size());
  return is_token(token) ? std::optional(PartParameter{name, token, false}) : std::nullopt;
}

std::size_t decode_quoted(std::string_view quoted, char* decoded) noexcept {
  char* end = decoded;
  while (!quoted.empty()) {
    const Escape* const escape = escape_at(quoted);
    *end++ = escape != nullptr ? escape->byte : quoted.front();
    quoted.remove_prefix(escape != nullptr ? escape->text.size() : 1);
  }
  return static_cast<std::size_t>(end - decoded);
}

}  // namespace stadion::http
