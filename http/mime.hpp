// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace stadion::http {

/// The media type of a file by its name's ending: "text/html; charset=utf-8";
/// "application/octet-stream" when unknown.
std::string_view media_type_of(std::string_view file_name) noexcept;

}  // namespace stadion::http
