// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// Names one representation of a resource: `"v1"`, or weakly `W/"v1"` (RFC 9110 section 8.8.3).
///
/// Lifetime   A view of what it was parsed from or made of.
struct EntityTag {
  std::string_view opaque;  ///< Without its quotes; may be empty.
  bool is_weak = false;
};

/// None unless the whole text is one entity tag.
std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept;

/// Whether both are strong and the same: the representations equal each other byte by byte (RFC
/// 9110 section 8.8.3.2).
bool strong_match(const EntityTag& left, const EntityTag& right) noexcept;
/// Whether they are the same, weak or not.
bool weak_match(const EntityTag& left, const EntityTag& right) noexcept;

/// Whether the field value of an If-Match or If-None-Match names the tag; "*" names every one. What
/// is no entity tag in it matches none.
bool any_matches(std::string_view list, const EntityTag& tag,
                 bool (*match)(const EntityTag&, const EntityTag&)) noexcept;

/// As it stands in a field: `W/"v1"`.
///
/// Throws     std::invalid_argument for a character that an entity tag can't have; ArenaFailed.
std::string_view to_field_value(const EntityTag& tag, Arena& arena);

}  // namespace stadion::http
