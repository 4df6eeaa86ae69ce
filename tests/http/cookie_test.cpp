// SPDX-License-Identifier: MIT
#include "http/cookie.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

std::vector<std::string> cookies_of(std::initializer_list<std::string_view> lines) {
  Arena arena;
  Fields fields(arena);
  fields.add("Host", "a=host");
  for (const std::string_view line : lines) {
    fields.add("cookie", line);
  }
  std::vector<std::string> pairs;
  for_each_cookie(fields, [&pairs](const Cookie& cookie) {
    pairs.push_back(std::string(cookie.name) + '=' + std::string(cookie.value));
    return true;
  });
  return pairs;
}

std::string field_value(const SetCookie& cookie) {
  Arena arena;
  return std::string(to_field_value(cookie, arena));
}

/// Why the cookie cannot be set; empty when it can.
std::string refusal_of(const SetCookie& cookie) {
  try {
    field_value(cookie);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

using Pairs = std::vector<std::string>;

TEST_CASE_FIXTURE(LiveArenas, "cookie: pairs in their order, over all lines [RFC 6265 §4.2]") {
  CHECK(cookies_of({}).empty());
  CHECK(cookies_of({""}).empty());
  CHECK(cookies_of({"a=1"}) == Pairs{"a=1"});
  CHECK(cookies_of({"a=1; b=2", "c=3"}) == Pairs{"a=1", "b=2", "c=3"});
  CHECK(cookies_of({"a=1;b=2;\t c=3 ;;"}) == Pairs{"a=1", "b=2", "c=3"});
  CHECK(cookies_of({"a=1; a=2"}) == Pairs{"a=1", "a=2"});
  CHECK(cookies_of({"a="}) == Pairs{"a="});
  CHECK(cookies_of({"a=b=c=="}) == Pairs{"a=b=c=="});
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: a visit that answers false is the last, over lines") {
  Arena arena;
  Fields fields(arena);
  fields.add("Cookie", "a=1; b=2");
  fields.add("Cookie", "c=3");
  std::size_t visits = 0;
  for_each_cookie(fields, [&visits](const Cookie& cookie) {
    ++visits;
    return cookie.name != "b";
  });
  CHECK(visits == 2);
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: a pair with bad octets is passed over, and no other") {
  for (const std::string& bad :
       {std::string("b"), std::string("=b"), std::string("b =2"), std::string("b= 2"),
        std::string("b=2 2"), std::string("b=2,2"), std::string("b=2\\2"), std::string("b=2\"2"),
        std::string("b=\""), std::string("b=\"2"), std::string("b=2\""), std::string("b=\"2\"2\""),
        std::string("b=\xC3\xA4"), std::string("b\xC3\xA4=2"), std::string("b=\x7F"),
        std::string("b=2\0", 4), std::string("b=2\t2"), std::string("b[]=2"),
        std::string("\"b\"=2")}) {
    CAPTURE(bad);
    CHECK(cookies_of({"a=1; " + bad + "; c=3"}) == Pairs{"a=1", "c=3"});
    CHECK(cookies_of({bad}).empty());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: every octet of a value is taken or not [RFC 6265 §4.1.1]") {
  for (unsigned byte = 0; byte <= 0xFF; ++byte) {
    CAPTURE(byte);
    const char octet = static_cast<char>(byte);
    const bool is_good = byte == 0x21 || (byte >= 0x23 && byte <= 0x2B) ||
                         (byte >= 0x2D && byte <= 0x3A) || (byte >= 0x3C && byte <= 0x5B) ||
                         (byte >= 0x5D && byte <= 0x7E);
    const std::string value = std::string("x") + octet + "y";
    const bool is_read = cookies_of({"a=" + value}) == Pairs{"a=" + value};
    CHECK(is_read == is_good);
    CHECK(refusal_of({.name = "a", .value = value}).empty() == is_good);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: quotes are part of a value and shield nothing") {
  CHECK(cookies_of({"a=\"1\"; b=\"\""}) == Pairs{"a=\"1\"", "b=\"\""});
  CHECK(cookies_of({"a=\"1; session=stolen\"; c=3"}) == Pairs{"c=3"});
  CHECK(cookies_of({"a=\"1; session=real; c=3\""}) == Pairs{"session=real"});
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: the first of a name is found, its case matters") {
  Arena arena;
  Fields fields(arena);
  fields.add("Cookie", "a=bad value; A=upper");
  fields.add("COOKIE", "a=1; a=2; b=");
  CHECK(cookie(fields, "a") == "1");
  CHECK(cookie(fields, "A") == "upper");
  CHECK(cookie(fields, "b") == "");
  CHECK_FALSE(cookie(fields, "").has_value());
  CHECK_FALSE(cookie(fields, "c").has_value());
  CHECK_FALSE(cookie(fields, "a=1").has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "cookie: reading makes no copy") {
  Arena arena;
  const std::string_view line = "a=1; b=value";
  Fields fields(arena);
  fields.add("Cookie", line);
  const std::size_t bytes_before = arena.bytes_used();
  CHECK(cookie(fields, "b")->data() == line.data() + 7);
  CHECK(arena.bytes_used() == bytes_before);
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: the defaults are the careful ones") {
  CHECK(field_value({.name = "sid", .value = "31d4"}) ==
        "sid=31d4; Path=/; HttpOnly; SameSite=Lax");
  CHECK(field_value({.name = "sid", .value = ""}) == "sid=; Path=/; HttpOnly; SameSite=Lax");
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: every attribute in its place") {
  CHECK(field_value({.name = "sid",
                     .value = "\"31d4\"",
                     .path = "/a%20b",
                     .domain = "Sub.example-1.com",
                     .max_age = std::chrono::hours(1),
                     .expires = 784111777,
                     .secure = true,
                     .http_only = false,
                     .same_site = SameSite::none,
                     .partitioned = true}) ==
        "sid=\"31d4\"; Path=/a%20b; Domain=Sub.example-1.com; Max-Age=3600; "
        "Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; SameSite=None; Partitioned");
  CHECK(field_value({.name = "a", .value = "1", .path = "", .same_site = SameSite::strict}) ==
        "a=1; HttpOnly; SameSite=Strict");
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: a name is a token, and the refusal says where not") {
  CHECK(contains(refusal_of({.name = "", .value = "1"}), "the name is empty"));
  const std::string refusal = refusal_of({.name = "si d\r\n", .value = "1"});
  CHECK(contains(refusal, "the name has the byte 0x20 at offset 2"));
  CHECK(contains(refusal, "has to be a token"));
  CHECK_FALSE(contains(refusal, "\r"));
  for (const std::string& name : {std::string("a="), std::string("a;"), std::string("a\n"),
                                  std::string("a\0", 2), std::string("\xC3\xA4")}) {
    CAPTURE(name);
    CHECK_FALSE(refusal_of({.name = name, .value = "1"}).empty());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: a bad value is refused with its place, quotes or not") {
  const std::string refusal = refusal_of({.name = "sid", .value = "ab;c"});
  CHECK(contains(refusal, "'sid'"));
  CHECK(contains(refusal, "the value has the byte 0x3B at offset 2"));
  CHECK(contains(refusal, "such as Base64"));
  CHECK(contains(refusal_of({.name = "sid", .value = "\"ab;c\""}), "0x3B at offset 3"));
  CHECK(contains(refusal_of({.name = "sid", .value = "\"abc"}), "0x22 at offset 0"));
  CHECK(contains(refusal_of({.name = "sid", .value = "\""}), "0x22 at offset 0"));
  CHECK(contains(refusal_of({.name = "sid", .value = "a\xC3"}), "0xC3 at offset 1"));
  CHECK(refusal_of({.name = "sid", .value = "\"\""}).empty());
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: name and value have 4096 bytes at most [6265bis]") {
  for (const std::size_t bytes : {kCookieBytesMax - 1, kCookieBytesMax, kCookieBytesMax + 1}) {
    CAPTURE(bytes);
    const bool is_good = bytes <= kCookieBytesMax;
    CHECK(refusal_of({.name = "sid", .value = std::string(bytes - 3, 'v')}).empty() == is_good);
    CHECK(refusal_of({.name = std::string(bytes - 3, 'n'), .value = "abc"}).empty() == is_good);
  }
  CHECK(contains(refusal_of({.name = "sid", .value = std::string(5000, 'v')}),
                 "5003 bytes; browsers take 4096 at most"));
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: an attribute has 1024 bytes at most [6265bis §5.6]") {
  std::string domain;
  while (domain.size() < kCookieAttributeBytesMax + 1) {
    domain += "ab.";
  }
  for (const std::size_t bytes :
       {kCookieAttributeBytesMax - 1, kCookieAttributeBytesMax, kCookieAttributeBytesMax + 1}) {
    CAPTURE(bytes);
    const bool is_good = bytes <= kCookieAttributeBytesMax;
    const std::string path = "/" + std::string(bytes - 1, 'p');
    CHECK(refusal_of({.name = "a", .value = "1", .path = path}).empty() == is_good);
    const std::string long_domain = domain.substr(0, bytes - 1) + "c";
    CHECK(refusal_of({.name = "a", .value = "1", .domain = long_domain}).empty() == is_good);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: a path begins with '/' and cannot forge an attribute") {
  const auto refusal = [](std::string_view path) {
    return refusal_of({.name = "a", .value = "1", .path = path});
  };
  CHECK(refusal("/a,b\"c\\d=e").empty());
  CHECK(contains(refusal("a/b"), "does not begin with '/'"));
  CHECK(contains(refusal("/; Domain=evil"), "the path has the byte 0x3B at offset 1"));
  CHECK(contains(refusal("/a b"), "0x20 at offset 2"));
  CHECK(contains(refusal("/a\r\nX: y"), "0x0D at offset 2"));
  CHECK(contains(refusal("/\xC3\xA4"), "escaped as %XX"));
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: a domain is labels and dots [RFC 1034 §3.5]") {
  const auto refusal = [](std::string_view domain) {
    return refusal_of({.name = "a", .value = "1", .domain = domain});
  };
  const std::string label(63, 'l');
  for (const std::string& domain :
       {std::string("localhost"), std::string("a.b"), std::string("x-1.example.COM"),
        std::string("127.0.0.1"), std::string(62, 'l') + ".com", label + ".com"}) {
    CAPTURE(domain);
    CHECK(refusal(domain).empty());
  }
  CHECK(contains(refusal("a.com; Secure"), "the domain has the byte 0x3B at offset 5"));
  CHECK(contains(refusal("a_b.com"), "it has to be letters, digits, '-' and '.'"));
  for (const std::string& domain :
       {std::string("."), std::string(".a.com"), std::string("a.com."), std::string("a..com"),
        std::string("-a.com"), std::string("a-.com"), std::string("a.-"), label + "l.com"}) {
    CAPTURE(domain);
    CHECK(contains(refusal(domain), "has a label"));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: it lives a second at least [RFC 6265 §4.1.1]") {
  const auto refusal = [](std::chrono::seconds max_age) {
    return refusal_of({.name = "a", .value = "1", .max_age = max_age});
  };
  CHECK(contains(refusal(std::chrono::seconds(-1)), "max_age is -1 s"));
  CHECK(contains(refusal(std::chrono::seconds(0)), "expired()"));
  CHECK(refusal(std::chrono::seconds(1)).empty());
  CHECK(contains(field_value({.name = "a", .value = "1", .max_age = std::chrono::seconds::max()}),
                 "; Max-Age=9223372036854775807; "));
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: dates are of the years 1601 to 9999 [RFC 6265]") {
  const auto cookie_until = [](std::time_t expires) {
    return SetCookie{.name = "a", .value = "1", .expires = expires};
  };
  constexpr std::time_t first = -11'644'473'600;
  constexpr std::time_t last = 253'402'300'799;
  CHECK(contains(field_value(cookie_until(first)), "Expires=Mon, 01 Jan 1601 00:00:00 GMT;"));
  CHECK(contains(field_value(cookie_until(first + 1)), "Expires=Mon, 01 Jan 1601 00:00:01 GMT;"));
  CHECK(contains(field_value(cookie_until(last)), "Expires=Fri, 31 Dec 9999 23:59:59 GMT;"));
  CHECK(contains(field_value(cookie_until(last - 1)), "Expires=Fri, 31 Dec 9999 23:59:58 GMT;"));
  CHECK(contains(refusal_of(cookie_until(first - 1)), "years 1601 to 9999"));
  CHECK(contains(refusal_of(cookie_until(last + 1)), "years 1601 to 9999"));
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: what has to be Secure is refused without it") {
  SetCookie none{.name = "a", .value = "1", .same_site = SameSite::none};
  SetCookie partitioned{.name = "a", .value = "1", .partitioned = true};
  SetCookie secure_prefix{.name = "__Secure-a", .value = "1"};
  SetCookie host_prefix{.name = "__hOST-a", .value = "1"};
  CHECK(contains(refusal_of(none), "SameSite=None has to be Secure"));
  CHECK(contains(refusal_of(partitioned), "Partitioned has to be Secure"));
  for (SetCookie* cookie : {&none, &partitioned, &secure_prefix, &host_prefix}) {
    CAPTURE(cookie->name);
    CHECK(contains(refusal_of(*cookie), "set secure = true"));
    cookie->secure = true;
    CHECK(refusal_of(*cookie).empty());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: __Host- wants the root path and no domain [§4.1.3.2]") {
  for (const std::string_view name : {"__Host-a", "__HOST-a"}) {
    CAPTURE(name);
    SetCookie cookie{.name = name, .value = "1", .secure = true};
    CHECK(refusal_of(cookie).empty());
    cookie.path = "/a";
    CHECK(contains(refusal_of(cookie), "the path \"/\""));
    cookie.path = "";
    CHECK(contains(refusal_of(cookie), "the path \"/\""));
    cookie.path = "/";
    cookie.domain = "example.com";
    CHECK(contains(refusal_of(cookie), "leave the domain empty"));
  }
  CHECK(refusal_of({.name = "__Host", .value = "1", .path = "/a"}).empty());
  CHECK(refusal_of({.name = "a__Host-", .value = "1", .path = "/a"}).empty());
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: expired keeps what tells which cookie, and ends it") {
  const SetCookie cookie{.name = "__Secure-a",
                         .value = "1",
                         .path = "/p",
                         .domain = "example.com",
                         .max_age = std::chrono::hours(1),
                         .expires = 784111777,
                         .secure = true};
  CHECK(field_value(expired(cookie)) ==
        "__Secure-a=; Path=/p; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; "
        "HttpOnly; SameSite=Lax");
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: what is set is read back as it was") {
  for (const std::string_view value :
       {"", "abc", "a=b", "\"quoted\"", "\"\"", "!#$%&'()*+-./:<>?@[]"}) {
    CAPTURE(value);
    const std::string text = field_value({.name = "a", .value = value});
    Arena arena;
    Fields fields(arena);
    fields.add("Cookie", std::string_view(text).substr(0, text.find(';')));
    CHECK(cookie(fields, "a") == value);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "set-cookie: with no memory for the text it throws ArenaFailed") {
  Arena arena{ArenaOptions{.limit_bytes = 0}};
  CHECK_THROWS_AS((void)to_field_value({.name = "a", .value = "1"}, arena), ArenaFailed);
}

}  // namespace
}  // namespace stadion::http
