// SPDX-License-Identifier: MIT
#include <stadion/http/json.hpp>

/// Linked into the consumer where stadion::json is there: ends the program when it does not work.
static const bool reads_json = [] {
  stadion::Arena arena;
  const stadion::http::JsonResult json = stadion::http::parse_json("[42]", arena);
  return json && stadion::http::to_json(json.value(), arena) == "[42]" ? true : throw "no JSON";
}();
