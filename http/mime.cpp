// SPDX-License-Identifier: MIT
#include "http/mime.hpp"

#include <algorithm>
#include <array>

#include "http/fields.hpp"

namespace stadion::http {
namespace {

struct MediaType {
  std::string_view ending;
  std::string_view type;
};

constexpr std::array kMediaTypes{
    MediaType{"avif", "image/avif"},
    MediaType{"css", "text/css; charset=utf-8"},
    MediaType{"csv", "text/csv; charset=utf-8"},
    MediaType{"gif", "image/gif"},
    MediaType{"gz", "application/gzip"},
    MediaType{"htm", "text/html; charset=utf-8"},
    MediaType{"html", "text/html; charset=utf-8"},
    MediaType{"ico", "image/vnd.microsoft.icon"},
    MediaType{"jpeg", "image/jpeg"},
    MediaType{"jpg", "image/jpeg"},
    MediaType{"js", "text/javascript; charset=utf-8"},
    MediaType{"json", "application/json"},
    MediaType{"md", "text/markdown; charset=utf-8"},
    MediaType{"mjs", "text/javascript; charset=utf-8"},
    MediaType{"mp3", "audio/mpeg"},
    MediaType{"mp4", "video/mp4"},
    MediaType{"otf", "font/otf"},
    MediaType{"pdf", "application/pdf"},
    MediaType{"png", "image/png"},
    MediaType{"svg", "image/svg+xml"},
    MediaType{"ttf", "font/ttf"},
    MediaType{"txt", "text/plain; charset=utf-8"},
    MediaType{"wasm", "application/wasm"},
    MediaType{"webm", "video/webm"},
    MediaType{"webp", "image/webp"},
    MediaType{"woff", "font/woff"},
    MediaType{"woff2", "font/woff2"},
    MediaType{"xml", "application/xml"},
    MediaType{"zip", "application/zip"},
};

/// Besides text/*, and what ends in +json, +xml or +yaml (RFC 6838 section 4.2.8).
constexpr std::array kCompressibleTypes = std::to_array<std::string_view>({
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
});

bool begins_with_ignoring_case(std::string_view text, std::string_view beginning) {
  return equals_ignoring_case(text.substr(0, beginning.size()), beginning);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() &&
         equals_ignoring_case(text.substr(text.size() - ending.size()), ending);
}

}  // namespace

std::string_view media_type_of(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string_view ending = file_name.substr(dot + 1);
    const auto found = std::find_if(
        kMediaTypes.begin(), kMediaTypes.end(),
        [ending](const MediaType& known) { return equals_ignoring_case(known.ending, ending); });
    if (found != kMediaTypes.end()) {
      return found->type;
    }
  }
  return "application/octet-stream";
}

bool is_compressible(std::string_view content_type) noexcept {
  const std::string_view type = trim_whitespace(content_type.substr(0, content_type.find(';')));
  return begins_with_ignoring_case(type, "text/") || ends_with_ignoring_case(type, "+json") ||
         ends_with_ignoring_case(type, "+xml") || ends_with_ignoring_case(type, "+yaml") ||
         std::any_of(kCompressibleTypes.begin(), kCompressibleTypes.end(),
                     [type](std::string_view known) { return equals_ignoring_case(known, type); });
}

}  // namespace stadion::http
