// SPDX-License-Identifier: MIT
#include "http/content_coding.hpp"

#include "http/fields.hpp"

namespace stadion::http {

std::string_view to_string(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::identity: return "identity";
    case ContentCoding::gzip: return "gzip";
    case ContentCoding::br: return "br";
    case ContentCoding::zstd: return "zstd";
  }
  return {};
}

std::optional<ContentCoding> parse_content_coding(std::string_view text) noexcept {
  for (const ContentCoding coding :
       {ContentCoding::identity, ContentCoding::gzip, ContentCoding::br, ContentCoding::zstd}) {
    if (equals_ignoring_case(text, to_string(coding))) {
      return coding;
    }
  }
  if (equals_ignoring_case(text, "x-gzip")) {
    return ContentCoding::gzip;
  }
  return std::nullopt;
}

bool is_available(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::identity:
#ifdef STADION_HTTP_GZIP
    case ContentCoding::gzip:
#endif
#ifdef STADION_HTTP_BROTLI
    case ContentCoding::br:
#endif
#ifdef STADION_HTTP_ZSTD
    case ContentCoding::zstd:
#endif
      return true;
    default: return false;
  }
}

}  // namespace stadion::http
