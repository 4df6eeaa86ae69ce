// SPDX-License-Identifier: MIT
#include "http/base64.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "base64: the examples of the standard, both ways [RFC 4648 §10]") {
  Arena arena;
  for (const auto& [bytes, text] : {std::pair<std::string_view, std::string_view>("", ""),
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"},
                                    {"\xFB\xFF\xBF", "+/+/"},
                                    {{"\0\0\0", 3}, "AAAA"}}) {
    CHECK(base64_encode(bytes, arena) == text);
    CHECK(base64_decode(text, arena) == bytes);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "base64: any bytes come back") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Arena arena;
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    const std::string_view text = base64_encode(bytes, arena);
    CHECK(text.size() == (size + 2) / 3 * 4);
    REQUIRE(base64_decode(text, arena) == bytes);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "base64: only the alphabet's characters, anywhere") {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Arena arena;
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_in_alphabet = kAlphabet.find(c) != std::string_view::npos;
    for (std::size_t position = 0; position < 4; ++position) {
      CAPTURE(byte);
      CAPTURE(position);
      std::string text = "AAAAAAAA";
      text[position] = c;
      CHECK(base64_decode(text, arena).has_value() == is_in_alphabet);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "base64: padding is there, once, at the end [RFC 4648 §3.2]") {
  Arena arena;
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zm8", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zg=a",
        "Z=g=", "=Zg=", "Zg== ", "Zg==\n", "Zm9vYg=", "Zm9v====", "Zm9v="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text, arena).has_value());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "base64: bits that belong to no byte are 0 [RFC 4648 §3.5]") {
  Arena arena;
  CHECK(base64_decode("Zg==", arena).has_value());
  CHECK_FALSE(base64_decode("Zh==", arena).has_value());
  CHECK_FALSE(base64_decode("Zo==", arena).has_value());
  CHECK(base64_decode("Zm8=", arena).has_value());
  CHECK_FALSE(base64_decode("Zm9=", arena).has_value());
  CHECK_FALSE(base64_decode("Zm+=", arena).has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "base64: with no memory for it ArenaFailed") {
  Arena arena(ArenaOptions{.limit_bytes = 0});
  CHECK_THROWS_AS((void)base64_encode("f", arena), ArenaFailed);
  CHECK_THROWS_AS((void)base64_decode("Zg==", arena), ArenaFailed);
}

}  // namespace
}  // namespace stadion::http
