// SPDX-License-Identifier: MIT
#include "http/entity_tag.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "http/characters.hpp"
#include "http/fields.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kWeakPrefix = "W/";

/// etagc, RFC 9110 section 8.8.3.
constexpr bool is_entity_tag_character(char c) noexcept {
  return is_field_value_character(c) && !is_whitespace(c) && c != '"';
}

bool is_opaque(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_entity_tag_character);
}

/// Up to the first comma that is not between quotes. A quote can't be escaped in an entity tag.
std::string_view first_element(std::string_view list) noexcept {
  bool is_quoted = false;
  const auto end = std::find_if(list.begin(), list.end(), [&is_quoted](char c) {
    is_quoted = is_quoted != (c == '"');
    return c == ',' && !is_quoted;
  });
  return list.substr(0, static_cast<std::size_t>(end - list.begin()));
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept {
  EntityTag tag;
  // The W is case-sensitive.
  tag.is_weak = text.starts_with(kWeakPrefix);
  if (tag.is_weak) {
    text.remove_prefix(kWeakPrefix.size());
  }
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    return std::nullopt;
  }
  tag.opaque = text.substr(1, text.size() - 2);
  return is_opaque(tag.opaque) ? std::optional(tag) : std::nullopt;
}

bool strong_match(const EntityTag& left, const EntityTag& right) noexcept {
  return !left.is_weak && !right.is_weak && left.opaque == right.opaque;
}

bool weak_match(const EntityTag& left, const EntityTag& right) noexcept {
  return left.opaque == right.opaque;
}

bool any_matches(std::string_view list, const EntityTag& tag,
                 bool (*match)(const EntityTag&, const EntityTag&)) noexcept {
  while (!list.empty()) {
    const std::string_view part = first_element(list);
    const std::string_view element = trim_whitespace(part);
    if (element == "*") {
      return true;
    }
    const std::optional<EntityTag> other = parse_entity_tag(element);
    if (other && match(*other, tag)) {
      return true;
    }
    list.remove_prefix(std::min(part.size() + 1, list.size()));
  }
  return false;
}

std::string_view to_field_value(const EntityTag& tag, Arena& arena) {
  if (!is_opaque(tag.opaque)) {
    throw std::invalid_argument("an entity tag has a quote, a space or a control character");
  }
  const std::string_view prefix = tag.is_weak ? kWeakPrefix : std::string_view();
  const auto text = arena.make_array<char>(prefix.size() + tag.opaque.size() + 2);
  char* at = std::copy(prefix.begin(), prefix.end(), text.data());
  *at++ = '"';
  at = std::copy(tag.opaque.begin(), tag.opaque.end(), at);
  *at = '"';
  return {text.data(), text.size()};
}

}  // namespace stadion::http
