// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// The value of a Content-Disposition field by which a browser saves the body as a file of that
/// name:
///
///     response.header("Content-Disposition", attachment("résumé.pdf", request.arena()));
///
/// gives `attachment; filename="r_sum_.pdf"; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf`.
///
/// The name is taken as UTF-8; what is not becomes U+FFFD. Control characters, quotes, slashes and
/// backslashes become "_", so that the name is one of a file and in no folder. Without a name, none
/// is given.
///
/// Throws     ArenaFailed.
/// Source     RFC 6266, RFC 8187.
std::string_view attachment(std::string_view file_name, Arena& arena);

/// The same for a body to be shown: the name is for when it is saved nevertheless.
std::string_view inline_disposition(std::string_view file_name, Arena& arena);

}  // namespace stadion::http
