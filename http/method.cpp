// SPDX-License-Identifier: MIT
#include "http/method.hpp"

#include <algorithm>
#include <array>

namespace stadion::http {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames{
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

}  // namespace

std::string_view to_string(Method method) noexcept {
  return kNames[static_cast<std::size_t>(method)];
}

std::optional<Method> parse_method(std::string_view text) noexcept {
  if (text == "GET") {
    return Method::get;  // Nearly all.
  }
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) {
    return std::nullopt;
  }
  return static_cast<Method>(found - kNames.begin());
}

}  // namespace stadion::http
