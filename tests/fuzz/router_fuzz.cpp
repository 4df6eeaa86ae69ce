// SPDX-License-Identifier: MIT
// The router has to find what a comparison with each pattern finds. Each line of the input is a pattern,
// the last one a request's target.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/parser.hpp"
#include "http/route.hpp"
#include "http/router.hpp"
#include "http/url.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using namespace stadion::http;
using stadion::Arena;
using stadion::tests::expect;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// How specific each of a pattern's segments is: text, a parameter, the rest.
enum class Kind : std::uint8_t { rest, parameter, text };

Kind kind_of(std::string_view segment) {
  return segment.starts_with("{*")  ? Kind::rest
         : segment.starts_with('{') ? Kind::parameter
                                    : Kind::text;
}

std::vector<Kind> kinds_of(std::string_view pattern) {
  std::vector<Kind> kinds;
  for (const std::string_view segment : split(pattern.substr(1), '/')) {
    kinds.push_back(kind_of(segment));
  }
  return kinds;
}

bool matches(std::string_view pattern, std::string_view path, Arena& arena) {
  const auto wanted = split(pattern.substr(1), '/');
  const auto there = split(path.substr(1), '/');
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Kind kind = kind_of(wanted[i]);
    if (i == there.size()) {
      return false;
    }
    if (kind == Kind::rest) {
      return true;
    }
    if (kind == Kind::parameter ? there[i].empty() : percent_decode(there[i], arena) != wanted[i]) {
      return false;
    }
  }
  return wanted.size() == there.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines = split(input, '\n');
  const std::string target(lines.back());
  lines.pop_back();
  lines.resize(std::min<std::size_t>(lines.size(), 8));

  Router router;
  std::vector<std::string_view> patterns;
  for (const std::string_view line : lines) {
    try {
      router.routes().get(line, [](const Request&, Response&) {},
                          {.body_bytes_max = patterns.size()});
      patterns.push_back(line);
    } catch (const std::invalid_argument&) {
      continue;  // Nothing was added.
    }
  }

  Arena arena;
  const Limits limits;
  Parser parser(limits);
  parser.begin(arena);
  parser.feed("GET " + target + " HTTP/1.1\r\nHost: t\r\n\r\n");
  if (!parser.is_complete() || !parser.request()->raw_path().starts_with('/')) {
    return 0;
  }
  Request& request = *parser.request();
  const std::string_view path = request.raw_path();
  const RouteMatch match = router.match(request);
  if (!percent_decode(path, arena).has_value()) {
    expect(match.route == nullptr && match.status == Status::bad_request,
           "a malformed escape is refused");
    return 0;
  }
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (matches(patterns[i], path, arena) &&
        (!best.has_value() || kinds_of(patterns[i]) > kinds_of(patterns[*best]))) {
      best = i;
    }
  }
  expect((match.route == nullptr) == !best.has_value(), "a route is found where there is one");
  expect(match.route == nullptr || match.route->options.body_bytes_max == best,
         "the most specific one is found");
  return 0;
}
