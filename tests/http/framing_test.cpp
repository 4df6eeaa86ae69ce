// SPDX-License-Identifier: MIT
#include "http/framing.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

Framing decide(std::initializer_list<Field> list, Version version = Version::http_1_1) {
  Arena arena;
  Fields fields(arena);
  for (const Field& field : list) {
    fields.add(field.name, field.value);
  }
  return decide_framing(fields, version);
}

/// With a valid Host, which is another case's matter.
Framing with_host(std::initializer_list<Field> list) {
  Arena arena;
  Fields fields(arena);
  fields.add("Host", "t");
  for (const Field& field : list) {
    fields.add(field.name, field.value);
  }
  return decide_framing(fields, Version::http_1_1);
}

TEST_CASE_FIXTURE(LiveArenas, "framing: without a word there is no body, and the version decides") {
  const Framing framing = with_host({{"X", "chunked"}, {"Xost", "x"}, {"Content-Lengti", "5"}});
  CHECK(framing.error == ParseError::none);
  CHECK_FALSE(framing.chunked);
  CHECK(framing.content_length == 0);
  CHECK(framing.keep_alive);
  CHECK_FALSE(framing.expects_continue);
  CHECK(framing.host == "t");
  CHECK_FALSE(decide({}, Version::http_1_0).keep_alive);
}

TEST_CASE_FIXTURE(LiveArenas, "framing: exactly one valid Host in HTTP/1.1 [RFC 9112 §3.2]") {
  CHECK(decide({}).error == ParseError::malformed_host);
  CHECK(decide({{"hOST", "a"}}).host == "a");
  CHECK(decide({{"Host", ""}}).error == ParseError::none);
  CHECK(decide({{"Host", "a"}, {"Host", "a"}}).error == ParseError::malformed_host);
  CHECK(decide({{"Host", "a"}, {"Host", "b"}}).error == ParseError::malformed_host);
  CHECK(decide({{"Host", "a"}, {"host", ""}}).error == ParseError::malformed_host);
  CHECK(decide({}, Version::http_1_0).error == ParseError::none);
  CHECK(decide({{"Host", "a"}, {"Host", "a"}}, Version::http_1_0).error ==
        ParseError::malformed_host);
  CHECK(decide({{"Host", "a b"}}, Version::http_1_0).error == ParseError::malformed_host);
}

