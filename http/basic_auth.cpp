// SPDX-License-Identifier: MIT
#include "http/basic_auth.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <stdexcept>

#include "http/base64.hpp"
#include "http/fields.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kScheme = "Basic";

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool is_printable(char c) noexcept { return c >= ' ' && c < 0x7F; }

/// All bits set where the number is below the bound, and none where it is not; without a branch,
/// which a comparison could become.
std::size_t mask_if_below(std::size_t number, std::size_t bound) noexcept {
  // Sizes of texts are far below half of what a size_t holds, so that the difference's first bit is
  // its sign.
  return std::size_t{0} - ((number - bound) >> (std::numeric_limits<std::size_t>::digits - 1));
}

}  // namespace

std::optional<BasicCredentials> parse_basic_credentials(std::string_view authorization,
                                                        Arena& arena) {
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  if (!equals_ignoring_case(scheme, kScheme)) {
    return std::nullopt;
  }
  std::string_view token = authorization.substr(kScheme.size());
  const std::size_t spaces = std::min(token.find_first_not_of(' '), token.size());
  if (spaces == 0) {
    return std::nullopt;
  }
  token.remove_prefix(spaces);
  const std::optional<std::string_view> decoded = base64_decode(token, arena);
  if (!decoded || std::any_of(decoded->begin(), decoded->end(), is_control)) {
    return std::nullopt;
  }
  // The first colon ends the user: a password may have more of them.
  const std::size_t colon = decoded->find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  return BasicCredentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::string_view basic_challenge(std::string_view realm, Arena& arena) {
  constexpr std::string_view kBefore = "Basic realm=\"";
  constexpr std::string_view kBehind = "\", charset=\"UTF-8\"";
  if (realm.empty() || !std::all_of(realm.begin(), realm.end(), is_printable)) {
    throw std::invalid_argument("a realm must be printable ASCII, and not empty");
  }
  const std::size_t bytes_max = kBefore.size() + 2 * realm.size() + kBehind.size();
  char* const text = static_cast<char*>(arena.alloc(bytes_max, 1));
  char* at = std::copy(kBefore.begin(), kBefore.end(), text);
  for (const char c : realm) {
    if (c == '"' || c == '\\') {
      *at++ = '\\';  // A quoted-pair, RFC 9110 section 5.6.4.
    }
    *at++ = c;
  }
  at = std::copy(kBehind.begin(), kBehind.end(), at);
  return {text, static_cast<std::size_t>(at - text)};
}

bool equal_in_constant_time(std::string_view secret, std::string_view given) noexcept {
  const char* const bytes = secret.empty() ? "" : secret.data();
  std::size_t difference = secret.size() ^ given.size();
  std::size_t at = 0;
  for (const char c : given) {
    difference |= static_cast<unsigned char>(bytes[at] ^ c);
    // Hides the value from the compiler, which could otherwise leave the loop early.
    asm volatile("" : "+r"(difference));
    ++at;
    at &= mask_if_below(at, secret.size());
  }
  return difference == 0;
}

}  // namespace stadion::http
