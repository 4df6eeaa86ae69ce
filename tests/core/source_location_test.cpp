// SPDX-License-Identifier: MIT
#include "core/source_location.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace stadion {
namespace {

SourceLocation where_called(int /*unused*/ = 0, SourceLocation where = SourceLocation::current()) {
  return where;
}

TEST_CASE("source location: current() names the line it stands on") {
  const SourceLocation here = SourceLocation::current();
  CHECK(here.line == __LINE__ - 1);
  CHECK(std::string_view(here.file) == __FILE__);
}

TEST_CASE("source location: as a defaulted argument it names the caller's line") {
  const SourceLocation first = where_called();
  const SourceLocation second = where_called(1);
  CHECK(first.line == __LINE__ - 2);
  CHECK(second.line == __LINE__ - 2);
  CHECK(std::string_view(first.file) == __FILE__);
}

TEST_CASE("source location: one that is not known has no file") {
  constexpr SourceLocation kUnknown;
  CHECK(kUnknown.file == nullptr);
  CHECK(kUnknown.line == 0);
}

}  // namespace
}  // namespace stadion