TEST_CASE("framing: what has the form of host and port") {
  for (const std::string_view host :
       {"", "a", "example.org", "example.org:80", "127.0.0.1:8080", "[::1]", "[::1]:8080",
        "[fe80::1%25eth0]:8080", "[v1.a]", "xn--a-b_c~", "a%20b", "%2F", "A!$&'()*+;=", "80",
        "a:", "a:0", "a:00080", "a:65534", "a:65535"}) {
    CAPTURE(host);
    CHECK(is_valid_host(host));
  }
  for (const std::string_view host :
       {"a b",     "a,b",  "a/b",      "a?b",      "a#b",    "user@a",  "a\\b",  "a\tb",
        "\"a\"",   "<a>",  "\xC3\xA4", "a\r",      ":",      ":80",     "a:b",   "a:80:80",
        "a::80",   "::1",  "a:65536",  "a:000080", "a:-1",   "a:+1",    "a:8o",  "a%",
        "a%2",     "a%2g", "%%20",     "[",        "]",      "[]",      "[]:80", "[::1",
        "[::1:80", "::1]", "[::1]80",  "[::1]a",   "a[::1]", "[[::1]]", "[a]b]"}) {
    CAPTURE(host);
    CHECK_FALSE(is_valid_host(host));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "framing: Content-Length is one decimal number [RFC 9112 §6.3]") {
  CHECK(with_host({{"content-LENGTH", "0"}}).content_length == 0);
  CHECK(with_host({{"Content-Length", "1234"}}).content_length == 1234);
  CHECK(with_host({{"Content-Length", "00012"}}).content_length == 12);
  CHECK(with_host({{"Content-Length", "18446744073709551615"}}).content_length ==
        std::numeric_limits<std::uint64_t>::max());
  for (const std::string_view value :
       {"", "-1", "+1", " 1", "1 ", "1 2", "1,1", "1, 1", "0x1", "1.0", "1e3", "a", "1a",
        "18446744073709551616", "99999999999999999999999999"}) {
    CAPTURE(value);
    CHECK(with_host({{"Content-Length", value}}).error == ParseError::malformed_content_length);
  }
  CHECK(with_host({{"Content-Length", "1"}, {"Content-Length", "1"}}).error ==
        ParseError::malformed_content_length);
  CHECK(with_host({{"Content-Length", "1"}, {"content-length", "2"}}).error ==
        ParseError::malformed_content_length);
}

TEST_CASE_FIXTURE(LiveArenas, "framing: Transfer-Encoding is chunked, once [RFC 9112 §6.1]") {
  CHECK(with_host({{"Transfer-Encoding", "chunked"}}).chunked);
  CHECK(with_host({{"TRANSFER-encoding", "CHUNKED"}}).chunked);
  for (const std::string_view value :
       {"", "identity", "gzip", "chunked, chunked", "chunked, gzip", "gzip, chunked, chunked",
        "chunked;a", "x-chunked", "chunked2", "\"chunked\"", "chunked gzip", ",", "chu nked"}) {
    CAPTURE(value);
    CHECK(with_host({{"Transfer-Encoding", value}}).error ==
          ParseError::malformed_transfer_encoding);
  }
  for (const std::string_view value :
       {"gzip, chunked", "gzip,chunked", "identity, Chunked", "gzip, deflate, chunked"}) {
    CAPTURE(value);
    CHECK(with_host({{"Transfer-Encoding", value}}).error == ParseError::unknown_transfer_coding);
  }
  for (const std::string_view second : {"chunked", "identity", "gzip", ""}) {
    CHECK(with_host({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", second}}).error ==
          ParseError::malformed_transfer_encoding);
  }
  CHECK(with_host({{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}}).error !=
        ParseError::none);
  CHECK(decide({{"Transfer-Encoding", "chunked"}}, Version::http_1_0).error ==
        ParseError::malformed_transfer_encoding);
}

TEST_CASE_FIXTURE(LiveArenas, "framing: Content-Length and Transfer-Encoding exclude each other") {
  CHECK(with_host({{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}).error ==
        ParseError::ambiguous_framing);
  CHECK(with_host({{"Transfer-Encoding", "chunked"}, {"Content-Length", "0"}}).error ==
        ParseError::ambiguous_framing);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "framing: Connection is a list, in which close wins [RFC 9112 §9.3]") {
  struct Case {
    std::string_view value;
    bool kept_in_1_1;
    bool kept_in_1_0;
  };
  for (const Case& example :
       {Case{"close", false, false}, Case{"Close", false, false}, Case{"x,close ,y", false, false},
        Case{"keep-alive", true, true}, Case{"Keep-Alive", true, true},
        Case{"x, keep-alive", true, true}, Case{"keep-alive, close", false, false},
        Case{"close, keep-alive", false, false}, Case{"", true, false},
        Case{"upgrade", true, false}, Case{"closed", true, false},
        Case{"keep-alive2", true, false}}) {
    CAPTURE(example.value);
    CHECK(with_host({{"Connection", example.value}}).keep_alive == example.kept_in_1_1);
    CHECK(decide({{"Connection", example.value}}, Version::http_1_0).keep_alive ==
          example.kept_in_1_0);
  }
  CHECK_FALSE(with_host({{"Connection", "close"}, {"Connection", "keep-alive"}}).keep_alive);
  CHECK_FALSE(with_host({{"Connection", "keep-alive"}, {"connection", "close"}}).keep_alive);
}

TEST_CASE_FIXTURE(LiveArenas, "framing: the one expectation is 100-continue [RFC 9110 §10.1.1]") {
  CHECK(with_host({{"Expect", "100-continue"}}).expects_continue);
  CHECK(with_host({{"expect", "100-Continue"}}).expects_continue);
  CHECK(with_host({{"Expect", "200-ok"}}).error == ParseError::unknown_expectation);
  CHECK(with_host({{"Expect", ""}}).error == ParseError::unknown_expectation);
  const Framing old = decide({{"Expect", "100-continue"}}, Version::http_1_0);
  CHECK(old.error == ParseError::none);
  CHECK_FALSE(old.expects_continue);
}

}  // namespace
}  // namespace stadion::http
