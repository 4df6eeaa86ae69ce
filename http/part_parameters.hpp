// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "http/fields.hpp"

/// The parameters of `form-data; name="a"` and `multipart/form-data; boundary=x`, with the escapes
/// that browsers use in forms. Internal to http/.
///
/// Source     RFC 9110 section 5.6.6; HTML, "Multipart form data".
namespace stadion::http {

struct PartParameter {
  std::string_view name;
  /// As it was sent, without its quotes.
  std::string_view value;
  bool is_quoted;
};

/// Takes `name=token` or `name="text"` off the text; none when it is malformed.
std::optional<PartParameter> take_part_parameter(std::string_view& rest) noexcept;

/// Writes what stood in quotes to `decoded`, which has room for as many bytes; answers how many
/// there are. %22, %0D and %0A stand for '"', CR and LF, and a backslash escapes a '"' or a
/// backslash. Before anything else it is itself: browsers do not escape it, and some send
/// "C:\file".
std::size_t decode_quoted(std::string_view quoted, char* decoded) noexcept;

/// Calls `visit(parameter)` for each parameter behind the first ';'. False when one is malformed or
/// `visit` has answered false.
template <class Visit>
bool for_each_part_parameter(std::string_view value, Visit&& visit) noexcept {
  std::string_view rest = value.substr(std::min(value.find(';'), value.size()));
  while (!rest.empty()) {
    if (rest.front() != ';') {
      return false;
    }
    rest = trim_whitespace(rest.substr(1));
    if (rest.empty() || rest.front() == ';') {
      continue;
    }
    const std::optional<PartParameter> parameter = take_part_parameter(rest);
    if (!parameter || !visit(*parameter)) {
      return false;
    }
    rest = trim_whitespace(rest);
  }
  return true;
}

}  // namespace stadion::http
