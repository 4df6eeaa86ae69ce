// SPDX-License-Identifier: MIT
// The input's lines are Cookie fields, and what to set: a byte of flags, a name, a value, a path
// and a domain, one a line. What is set must read back, with no attribute that was not asked for.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "http/cookie.hpp"
#include "http/fields.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using stadion::Arena;
using stadion::http::Cookie;
using stadion::http::Fields;
using stadion::http::SameSite;
using stadion::http::SetCookie;
using stadion::tests::expect;

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

void check_reading(std::string_view input) {
  Arena arena;
  Fields fields(arena);
  while (!input.empty()) {
    fields.add("Cookie", take_line(input));
  }
  std::set<std::string_view> names;
  for_each_cookie(fields, [&fields, &names](const Cookie& cookie) {
    expect(stadion::http::is_token(cookie.name), "a name is a token");
    expect(cookie.value.find_first_of(" \t,;\\\r\n") == std::string_view::npos, "a value is clean");
    if (names.insert(cookie.name).second) {
      expect(stadion::http::cookie(fields, cookie.name) == cookie.value, "the first is found");
    }
    return true;
  });
}

SetCookie cookie_of(std::string_view input) {
  const std::string_view flags = take_line(input);
  const unsigned bits = flags.empty() ? 0 : static_cast<unsigned char>(flags.front());
  SetCookie cookie{.name = take_line(input),
                   .value = take_line(input),
                   .path = take_line(input),
                   .domain = take_line(input)};
  cookie.secure = (bits & 1) != 0;
  cookie.http_only = (bits & 2) != 0;
  cookie.partitioned = (bits & 4) != 0;
  cookie.same_site = std::array{SameSite::strict, SameSite::lax, SameSite::none}[(bits >> 3) % 3];
  return cookie;
}

std::size_t attributes_of(const SetCookie& cookie) {
  const std::array asked{!cookie.path.empty(), !cookie.domain.empty(), cookie.secure,
                         cookie.http_only,     cookie.partitioned,     true};
  return static_cast<std::size_t>(std::count(asked.begin(), asked.end(), true));
}

void check_setting(const SetCookie& cookie) {
  Arena arena;
  std::string_view text;
  try {
    text = to_field_value(cookie, arena);
  } catch (const std::invalid_argument&) {
    return;
  }
  expect(stadion::http::is_field_value(text), "it may stand in a field");
  const auto separators = static_cast<std::size_t>(std::count(text.begin(), text.end(), ';'));
  expect(separators == attributes_of(cookie), "there is no other attribute");
  Fields fields(arena);
  fields.add("Cookie", text.substr(0, text.find(';')));
  expect(stadion::http::cookie(fields, cookie.name) == cookie.value, "it is read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_reading(input);
  check_setting(cookie_of(input));
  return 0;
}
