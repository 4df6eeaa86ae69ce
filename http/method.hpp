// SPDX-License-Identifier: MIT
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stadion::http {

/// The request methods of RFC 9110 section 9.3 and RFC 5789. Others, and CONNECT, are answered
/// with 501.
enum class Method : std::uint8_t { get, head, post, put, delete_, connect, options, trace, patch };

inline constexpr std::size_t kMethodCount = 9;
using MethodSet = std::bitset<kMethodCount>;  ///< Method by method, in the order above.

/// As it stands in a request: "GET".
std::string_view to_string(Method method) noexcept;

/// Methods are case-sensitive: none for "get".
std::optional<Method> parse_method(std::string_view text) noexcept;

}  // namespace stadion::http
