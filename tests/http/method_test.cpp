// SPDX-License-Identifier: MIT
#include "http/method.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("method: each one's name is read as itself") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    CHECK(parse_method(to_string(method)) == method);
    names.insert(to_string(method));
  }
  CHECK(names == std::set<std::string_view>{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH",
                                            "POST", "PUT", "TRACE"});
  CHECK(to_string(Method::delete_) == "DELETE");
  CHECK(parse_method("PATCH") == Method::patch);
}

TEST_CASE("method: names are case-sensitive and whole [RFC 9110 §9.1]") {
  for (const std::string_view text : {"", "get", "Get", "GE", "GETS", " GET", "GET ", "BREW"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_method(text).has_value());
  }
  CHECK_FALSE(parse_method(std::string_view("GET\0", 4)).has_value());
}

}  // namespace
}  // namespace stadion::http
