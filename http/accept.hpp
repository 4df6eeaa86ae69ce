// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "http/fields.hpp"

namespace stadion::http {

/// How much a client wants one of the things that a list such as "br, gzip;q=0.8, *;q=0.1" names:
/// from 0, not at all, to 1000.
///
/// What the list does not name has the quality of "*", and 0 without one; but "identity" then has
/// 1, the least: it is acceptable unless excluded. An element with a malformed weight, or with
/// parameters beside it, is passed over; of several for one name the first counts.
///
/// Source     RFC 9110 sections 12.4.2 and 12.5.3.
int quality_of(std::string_view accept_encoding_value, std::string_view coding) noexcept;

/// The same over all lines of a field, as if they were one list (RFC 9110 section 5.3). Without the
/// field everything is acceptable: 1000.
int accepted_quality(const Fields& fields, std::string_view field_name,
                     std::string_view token) noexcept;

}  // namespace stadion::http
