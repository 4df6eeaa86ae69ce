// SPDX-License-Identifier: MIT
#include "http/head_guard.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace stadion::http {
namespace {

/// What became of some bytes: how far they were read, and whether that was a whole head.
struct Verdict {
  std::size_t consumed = 0;
  bool complete = false;
  ParseError error = ParseError::none;
  std::size_t fields = 0;

  bool operator==(const Verdict&) const = default;
};

enum class Kind { head, trailer };

Verdict scan_pieces(const std::vector<std::string_view>& pieces, const Limits& limits, Kind kind) {
  HeadGuard guard(limits);
  kind == Kind::head ? guard.begin_head() : guard.begin_trailer();
  Verdict verdict;
  for (const std::string_view piece : pieces) {
    if (verdict.complete || verdict.error != ParseError::none) {
      break;
    }
    const HeadGuard::Result result = guard.scan(piece);
    CHECK(result.consumed <= piece.size());
    if (!result.complete && result.error == ParseError::none) {
      CHECK(result.consumed == piece.size());
    }
    verdict.consumed += result.consumed;
    verdict.complete = result.complete;
    verdict.error = result.error;
  }
  verdict.fields = guard.field_count();
  return verdict;
}

/// The verdict, which is the same whole, split at any byte, and byte by byte.
Verdict scan(std::string_view bytes, const Limits& limits = {}, Kind kind = Kind::head) {
  CAPTURE(bytes);
  const Verdict whole = scan_pieces({bytes}, limits, kind);
  std::vector<std::string_view> single_bytes;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    single_bytes.push_back(bytes.substr(cut, 1));
    CHECK(scan_pieces({bytes.substr(0, cut), bytes.substr(cut)}, limits, kind) == whole);
  }
  CHECK(scan_pieces(single_bytes, limits, kind) == whole);
  return whole;
}

TEST_CASE("head guard: a head ends with its empty line, and what follows is not its own") {
  for (const std::string_view head :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET / HTTP/1.1\r\nA:\r\nB: \r\nC:\t x\t\xFF \r\n\r\n", "x\r\n\r\n"}) {
    const Verdict alone = scan(head);
    CHECK(alone.complete);
    CHECK(alone.consumed == head.size());
    const Verdict followed = scan(std::string(head) + "\r\nGET");
    CHECK(followed == alone);
  }
  CHECK(scan("GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n").fields == 2);
}

TEST_CASE("head guard: without its end a head is not complete, and not an error") {
  const std::string head = "\r\nGET / HTTP/1.1\r\nHost: t\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    const Verdict verdict = scan(std::string_view(head).substr(0, size));
    CHECK_FALSE(verdict.complete);
    CHECK(verdict.error == ParseError::none);
    CHECK(verdict.consumed == size);
  }
}

TEST_CASE("head guard: what no strict reader takes is refused where it stands") {
  struct Case {
    std::string_view bytes;
    ParseError error;
    std::size_t consumed;
  };
  using namespace std::string_view_literals;
  constexpr auto kRequestLine = ParseError::malformed_request_line;
  constexpr auto kHeader = ParseError::malformed_header;
  const Case cases[] = {
      {" GET", kRequestLine, 0},
      {"\nGET", kRequestLine, 0},
      {"\r\rGET", kRequestLine, 1},
      {"\rGET", kRequestLine, 1},
      {"\x16\x03\x01\x02", kRequestLine, 0},  // The beginning of TLS.
      {"GET / HTTP/1.1\n", kRequestLine, 14},
      {"GET /\0 HTTP/1.1\r\n"sv, kRequestLine, 5},
      {"GET /\t HTTP/1.1\r\n", kRequestLine, 5},
      {"GET /# HTTP/1.1\r\n", kRequestLine, 5},
      {"GET /\x80 HTTP/1.1\r\n", kRequestLine, 5},
      {"GET / HTTP/1.1\rHost", kHeader, 15},
      {"GET / HTTP/1.1\r\r\n", kHeader, 15},
      {"G\r\n\nHost", kHeader, 3},
      {"G\r\n Host: t\r\n", kHeader, 3},
      {"G\r\n\tHost: t\r\n", kHeader, 3},
      {"G\r\n: t\r\n", kHeader, 3},
      {"G\r\nHost : t\r\n", kHeader, 7},
      {"G\r\nHost\t: t\r\n", kHeader, 7},
      {"G\r\nHost\r\n", kHeader, 7},
      {"G\r\nHo\0st: t\r\n"sv, kHeader, 5},
      {"G\r\nH\xC3\xB6st: t\r\n", kHeader, 4},
      {"G\r\nA: b\nC: d\r\n", kHeader, 7},
      {"G\r\nA: b\rC: d\r\n", kHeader, 8},
      {"G\r\nA: b\r\r\n", kHeader, 8},
      {"G\r\nA: b\0c\r\n"sv, kHeader, 7},
      {"G\r\nA: b\x7F\r\n", kHeader, 7},
      {"G\r\nA: b\x01\r\n", kHeader, 7},
      {"G\r\nA: b\r\n c\r\n", kHeader, 9},
      {"G\r\nA:\r\n b\r\n", kHeader, 7},
      {"G\r\n\rX", kHeader, 4},
      {"G\r\nA: b\r\n\r\r\n", kHeader, 10},
  };
  for (const Case& example : cases) {
    const Verdict verdict = scan(example.bytes);
    CAPTURE(example.bytes);
    CHECK(verdict.error == example.error);
    CHECK(verdict.consumed == example.consumed);
    CHECK_FALSE(verdict.complete);
  }
}

