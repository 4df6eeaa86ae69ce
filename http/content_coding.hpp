// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace stadion::http {

/// How a body may be compressed on its way (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
enum class ContentCoding : std::uint8_t { identity, gzip, br, zstd };

/// As it stands in Content-Encoding: "gzip".
std::string_view to_string(ContentCoding coding) noexcept;

/// Without case, and "x-gzip" is gzip (RFC 9110 section 8.4.1.3); none for a coding that is not of
/// these. Names also those that are not available.
std::optional<ContentCoding> parse_content_coding(std::string_view text) noexcept;

/// Whether this build has the coding's library; identity needs none.
bool is_available(ContentCoding coding) noexcept;

}  // namespace stadion::http
