// SPDX-License-Identifier: MIT
#include "http/status.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("status: every code that has a name has its own, fit for a status line") {
  std::set<std::string_view> phrases;
  for (unsigned code = kStatusMin; code <= kStatusMax; ++code) {
    const std::string_view phrase = reason_phrase(Status(code));
    if (!phrase.empty()) {
      CHECK(phrases.insert(phrase).second);
      CHECK(phrase.find_first_of("\r\n") == std::string_view::npos);
      CHECK(code_of(Status(code)) == code);
    }
  }
  CHECK(phrases.size() == 45);
}

TEST_CASE("status: names are those of the RFC [RFC 9110 §15]") {
  CHECK(reason_phrase(Status::ok) == "OK");
  CHECK(reason_phrase(Status::not_found) == "Not Found");
  CHECK(reason_phrase(Status{413}) == "Content Too Large");
  CHECK(reason_phrase(Status{414}) == "URI Too Long");
  CHECK(reason_phrase(Status{431}) == "Request Header Fields Too Large");
  CHECK(reason_phrase(Status{505}) == "HTTP Version Not Supported");
  CHECK(reason_phrase(Status{299}).empty());
}

TEST_CASE("status: 1xx, 204 and 304 never have a body [RFC 9110 §6.4.1]") {
  for (unsigned code = kStatusMin; code <= kStatusMax; ++code) {
    CHECK(never_has_body(Status(code)) == (code < 200 || code == 204 || code == 304));
  }
}

}  // namespace
}  // namespace stadion::http
