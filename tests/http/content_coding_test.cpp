// SPDX-License-Identifier: MIT
#include "http/content_coding.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("content coding: by its name, without case; x-gzip is gzip [RFC 9110 §8.4.1]") {
  CHECK(parse_content_coding("gzip") == ContentCoding::gzip);
  CHECK(parse_content_coding("GZip") == ContentCoding::gzip);
  CHECK(parse_content_coding("x-gzip") == ContentCoding::gzip);
  CHECK(parse_content_coding("br") == ContentCoding::br);
  CHECK(parse_content_coding("zstd") == ContentCoding::zstd);
  CHECK(parse_content_coding("identity") == ContentCoding::identity);
  for (const std::string_view other : {"", "gz", "gzip ", "deflate", "compress", "*", "brotli"}) {
    CAPTURE(other);
    CHECK_FALSE(parse_content_coding(other).has_value());
  }
}

TEST_CASE("content coding: every one has the name that it is parsed by") {
  for (const ContentCoding coding :
       {ContentCoding::identity, ContentCoding::gzip, ContentCoding::br, ContentCoding::zstd}) {
    CHECK(parse_content_coding(to_string(coding)) == coding);
  }
}

TEST_CASE("content coding: identity is always available") {
  CHECK(is_available(ContentCoding::identity));
}

}  // namespace
}  // namespace stadion::http
