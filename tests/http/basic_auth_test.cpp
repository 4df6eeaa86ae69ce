// SPDX-License-Identifier: MIT
#include "http/basic_auth.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/base64.hpp"
#include "http/fields.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

/// "user|password", or "none".
std::string read(std::string_view authorization) {
  Arena arena;
  const auto credentials = parse_basic_credentials(authorization, arena);
  return credentials ? std::string(credentials->user) + "|" + std::string(credentials->password)
                     : "none";
}

std::string read_decoded(std::string_view user_and_password) {
  Arena arena;
  return read("Basic " + std::string(base64_encode(user_and_password, arena)));
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: the examples of the standard [RFC 7617 §2]") {
  CHECK(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin|open sesame");
  CHECK(read("Basic dGVzdDoxMjPCow==") == "test|123\xC2\xA3");
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: the scheme in any case, then spaces, then base64") {
  CHECK(read("basic YTpi") == "a|b");
  CHECK(read("BASIC YTpi") == "a|b");
  CHECK(read("Basic   YTpi") == "a|b");
  for (const std::string_view malformed :
       {"", "Basic", "Basic ", "BasicYTpi", "Basic\tYTpi", " Basic YTpi", "Basic YTpi ",
        "Basic YTp", "Basic YTpi,", "Basic YTpi YTpi", "Basic YT\npi", "Basi YTpi", "Bearer YTpi",
        "Digest a=b"}) {
    CAPTURE(malformed);
    CHECK(read(malformed) == "none");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: the first colon parts user and password") {
  CHECK(read_decoded("a:b:c") == "a|b:c");
  CHECK(read_decoded(":") == "|");
  CHECK(read_decoded("a:") == "a|");
  CHECK(read_decoded(":b") == "|b");
  CHECK(read_decoded("ab") == "none");
  CHECK(read_decoded("") == "none");
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: no control characters, any other byte [RFC 7617 §2]") {
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    const std::string c(1, static_cast<char>(byte));
    const bool is_control = byte < 0x20 || byte == 0x7F;
    CAPTURE(byte);
    CHECK((read_decoded("a:x" + c) == "none") == is_control);
    CHECK((read_decoded("x" + c + ":a") == "none") == is_control);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: the credentials are the arena's") {
  Arena arena;
  std::string authorization = "Basic YTpi";
  const auto credentials = parse_basic_credentials(authorization, arena);
  authorization.assign(authorization.size(), '~');
  REQUIRE(credentials);
  CHECK(credentials->user == "a");
  CHECK(credentials->password == "b");
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: a challenge has its realm quoted") {
  Arena arena;
  CHECK(basic_challenge("the staff", arena) == "Basic realm=\"the staff\", charset=\"UTF-8\"");
  CHECK(basic_challenge("a\"b\\c", arena) == "Basic realm=\"a\\\"b\\\\c\", charset=\"UTF-8\"");
  CHECK(is_field_value(basic_challenge("x", arena)));
  for (const std::string_view realm : {"", "a\nb", "a\rb", "a\tb", "\x7F", "\xC3\xA4"}) {
    CAPTURE(realm);
    CHECK_THROWS_AS((void)basic_challenge(realm, arena), std::invalid_argument);
  }
  CHECK_THROWS_AS((void)basic_challenge(std::string_view("\0", 1), arena), std::invalid_argument);
}

TEST_CASE("basic auth: equal in constant time is just equal") {
  const std::string secret = "the secret";
  CHECK(equal_in_constant_time(secret, secret));
  CHECK(equal_in_constant_time("", ""));
  CHECK_FALSE(equal_in_constant_time("", "a"));
  CHECK_FALSE(equal_in_constant_time("a", ""));
  CHECK_FALSE(equal_in_constant_time(secret, secret + secret));
  CHECK_FALSE(equal_in_constant_time("abab", "ab"));
  CHECK_FALSE(equal_in_constant_time("ab", "abab"));
  CHECK_FALSE(equal_in_constant_time("", std::string_view("\0", 1)));
  CHECK_FALSE(equal_in_constant_time(std::string_view("a\0", 2), "a"));
  CHECK_FALSE(equal_in_constant_time("a", std::string_view("a\0", 2)));
  for (std::size_t size = 0; size < secret.size(); ++size) {
    CHECK_FALSE(equal_in_constant_time(secret, secret.substr(0, size)));
    CHECK_FALSE(equal_in_constant_time(secret.substr(0, size), secret));
  }
  for (std::size_t at = 0; at < secret.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string given = secret;
      given[at] = static_cast<char>(given[at] ^ static_cast<char>(1U << bit));
      CHECK_FALSE(equal_in_constant_time(secret, given));
    }
  }
}

TEST_CASE("basic auth: nothing beyond either text is read") {
  for (std::size_t secret_size = 0; secret_size < 20; ++secret_size) {
    for (std::size_t given_size = 0; given_size < 20; ++given_size) {
      // On the heap at just that size, where AddressSanitizer sees a read beyond it.
      const std::vector<char> secret(secret_size, 'a');
      const std::vector<char> given(given_size, 'a');
      CHECK(equal_in_constant_time({secret.data(), secret.size()}, {given.data(), given.size()}) ==
            (secret_size == given_size));
    }
  }
}

}  // namespace
}  // namespace stadion::http
