// SPDX-License-Identifier: MIT
// Dates and entity tags: what is understood reads the same once more when it is written anew, and
// conditions hold for the state that they name. The input is a field's value.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/arena.hpp"
#include "http/conditional.hpp"
#include "http/date.hpp"
#include "http/entity_tag.hpp"
#include "http/fields.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using namespace stadion::http;
using stadion::Arena;
using stadion::tests::expect;

constexpr std::time_t kNow = 1'800'000'000;

void check_date(std::string_view value) {
  const auto time = parse_http_date(value, kNow);
  if (time.has_value() && *time >= 0) {
    expect(parse_http_date(HttpDate(*time).text(), kNow) == time,
           "a date is that time when written");
  }
}

void check_entity_tag(std::string_view value, Arena& arena) {
  const auto tag = parse_entity_tag(value);
  if (tag.has_value()) {
    expect(to_field_value(*tag, arena) == value, "an entity tag is written as it was read");
    expect(any_matches(value, *tag, weak_match), "a tag is in the list of itself");
    expect(strong_match(*tag, *tag) != tag->is_weak, "a weak tag matches none strongly");
  }
}

Precondition outcome(Method method, std::string_view name, std::string_view value,
                     const Validators& validators, Arena& arena) {
  Fields fields(arena);
  fields.add(name, value);
  const Precondition outcome = evaluate_preconditions(method, fields, validators);
  (void)if_range_holds(fields, validators);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  Arena arena;
  check_date(value);
  check_entity_tag(value, arena);

  const Validators validators{.entity_tag = EntityTag{.opaque = "v1"},
                              .last_modified = 1'000'000'000};
  const auto ask = [&](Method method, std::string_view name) {
    return outcome(method, name, value, validators, arena);
  };
  expect(ask(Method::get, "If-None-Match") != Precondition::failed, "a GET is answered by 304");
  expect(ask(Method::put, "If-None-Match") != Precondition::not_modified, "a PUT is not");
  expect(ask(Method::put, "If-Modified-Since") == Precondition::proceed,
         "If-Modified-Since is for GET and HEAD");
  expect(ask(Method::get, "If-Match") != Precondition::not_modified, "If-Match fails by 412");
  const bool is_listed = any_matches(value, *validators.entity_tag, strong_match);
  expect((ask(Method::get, "If-Match") == Precondition::proceed) == is_listed,
         "If-Match is what the list says");
  (void)ask(Method::get, "If-Range");
  return 0;
}
