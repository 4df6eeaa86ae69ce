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

TEST_CASE("mime: text, JSON and XML of any name are compressible, whatever their case") {
  for (const std::string_view type :
       {"text/plain", "text/html; charset=utf-8", "TEXT/CSS", "text/event-stream",
        "application/json", "Application/JSON ; charset=utf-8", "application/problem+json",
        "application/javascript", "application/xml", "application/atom+xml", "image/svg+xml",
        "application/wasm", "image/vnd.microsoft.icon", "font/ttf", "application/x-ndjson"}) {
    CAPTURE(type);
    CHECK(is_compressible(type));
  }
}

TEST_CASE("mime: what is compressed already is not compressible, nor is the unknown") {
  for (const std::string_view type :
       {"", ";", "text", "image/png", "image/jpeg", "video/mp4", "audio/mpeg", "font/woff2",
        "application/zip", "application/gzip", "application/pdf", "application/octet-stream",
        "application/json2", "x-text/plain", "application/jsonx", "image/svg", "json"}) {
    CAPTURE(type);
    CHECK_FALSE(is_compressible(type));
  }
}

TEST_CASE("mime: of the types that files have, those are compressible that should be") {
  for (const std::string_view name :
       {"x.css", "x.csv", "x.htm", "x.html", "x.ico", "x.js", "x.json", "x.md", "x.mjs", "x.otf",
        "x.svg", "x.ttf", "x.txt", "x.wasm", "x.xml"}) {
    CAPTURE(name);
    CHECK(is_compressible(media_type_of(name)));
  }
  for (const std::string_view name :
       {"x.avif", "x.gif", "x.gz", "x.jpg", "x.mp3", "x.mp4", "x.pdf", "x.png", "x.webm", "x.webp",
        "x.woff", "x.woff2", "x.zip", "x"}) {
    CAPTURE(name);
    CHECK_FALSE(is_compressible(media_type_of(name)));
  }
}

}  // namespace
}  // namespace stadion::http
