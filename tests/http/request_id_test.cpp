// SPDX-License-Identifier: MIT
#include "http/request_id.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE(
    "request id: what a client sends is taken with the characters that are listed, no other") {
  const std::string_view allowed =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~+/=:-";
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_allowed = allowed.find(c) != std::string_view::npos;
    CAPTURE(byte);
    CHECK(is_valid_request_id(std::string(1, c)) == is_allowed);
    CHECK(is_valid_request_id(std::string("ab") + c) == is_allowed);
    CHECK(is_valid_request_id(c + std::string("ab")) == is_allowed);
  }
}

TEST_CASE("request id: length: none, one, one below the limit, at it, one above") {
  CHECK_FALSE(is_valid_request_id(""));
  CHECK(is_valid_request_id("a"));
  CHECK(is_valid_request_id(std::string(127, 'a')));
  CHECK(is_valid_request_id(std::string(128, 'a')));
  CHECK_FALSE(is_valid_request_id(std::string(129, 'a')));
}

TEST_CASE_FIXTURE(LiveArenas, "request id: 32 hexadecimal digits that would be taken over again") {
  Arena arena;
  RequestIdGenerator generator;
  const std::string_view id = generator.next(arena);
  CHECK(id.size() == RequestIdGenerator::kIdBytes);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
  CHECK(id.substr(0, 16) != "0000000000000000");
  CHECK(is_valid_request_id(id));
}

TEST_CASE_FIXTURE(LiveArenas, "request id: none comes twice, within a generator or of two") {
  Arena arena;
  RequestIdGenerator one;
  RequestIdGenerator other;
  std::set<std::string_view> ids;
  for (int i = 0; i < 10'000; ++i) {
    ids.insert(one.next(arena));
    ids.insert(other.next(arena));
  }
  CHECK(ids.size() == 20'000);
}

TEST_CASE_FIXTURE(LiveArenas, "request id: the prefix stays, and neighbours look nothing alike") {
  Arena arena;
  RequestIdGenerator generator(
      {.prefix = 0x0123456789abcdef, .counter = std::numeric_limits<std::uint64_t>::max()});
  const std::string_view last = generator.next(arena);
  const std::string_view first = generator.next(arena);  // The counter begins again at 0.
  const std::string_view second = generator.next(arena);
  for (const std::string_view id : {last, first, second}) {
    CHECK(id.substr(0, 16) == "0123456789abcdef");
  }
  int differing = 0;
  for (std::size_t i = 16; i < 32; ++i) {
    differing += first[i] != second[i] ? 1 : 0;
  }
  CHECK(differing >= 8);
}

TEST_CASE_FIXTURE(LiveArenas, "request id: with no memory for it ArenaFailed") {
  Arena arena(ArenaOptions{.limit_bytes = 0});
  RequestIdGenerator generator;
  CHECK_THROWS_AS((void)generator.next(arena), ArenaFailed);
}

}  // namespace
}  // namespace stadion::http
