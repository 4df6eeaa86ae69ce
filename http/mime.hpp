// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace stadion::http {

/// The media type of a file by its name's ending: "text/html; charset=utf-8";
/// "application/octet-stream" when unknown.
std::string_view media_type_of(std::string_view file_name) noexcept;

/// Whether a content coding makes bodies of this Content-Type smaller, as it does text, JSON and
/// XML of any name; not for what is compressed already, and unknown types. Parameters do not matter.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace stadion::http
