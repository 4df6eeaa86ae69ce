// SPDX-License-Identifier: MIT
#include "http/parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

/// What came of some bytes, copied out of the arena.
struct Outcome {
  ParseError error = ParseError::none;
  bool is_complete = false;
  std::size_t consumed = 0;
  std::optional<Method> method;
  Version version = Version::http_1_1;
  std::string target;
  std::string path;
  std::string query;
  std::string host;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keep_alive = false;

  bool operator==(const Outcome&) const = default;
};

/// Feeds the pieces one by one as a session does, each from memory that is gone afterwards: what
/// points into it instead of the arena is found by AddressSanitizer, or shows as '~'.
Outcome parse_pieces(const std::vector<std::string_view>& pieces, const Limits& limits,
                     ArenaOptions arena_options = {}) {
  Arena arena(arena_options);
  Parser parser(limits);
  parser.begin(arena);
  Outcome outcome;
  for (const std::string_view piece : pieces) {
    const auto memory = std::make_unique<char[]>(piece.size());
    std::copy(piece.begin(), piece.end(), memory.get());
    std::string_view unread(memory.get(), piece.size());
    while (!unread.empty() && !outcome.is_complete && outcome.error == ParseError::none) {
      const Parser::Progress progress = parser.feed(unread);
      REQUIRE(progress.consumed <= unread.size());
      unread.remove_prefix(progress.consumed);
      outcome.consumed += progress.consumed;
      outcome.is_complete = progress.state == Parser::State::complete;
      outcome.error = parser.error();
      CHECK((progress.state == Parser::State::failed) == (outcome.error != ParseError::none));
      if (progress.state == Parser::State::need_more) {
        REQUIRE(unread.empty());
      }
    }
    std::fill_n(memory.get(), piece.size(), '~');
  }
  if (outcome.error != ParseError::none) {
    outcome.consumed = 0;  // Where it was noticed depends on the pieces.
  }
  if (outcome.is_complete) {
    const Request& request = *parser.request();
    outcome.method = request.method();
    outcome.version = request.version();
    outcome.target = request.target();
    outcome.path = request.raw_path();
    outcome.query = request.raw_query();
    outcome.host = request.host();
    outcome.body = request.body();
    outcome.keep_alive = parser.framing().keep_alive;
    for (const Field& field : request.headers()) {
      outcome.fields.emplace_back(field.name, field.value);
    }
  }
  return outcome;
}

/// The outcome, which is the same whole, split at any byte, and byte by byte.
Outcome parse(std::string_view bytes, const Limits& limits = {}) {
  const Outcome whole = parse_pieces({bytes}, limits);
  std::vector<std::string_view> single_bytes;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    single_bytes.push_back(bytes.substr(cut, 1));
    const Outcome split = parse_pieces({bytes.substr(0, cut), bytes.substr(cut)}, limits);
    if (split != whole) {
      CAPTURE(bytes);
      CAPTURE(cut);
      CHECK(split.error == whole.error);
      CHECK(split.body == whole.body);
      FAIL_CHECK("a request that is split is read differently");
      return whole;
    }
  }
  CAPTURE(bytes);
  CHECK(parse_pieces(single_bytes, limits) == whole);
  return whole;
}

