// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "http/fields.hpp"

namespace stadion::http {

/// How much a client likes a content coding, by one value of Accept-Encoding: from 0, not at all, to
/// 1000. "*" stands for what is not named. "identity" is liked a little, 1, where nothing is said
/// against it, for then it is acceptable always. An element with a malformed weight is ignored.
///
/// Source     RFC 9110 sections 12.4.2 and 12.5.3.
int quality_of(std::string_view accept_encoding, std::string_view coding) noexcept;

/// The same over all fields of that name. Without the field only identity is acceptable: a client that
/// does not say that it decodes may not.
int accepted_quality(const Fields& fields, std::string_view field_name,
                     std::string_view coding) noexcept;

}  // namespace stadion::http