TEST_CASE("head guard: up to four empty lines may precede a head [RFC 9112 §2.2]") {
  std::string lines;
  for (int count = 0; count <= 6; ++count, lines += "\r\n") {
    const Verdict verdict = scan(lines + "GET / HTTP/1.1\r\n\r\n");
    CAPTURE(count);
    CHECK(verdict.complete == (count <= 4));
    CHECK(verdict.error == (count <= 4 ? ParseError::none : ParseError::malformed_request_line));
  }
}

TEST_CASE("head guard: it knows whether a request has begun") {
  const Limits limits;
  HeadGuard guard(limits);
  CHECK(guard.before_request_line());
  (void)guard.scan("\r");
  CHECK(guard.before_request_line());
  (void)guard.scan("\n");
  CHECK(guard.before_request_line());
  (void)guard.scan("G");
  CHECK_FALSE(guard.before_request_line());
  guard.begin_head();
  CHECK(guard.before_request_line());
  guard.begin_trailer();
  CHECK_FALSE(guard.before_request_line());
}

TEST_CASE("head guard: the limit in bytes, one below, at and above it") {
  const std::string head = "GET / HTTP/1.1\r\nHost: test\r\nX: y\r\n\r\n";
  Limits limits;
  for (const std::size_t limit : {head.size() + 1, head.size()}) {
    limits.head_bytes_max = limit;
    CHECK(scan(head, limits).complete);
    CHECK(scan(head + "what follows does not count", limits).complete);
  }
  for (std::size_t limit = 0; limit < head.size(); ++limit) {
    limits.head_bytes_max = limit;
    const Verdict verdict = scan(head, limits);
    CAPTURE(limit);
    CHECK(verdict.consumed == limit);
    CHECK(verdict.error == (limit < 15 ? ParseError::target_too_long : ParseError::head_too_large));
  }
}

TEST_CASE("head guard: the limit on fields, one below, at and above it") {
  Limits limits;
  limits.fields_max = 3;
  const std::string line = "GET / HTTP/1.1\r\n";
  CHECK(scan(line + "A:\r\nB:\r\n\r\n", limits).complete);
  CHECK(scan(line + "A:\r\nB:\r\nC:\r\n\r\n", limits).complete);
  const Verdict above = scan(line + "A:\r\nB:\r\nC:\r\nD:\r\n\r\n", limits);
  CHECK(above.error == ParseError::too_many_fields);
  CHECK(above.consumed == line.size() + 12);  // Refused at the fourth one's first byte.
}

TEST_CASE("head guard: a trailer has fields and an empty line alone [RFC 9112 §7.1.2]") {
  const Limits limits;
  CHECK(scan("\r\n", limits, Kind::trailer).complete);
  CHECK(scan("A: b\r\n\r\n", limits, Kind::trailer).complete);
  CHECK(scan("A: b\r\n\r\nGET", limits, Kind::trailer).consumed == 8);
  for (const std::string_view bytes :
       {"\n", " A: b\r\n", ": b\r\n", "A : b\r\n", "A\r\n", "A: b\n"}) {
    CHECK(scan(bytes, limits, Kind::trailer).error == ParseError::malformed_header);
  }
}

TEST_CASE("head guard: a trailer has limits of its own") {
  Limits limits;
  limits.head_bytes_max = 5;
  limits.trailer_bytes_max = 10;
  limits.fields_max = 1;
  CHECK(scan("A: bc\r\n\r\n", limits, Kind::trailer).complete);
  CHECK(scan("A: bcd\r\n\r\n", limits, Kind::trailer).complete);
  CHECK(scan("A: bcde\r\n\r\n", limits, Kind::trailer).error == ParseError::head_too_large);
  CHECK(scan("A:\r\nB:\r\n\r\n", limits, Kind::trailer).error == ParseError::too_many_fields);
}

TEST_CASE("head guard: begin_head() forgets what was counted") {
  Limits limits;
  const std::string head = "G\r\nA: b\r\n\r\n";
  limits.head_bytes_max = head.size();
  limits.fields_max = 1;
  HeadGuard guard(limits);
  for (int i = 0; i < 5; ++i) {
    guard.begin_head();
    CHECK(guard.scan(head).complete);
    CHECK(guard.field_count() == 1);
    guard.begin_trailer();
    CHECK(guard.scan("A: b\r\n\r\n").complete);
  }
}

}  // namespace
}  // namespace stadion::http