TEST_CASE_FIXTURE(LiveArenas, "parser: a request's line and fields are read, however it is split") {
  const Outcome read = parse(
      "PUT /a%20b/c?x=1&y=%20?z HTTP/1.1\r\nHost: example.org:8080\r\nx-UPPER:\tvalue, with  "
      "spaces \t"
      "\r\nEmpty:\r\nEmpty:  \r\nObs: \xE9\x80\xFF\r\n\r\n");
  REQUIRE(read.is_complete);
  CHECK(read.method == Method::put);
  CHECK(read.version == Version::http_1_1);
  CHECK(read.target == "/a%20b/c?x=1&y=%20?z");
  CHECK(read.path == "/a%20b/c");
  CHECK(read.query == "x=1&y=%20?z");
  CHECK(read.host == "example.org:8080");
  CHECK(read.body.empty());
  CHECK(read.keep_alive);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"Host", "example.org:8080"},
      {"x-UPPER", "value, with  spaces"},
      {"Empty", ""},
      {"Empty", ""},
      {"Obs", "\xE9\x80\xFF"},
  };
  CHECK(read.fields == expected);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: all methods, in HTTP/1.0 and HTTP/1.1") {
  for (const std::string method :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
    CHECK(parse(method + " / HTTP/1.1\r\nHost: t\r\n\r\n").method == parse_method(method));
    const Outcome old = parse(method + " / HTTP/1.0\r\n\r\n");
    CHECK(old.method == parse_method(method));
    CHECK(old.version == Version::http_1_0);
    CHECK_FALSE(old.keep_alive);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the forms of a request target [RFC 9112 §3.2]") {
  struct Case {
    const char* line;
    const char* path;
    const char* query;
    const char* host;
  };
  const Case cases[] = {
      {"GET /", "/", "", "field"},
      {"GET /?", "/", "", "field"},
      {"GET /?a", "/", "a", "field"},
      {"GET //x//y", "//x//y", "", "field"},
      {"GET /a:b@c;d=e,f!$&'()*+~", "/a:b@c;d=e,f!$&'()*+~", "", "field"},
      {"GET /{}|\\^[]`\"<>", "/{}|\\^[]`\"<>", "", "field"},
      {"GET http://authority/p?q", "/p", "q", "authority"},
      {"GET HTTP://authority:81", "/", "", "authority:81"},
      {"GET http://authority?q", "/", "q", "authority"},
      {"GET http://[::1]:8080/", "/", "", "[::1]:8080"},
      {"OPTIONS *", "*", "", "field"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.line);
    const Outcome read = parse(std::string(example.line) + " HTTP/1.1\r\nHost: field\r\n\r\n");
    REQUIRE(read.is_complete);
    CHECK(read.path == example.path);
    CHECK(read.query == example.query);
    CHECK(read.host == example.host);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: bodies by Content-Length and in chunks") {
  struct Case {
    const char* framed;  ///< What follows "POST / HTTP/1.1\r\nHost: t\r\n".
    const char* body;
  };
  const Case cases[] = {
      {"\r\n", ""},
      {"Content-Length: 0\r\n\r\n", ""},
      {"Content-Length: 4\r\n\r\nbody", "body"},
      {"Content-Length: 0004\r\n\r\nbody", "body"},
      {"Content-Length: \t 4 \r\n\r\n\r\n\r\n", "\r\n\r\n"},
      {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
      {"Transfer-Encoding: Chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "body"},
      {"Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n003\r\nody\r\n000\r\n\r\n", "body"},
      {"Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
       "01234567890123456789"},
      {"Transfer-Encoding: chunked\r\n\r\n4;name\r\nbody\r\n0\r\n\r\n", "body"},
      {"Transfer-Encoding: chunked\r\n\r\n4;name=value\r\nbody\r\n0;last\r\n\r\n", "body"},
      {"Transfer-Encoding: chunked\r\n\r\n4;name=\"quo ted\";b=c\r\nbody\r\n0\r\n\r\n", "body"},
      {"Transfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
      {"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: a\r\nOther:b\r\n\r\n", "x"},
      // Nothing that was decided from the head changes after the body.
      {"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nHost: other\r\n\r\n", ""},
      {"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nbody", "body"},
      {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", ""},
      {"Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", "body"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.framed);
    const std::string request = "POST / HTTP/1.1\r\nHost: t\r\n" + std::string(example.framed);
    const Outcome read = parse(request);
    REQUIRE(read.error == ParseError::none);
    REQUIRE(read.is_complete);
    CHECK(read.body == example.body);
    CHECK(read.host == "t");
    CHECK(read.consumed == request.size());

    // What follows is the next request's, and is not consumed.
    const Outcome followed = parse(request + "GET /next HTTP/1.1\r\n");
    CHECK(followed.is_complete);
    CHECK(followed.body == example.body);
    CHECK(followed.consumed == request.size());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: what cannot be read is refused for the right reason") {
  struct Case {
    std::string bytes;
    ParseError error;
  };
  const auto get = [](std::string_view fields) {
    return "GET / HTTP/1.1\r\n" + std::string(fields) + "\r\n";
  };
  const Case cases[] = {
      {"GET  / HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /  HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET / HTTP/1.1 \r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {" GET / HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET\t/ HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /\r\n\r\n", ParseError::malformed_request_line},
      {"GET\r\n\r\n", ParseError::malformed_request_line},
      {"GET / http/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET / HTTP/11\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET / HTTP/1.10\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET / HTTX/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GE(T / HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /#fragment HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /\x7F HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET /\xC3\xA4 HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET relative HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET * HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET http:// HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET http:///p HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"GET http://user@t/ HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::malformed_request_line},
      {"get / HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::unknown_method},
      {"BREW / HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::unknown_method},
      {"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n", ParseError::unknown_method},
      {"GET / HTTP/2.0\r\nHost: t\r\n\r\n", ParseError::unsupported_version},
      {"GET / HTTP/1.2\r\nHost: t\r\n\r\n", ParseError::unsupported_version},
      {"GET / HTTP/0.9\r\nHost: t\r\n\r\n", ParseError::unsupported_version},
      {get(""), ParseError::malformed_host},
      {get("Host: a\r\nHost: a\r\n"), ParseError::malformed_host},
      {get("Host: a b\r\n"), ParseError::malformed_host},
      {get("Host: a/b\r\n"), ParseError::malformed_host},
      {get("Host: t\r\nName : x\r\n"), ParseError::malformed_header},
      {get("Host: t\r\n: x\r\n"), ParseError::malformed_header},
      {get("Host: t\r\nNo colon\r\n"), ParseError::malformed_header},
      {get("Host: t\r\n Folded: x\r\n"), ParseError::malformed_header},
      {get("Host: t\r\nX: a\r\n\tb\r\n"), ParseError::malformed_header},
      {get("Host: t\r\nX: a\rb\r\n"), ParseError::malformed_header},
      {get("Host: t\r\nX: a\nY: b\r\n"), ParseError::malformed_header},
      {get(std::string("Host: t\r\nX: a\0b\r\n", 17)), ParseError::malformed_header},
      {get("Host: t\r\nExpect: more\r\n"), ParseError::unknown_expectation},
      {get("Host: t\r\nTransfer-Encoding: gzip, chunked\r\n"), ParseError::unknown_transfer_coding},
      {get("Host: t\r\nTransfer-Encoding: gzip\r\n"), ParseError::malformed_transfer_encoding},
      {get("Host: t\r\nTransfer-Encoding:\r\n"), ParseError::malformed_transfer_encoding},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       ParseError::malformed_transfer_encoding},
  };
  for (const Case& example : cases) {
    CAPTURE(example.bytes);
    CHECK(parse(example.bytes).error == example.error);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: ambiguous lengths are refused with 400 [RFC 9112 §6.3]") {
  for (const std::string_view fields :
       {"Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: 1a\r\n",
        "Content-Length: \r\n",
        "Content-Length: 1.0\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: chunked\x0B\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Content-Length\r\n: 1\r\n"}) {
    CAPTURE(fields);
    const Outcome read = parse("POST / HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\nx");
    REQUIRE(read.error != ParseError::none);
    CHECK(answer_to(read.error).status == Status::bad_request);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: malformed chunks are refused [RFC 9112 §7.1]") {
  for (const std::string_view body : {"x\r\n",
                                      "\r\n",
                                      " 1\r\nx\r\n0\r\n\r\n",
                                      "+1\r\nx\r\n0\r\n\r\n",
                                      "-1\r\nx\r\n0\r\n\r\n",
                                      "0x1\r\nx\r\n0\r\n\r\n",
                                      "1 \r\nx\r\n0\r\n\r\n",
                                      "1\nx\r\n0\r\n\r\n",
                                      "1\rx\r\n0\r\n\r\n",
                                      "1\r\nx\n0\r\n\r\n",
                                      "1\r\nxy\r\n0\r\n\r\n",
                                      "1\r\nx0\r\n\r\n",
                                      "1\r\nx\r0\r\n\r\n",
                                      "1g\r\nx\r\n0\r\n\r\n",
                                      "10000000000000000\r\nx",
                                      "fffffffffffffffff\r\nx",
                                      "1;a\nx\r\n0\r\n\r\n",
                                      "1;a\rb\r\nx\r\n0\r\n\r\n",
                                      "1;a=\"b\nc\"\r\nx\r\n0\r\n\r\n",
                                      "1;a=\"b\r\nx\r\n0\r\n\r\n",
                                      ";a\r\nx\r\n0\r\n\r\n",
                                      "1,2\r\nx\r\n0\r\n\r\n",
                                      "1\r\nx\r\n0\r\n\n",
                                      "1\r\nx\r\n0\n\r\n"}) {
    CAPTURE(body);
    const Outcome read = parse("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                               std::string(body));
    CHECK_FALSE(read.is_complete);
    REQUIRE(read.error != ParseError::none);
    CHECK(answer_to(read.error).status == Status::bad_request);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: malformed trailers are refused") {
  for (const std::string_view trailer :
       {"X : y\r\n\r\n", " X: y\r\n\r\n", ": y\r\n\r\n", "X\r\n\r\n", "X: y\n\r\n",
        "X: y\r\n folded\r\n\r\n", "X: a\rb\r\n\r\n", "\rX\r\n"}) {
    CAPTURE(trailer);
    CHECK(parse("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" +
                std::string(trailer))
              .error == ParseError::malformed_trailer);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the head's limit, one below, at and above it") {
  const std::string head =
      "GET /path HTTP/1.1\r\nHost: test\r\nX: " + std::string(60, 'x') + "\r\n\r\n";
  Limits limits;
  limits.head_bytes_max = head.size() + 1;
  CHECK(parse(head, limits).is_complete);
  limits.head_bytes_max = head.size();
  CHECK(parse(head, limits).is_complete);
  limits.head_bytes_max = head.size() - 1;
  CHECK(parse(head, limits).error == ParseError::head_too_large);
  limits.head_bytes_max = 10;
  CHECK(parse(head, limits).error == ParseError::target_too_long);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the target's limit, one below, at and above it") {
  Limits limits;
  limits.target_bytes_max = 20;
  for (const std::size_t bytes : {19U, 20U, 21U}) {
    const Outcome read =
        parse("GET /" + std::string(bytes - 1, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", limits);
    CHECK(read.error == (bytes <= 20 ? ParseError::none : ParseError::target_too_long));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the limit on fields, one below, at and above it") {
  Limits limits;
  limits.fields_max = 5;
  for (int count = 4; count <= 6; ++count) {
    std::string request = "GET / HTTP/1.1\r\nHost: t\r\n";
    for (int i = 1; i < count; ++i) {
      request += "A: b\r\n";
    }
    const Outcome read = parse(request + "\r\n", limits);
    CHECK(read.error == (count <= 5 ? ParseError::none : ParseError::too_many_fields));
    CHECK(read.fields.size() == (count <= 5 ? static_cast<std::size_t>(count) : 0));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the body's limit, one below, at and above it") {
  Limits limits;
  limits.body_bytes_max = 20;
  for (const std::size_t bytes : {19U, 20U, 21U}) {
    const std::string body(bytes, 'b');
    const ParseError expected = bytes <= 20 ? ParseError::none : ParseError::body_too_large;
    CHECK(parse("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(bytes) +
                    "\r\n\r\n" + body,
                limits)
              .error == expected);
    std::string chunks;
    for (const char c : body) {
      chunks += std::string("1\r\n") + c + "\r\n";
    }
    const Outcome read = parse(
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n",
        limits);
    CHECK(read.error == expected);
    CHECK(read.body == (bytes <= 20 ? body : ""));
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "parser: a chunk that would pass the limit is refused by its size alone") {
  Limits limits;
  limits.body_bytes_max = 20;
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto error_of = [&](std::string_view chunks) {
    return parse(head + std::string(chunks), limits).error;
  };
  CHECK(error_of("13\r\n") == ParseError::none);
  CHECK(error_of("14\r\n") == ParseError::none);
  CHECK(error_of("15\r\n") == ParseError::body_too_large);
  CHECK(error_of("FFFFFFFFFFFFFFFF\r\n") == ParseError::body_too_large);
  CHECK(error_of("3\r\nabc\r\n11\r\n") == ParseError::none);
  CHECK(error_of("3\r\nabc\r\n12\r\n") == ParseError::body_too_large);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the limit on chunk extensions, below, at and above it") {
  Limits limits;
  limits.chunk_extension_bytes_max = 12;
  const auto error_of = [&limits](const std::string& chunks) {
    const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    return parse(head + chunks + "0\r\n\r\n", limits).error;
  };
  for (const std::size_t bytes : {11U, 12U, 13U}) {
    CAPTURE(bytes);
    const ParseError expected = bytes <= 12 ? ParseError::none : ParseError::body_too_large;
    CHECK(error_of("1;" + std::string(bytes, 'e') + "\r\nx\r\n") == expected);
    CHECK(error_of("1;" + std::string(bytes - 2, 'e') + "=v\r\nx\r\n") == expected);
    CHECK(error_of("1;a;b;" + std::string(bytes - 4, 'e') + "\r\nx\r\n") == expected);
    // Of all chunks together.
    CHECK(error_of("1;ab=cd\r\nx\r\n1;" + std::string(bytes - 5, 'e') + "\r\nx\r\n") == expected);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: a chunk extension has a name [RFC 9112 §7.1.1]") {
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view extension : {";", ";;", ";;a", ";a;", ";a;;b", ";=v", ";a;=v"}) {
    CAPTURE(extension);
    const std::string body = "1" + std::string(extension) + "\r\nx\r\n0\r\n\r\n";
    CHECK(parse(head + body).error == ParseError::malformed_chunk);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "parser: a chunk's size of endless zeros is refused however it comes") {
  Limits limits;
  limits.chunk_extension_bytes_max = 16;
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& body : {std::string(500, '0') + "1\r\nx\r\n0\r\n\r\n",
                                  "1\r\nx\r\n" + std::string(500, '0') + "\r\n\r\n",
                                  "1" + std::string(500, ';') + "\r\nx\r\n0\r\n\r\n"}) {
    CHECK(parse(head + body, limits).error != ParseError::none);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: 32 bytes around a chunk's data, beside extensions") {
  Limits limits;
  limits.chunk_extension_bytes_max = 16;
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string extension(16, 'e');
  for (const std::size_t bytes : {31U, 32U, 33U}) {
    CAPTURE(bytes);
    const ParseError expected = bytes <= 32 ? ParseError::none : ParseError::body_too_large;
    const auto zeros = [bytes](std::size_t others) { return std::string(bytes - others, '0'); };
    const auto error_of = [&](const std::string& chunks) {
      return parse(head + chunks + "x\r\n0\r\n\r\n", limits).error;
    };
    CHECK(error_of(zeros(3) + "1\r\n") == expected);
    CHECK(error_of("1;e\r\nx\r\n" + zeros(5) + "1\r\n") == expected);
    CHECK(error_of(zeros(2) + "1;" + extension + "\r\n") == expected);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: the trailer's limits, one below, at and above them") {
  Limits limits;
  limits.trailer_bytes_max = 20;
  limits.fields_max = 2;
  const std::string before =
      "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (const std::size_t bytes : {19U, 20U, 21U}) {
    const std::string trailer = "X: " + std::string(bytes - 7, 'x') + "\r\n\r\n";
    REQUIRE(trailer.size() == bytes);
    CHECK(parse(before + trailer, limits).error ==
          (bytes <= 20 ? ParseError::none : ParseError::trailer_too_large));
  }
  CHECK(parse(before + "A:\r\nB:\r\n\r\n", limits).is_complete);
  CHECK(parse(before + "A:\r\nB:\r\nC:\r\n\r\n", limits).error == ParseError::trailer_too_large);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: empty lines before a request are no part of it") {
  const std::string request = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  for (int lines = 0; lines <= 4; ++lines) {
    std::string empty_lines;
    for (int i = 0; i < lines; ++i) {
      empty_lines += "\r\n";
    }
    const Outcome read = parse(empty_lines + request);
    CHECK(read.is_complete);
    CHECK(read.fields.size() == 1);
  }
  CHECK(parse("\r\n\r\n\r\n\r\n\r\n" + request).error == ParseError::malformed_request_line);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: head_complete is reported once, before the body") {
  const Limits limits;
  Arena arena;
  Parser parser(limits);
  parser.begin(arena);
  CHECK(parser.request() == nullptr);
  CHECK(parser.is_before_request());
  CHECK(parser.feed("\r\n").state == Parser::State::need_more);
  CHECK(parser.is_before_request());

  constexpr std::string_view kHead =
      "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  const Parser::Progress head = parser.feed(std::string(kHead) + "abc");
  CHECK(head.state == Parser::State::head_complete);
  CHECK(head.consumed == kHead.size());
  CHECK_FALSE(parser.is_before_request());
  REQUIRE(parser.request() != nullptr);
  CHECK(parser.request()->method() == Method::post);
  CHECK(parser.framing().content_length == 3);
  CHECK(parser.framing().expects_continue);

  CHECK(parser.feed("ab").state == Parser::State::need_more);
  CHECK(parser.body_bytes() == 2);
  const Parser::Progress end = parser.feed("cGET");
  CHECK(end.state == Parser::State::complete);
  CHECK(end.consumed == 1);
  CHECK(parser.request()->body() == "abc");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "parser: one parser reads request after request, even after an error") {
  const Limits limits;
  Parser parser(limits);
  for (int i = 0; i < 3; ++i) {
    {
      Arena arena;
      parser.begin(arena);
      REQUIRE(
          parser.feed("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n").state ==
          Parser::State::head_complete);
      REQUIRE(parser.feed("1\r\nx\r\n0\r\nT: u\r\n\r\n").state == Parser::State::complete);
      CHECK(parser.request()->body() == "x");
    }
    {
      Arena arena;
      parser.begin(arena);
      REQUIRE(parser.feed("GET / HTTP/1.1\r\nHo st").state == Parser::State::failed);
      CHECK(parser.error() == ParseError::malformed_header);
    }
    {
      Arena arena;
      parser.begin(arena);
      CHECK(parser.error() == ParseError::none);
      REQUIRE(parser.feed("GET /b HTTP/1.1\r\nHost: t\r\n\r\n").state == Parser::State::complete);
      CHECK(parser.request()->target() == "/b");
      CHECK(parser.request()->body().empty());
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "parser: an announced body costs no memory until it comes") {
  Limits limits;
  limits.body_bytes_max = std::size_t{1} << 30;
  Arena arena;
  Parser parser(limits);
  parser.begin(arena);
  REQUIRE(parser.feed("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000000\r\n\r\n").state ==
          Parser::State::head_complete);
  REQUIRE(parser.feed("x").state == Parser::State::need_more);
  CHECK(arena.bytes_reserved() <= 256 * 1024);
}

const std::string kLargeRequest =
    "POST /" + std::string(3000, 'p') + " HTTP/1.1\r\nHost: t\r\nX: " + std::string(3000, 'x') +
    "\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + std::string(0x10000, 'b') + "\r\n0\r\n\r\n";

TEST_CASE_FIXTURE(LiveArenas, "parser: over the arena's budget it fails and never throws") {
  const std::string_view request = kLargeRequest;
  std::size_t refused = 0;
  for (const std::vector<std::string_view>& pieces :
       {std::vector{request}, std::vector{request.substr(0, 1000), request.substr(1000)},
        std::vector{request.substr(0, 20'000), request.substr(20'000)}}) {
    for (std::size_t limit = 0; limit <= 512 * 1024; limit += 4096) {
      const Outcome read = parse_pieces(pieces, {}, {.chunk_bytes = 1024, .limit_bytes = limit});
      CAPTURE(limit);
      CHECK(read.is_complete == (read.error == ParseError::none));
      if (!read.is_complete) {
        CHECK(read.error == ParseError::out_of_memory);
        ++refused;
      }
    }
    CHECK(parse_pieces(pieces, {}).is_complete);
  }
  CHECK(refused > 3 * 16);
}

TEST_CASE_FIXTURE(LiveArenas, "parser: fails and never throws when the system's nth answer is no") {
  const std::string_view request = kLargeRequest;
  ScriptedMemory memory;
  int refused = 0;
  for (std::int64_t nth = 1;; ++nth) {
    Arena::trim();
    memory.refuse_nth(nth);
    const auto refusals = memory.refusal_count();
    const Outcome read =
        parse_pieces({request.substr(0, 1000), request.substr(1000)}, {}, {.chunk_bytes = 1024});
    if (memory.refusal_count() == refusals) {
      CHECK(read.is_complete);
      break;
    }
    CHECK(read.error == ParseError::out_of_memory);
    ++refused;
  }
  CHECK(refused >= 2);
}

}  // namespace
}  // namespace stadion::http
