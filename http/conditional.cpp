// SPDX-License-Identifier: MIT
#include "http/conditional.hpp"

#include <algorithm>
#include <string_view>

#include "http/date.hpp"

namespace stadion::http {
namespace {

using Match = bool (*)(const EntityTag&, const EntityTag&);

bool no_match(const EntityTag&, const EntityTag&) noexcept { return false; }

bool is_read(Method method) noexcept { return method == Method::get || method == Method::head; }

/// Conditions mean nothing where no representation is selected or changed (RFC 9110
/// section 13.2.1).
bool has_preconditions(Method method) noexcept {
  return method != Method::connect && method != Method::options && method != Method::trace;
}

/// Whether any of the lines of that name lists the resource's entity tag, or "*".
bool lists_tag(const Fields& fields, std::string_view name, const std::optional<EntityTag>& tag,
               Match match) noexcept {
  const Match match_or_none = tag ? match : no_match;
  const EntityTag own = tag.value_or(EntityTag{});
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    return equals_ignoring_case(field.name, name) && any_matches(field.value, own, match_or_none);
  });
}

/// The value of the only field of that name.
std::optional<std::string_view> find_only(const Fields& fields, std::string_view name) noexcept {
  const auto is_named = [name](const Field& field) {
    return equals_ignoring_case(field.name, name);
  };
  return std::count_if(fields.begin(), fields.end(), is_named) == 1 ? fields.find(name)
                                                                    : std::nullopt;
}

/// Whether the resource changed after the date of that field; none where the field is to be ignored
/// (RFC 9110 sections 13.1.3 and 13.1.4).
std::optional<bool> changed_since(const Fields& fields, std::string_view name,
                                  const Validators& validators) noexcept {
  const std::optional<std::string_view> text = find_only(fields, name);
  const std::optional<std::time_t> date = text ? parse_http_date(*text) : std::nullopt;
  if (!date || !validators.last_modified) {
    return std::nullopt;
  }
  return *validators.last_modified > *date;
}

/// Steps 1 and 2 of RFC 9110 section 13.2.2.
bool is_expected_state(const Fields& fields, const Validators& validators) noexcept {
  if (fields.contains("If-Match")) {
    return lists_tag(fields, "If-Match", validators.entity_tag, strong_match);
  }
  return !changed_since(fields, "If-Unmodified-Since", validators).value_or(false);
}

/// Steps 3 and 4 of RFC 9110 section 13.2.2.
bool is_known_state(Method method, const Fields& fields, const Validators& validators) noexcept {
  if (fields.contains("If-None-Match")) {
    return lists_tag(fields, "If-None-Match", validators.entity_tag, weak_match);
  }
  return is_read(method) && !changed_since(fields, "If-Modified-Since", validators).value_or(true);
}

void set_validators(Response& response, const Validators& validators) {
  if (validators.entity_tag) {
    response.set_header("ETag", to_field_value(*validators.entity_tag, response.arena()));
  }
  if (validators.last_modified) {
    // Never later than the response itself (RFC 9110 section 8.8.2.1).
    const std::time_t time = std::min(*validators.last_modified, std::time(nullptr));
    response.set_header("Last-Modified", HttpDate(time).text());
  }
}

}  // namespace

Precondition evaluate_preconditions(Method method, const Fields& fields,
                                    const Validators& validators) noexcept {
  if (!has_preconditions(method)) {
    return Precondition::proceed;
  }
  if (!is_expected_state(fields, validators)) {
    return Precondition::failed;
  }
  if (!is_known_state(method, fields, validators)) {
    return Precondition::proceed;
  }
  return is_read(method) ? Precondition::not_modified : Precondition::failed;
}

bool if_range_holds(const Fields& fields, const Validators& validators) noexcept {
  if (!fields.contains("If-Range")) {
    return true;
  }
  const std::string_view text = find_only(fields, "If-Range").value_or(std::string_view());
  if (const std::optional<EntityTag> tag = parse_entity_tag(text)) {
    return validators.entity_tag && strong_match(*tag, *validators.entity_tag);
  }
  const std::optional<std::time_t> date = parse_http_date(text);
  return date && date == validators.last_modified;
}

bool answer_preconditions(const Request& request, Response& response,
                          const Validators& validators) {
  const Precondition precondition =
      evaluate_preconditions(request.method(), request.headers(), validators);
  // A change that goes on makes a new state, which these do not name (RFC 9110 section 9.3.4).
  if (is_read(request.method()) || precondition == Precondition::failed) {
    set_validators(response, validators);
  }
  switch (precondition) {
    case Precondition::proceed: return false;
    case Precondition::not_modified:
      response.status(Status::not_modified).body_by_reference({}, {});
      return true;
    case Precondition::failed:
      response.status(Status::precondition_failed).text("Precondition failed.\n");
      return true;
  }
  return false;
}

}  // namespace stadion::http
