// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON as text, put together from its parts.
namespace stadion::bench {

std::string json_quoted(std::string_view text);
/// null where there is none.
std::string json_number(std::optional<double> value);
std::string json_member(std::string_view name, const std::string& value);
std::string json_object(const std::vector<std::string>& members);
std::string json_array(const std::vector<std::string>& values);
std::string json_strings(const std::vector<std::string>& texts);

}  // namespace stadion::bench
