// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// The bytes as text, with '=' at its end where it needs it: three bytes become four characters.
///
/// Lifetime   The text lives in the arena.
/// Throws     ArenaFailed.
/// Source     RFC 4648 section 4.
std::string_view base64_encode(std::string_view bytes, Arena& arena);

/// What the text stands for; none when it is anything but what base64_encode() would write for it:
/// without its '=', with white space or another alphabet's characters, or with bits set that belong
/// to no byte. So each sequence of bytes has one text only.
///
/// Lifetime   The bytes live in the arena.
/// Throws     ArenaFailed.
/// Source     RFC 4648 sections 3.2, 3.3, 3.5 and 4.
std::optional<std::string_view> base64_decode(std::string_view text, Arena& arena);

}  // namespace stadion::http
