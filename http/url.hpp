// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// The text with each %XX replaced by its byte; none when an escape is malformed, or stands for
/// NUL. Without an escape it is the text itself, else a copy in the arena. Throws ArenaFailed. (RFC
/// 3986 section 2.1)
std::optional<std::string_view> percent_decode(std::string_view text, Arena& arena);

/// The same for query parameters, where '+' stands for a space (application/x-www-form-urlencoded).
std::optional<std::string_view> form_decode(std::string_view text, Arena& arena);

/// The decoded value of the first parameter of that name in a query such as "a=1&b=2": empty for a
/// parameter without
/// '=', none when there is no such parameter or its escapes are malformed.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name,
                                                Arena& arena);

}  // namespace stadion::http
