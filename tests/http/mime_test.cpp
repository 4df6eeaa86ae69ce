// SPDX-License-Identifier: MIT
#include "http/mime.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("mime: by the name's ending, whatever its case") {
  CHECK(media_type_of("index.html") == "text/html; charset=utf-8");
  CHECK(media_type_of("INDEX.HTML") == "text/html; charset=utf-8");
  CHECK(media_type_of("a.b.css") == "text/css; charset=utf-8");
  CHECK(media_type_of("x.js") == "text/javascript; charset=utf-8");
  CHECK(media_type_of("x.json") == "application/json");
  CHECK(media_type_of("x.png") == "image/png");
  CHECK(media_type_of("x.jpg") == media_type_of("x.jpeg"));
  CHECK(media_type_of("x.svg") == "image/svg+xml");
  CHECK(media_type_of("x.wasm") == "application/wasm");
  CHECK(media_type_of("x.woff2") == "font/woff2");
  CHECK(media_type_of(".txt") == "text/plain; charset=utf-8");
}

TEST_CASE("mime: without a known ending it is bytes") {
  for (const std::string_view name :
       {"", "html", "name.", "name.unknown", "name.htm_", "x.html.bak", "x.tml", "x.htmll"}) {
    CAPTURE(name);
    CHECK(media_type_of(name) == "application/octet-stream");
  }
}

}  // namespace
}  // namespace stadion::http
