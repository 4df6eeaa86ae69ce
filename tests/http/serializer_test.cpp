// SPDX-License-Identifier: MIT
#include "http/serializer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

/// The head; checks that it is no longer than announced.
std::string head_of(const Response& response, const ResponseFraming& framing) {
  const std::size_t bytes_max = head_bytes_max(response, kDate);
  std::string head(bytes_max + 1, '~');
  const char* const end = write_head(head.data(), response, framing, kDate);
  const auto size = static_cast<std::size_t>(end - head.data());
  CHECK(size <= bytes_max);
  CHECK(head.back() == '~');
  head.resize(size);
  return head;
}

struct Asked {
  Method method = Method::get;
  Version version = Version::http_1_1;
  bool keep_alive = true;
};

std::string head_for(const Response& response, Asked asked) {
  return head_of(response, frame_response(response, asked.method, asked.version, asked.keep_alive));
}

BodyFraming body_framing(const Response& response, Asked asked) {
  return frame_response(response, asked.method, asked.version, asked.keep_alive).body;
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: the exact bytes of a head") {
  Arena arena;
  Response response(arena);
  response.text("Hello").header("X-One", "1").header("X-Empty", "");
  CHECK(head_for(response, {}) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nX-One: 1\r\nX-Empty: \r\n"
        "Content-Length: 5\r\n\r\n");
  CHECK(head_for(response, {.keep_alive = false}) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nX-One: 1\r\nX-Empty: \r\n"
        "Content-Length: 5\r\n\r\n");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "serializer: without a body the length is 0, without a type no type") {
  Arena arena;
  Response response(arena);
  response.status(Status::not_found);
  CHECK(head_for(response, {}) ==
        "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Length: 0\r\n\r\n");
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: a status without a name keeps its space [RFC 9112 §4]") {
  Arena arena;
  Response response(arena);
  response.status(Status{299});
  CHECK(head_for(response, {}).starts_with("HTTP/1.1 299 \r\n"));
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: HTTP/1.0 is told that its connection is kept") {
  Arena arena;
  Response response(arena);
  response.text("x");
  const std::string kept = head_for(response, {.version = Version::http_1_0});
  CHECK(kept.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(kept.find("\r\nConnection: keep-alive\r\n") != std::string::npos);
  const std::string closed =
      head_for(response, {.version = Version::http_1_0, .keep_alive = false});
  CHECK(closed.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(closed.find("keep-alive") == std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: HEAD has the length and no body") {
  Arena arena;
  Response response(arena);
  response.text("Hello");
  CHECK(body_framing(response, {.method = Method::head}) == BodyFraming::none);
  CHECK(head_for(response, {.method = Method::head}) == head_for(response, {}));
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: 204 and 304 have neither length nor body, nor chunks") {
  Arena arena;
  for (const Status status : {Status::no_content, Status::not_modified}) {
    Response response(arena);
    response.status(status).text("never sent");
    CHECK(body_framing(response, {}) == BodyFraming::none);
    CHECK(head_for(response, {}).find("Content-Length") == std::string::npos);
    response.stream("a/b", [](BodyWriter&) { return false; });
    CHECK(body_framing(response, {}) == BodyFraming::none);
    CHECK(head_for(response, {}).find("Transfer-Encoding") == std::string::npos);
    CHECK(frame_response(response, Method::get, Version::http_1_0, true).keep_alive);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "serializer: a stream is chunked, has its length, or ends by closing") {
  Arena arena;
  Response unknown(arena);
  unknown.stream("a/b", [](BodyWriter&) { return false; });
  CHECK(body_framing(unknown, {}) == BodyFraming::chunked);
  CHECK(head_for(unknown, {}) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: a/b\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");

  const ResponseFraming old = frame_response(unknown, Method::get, Version::http_1_0, true);
  CHECK(old.body == BodyFraming::until_close);
  CHECK_FALSE(old.keep_alive);
  CHECK(head_of(unknown, old) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n"
        "Content-Type: a/b\r\n\r\n");

  Response known(arena);
  known.stream("a/b", std::numeric_limits<std::uint64_t>::max(), [](BodyWriter&) { return false; });
  CHECK(body_framing(known, {}) == BodyFraming::content_length);
  CHECK(body_framing(known, {.version = Version::http_1_0}) == BodyFraming::content_length);
  CHECK(head_for(known, {}).find("\r\nContent-Length: 18446744073709551615\r\n") !=
        std::string::npos);
}

TEST_CASE("serializer: chunk heads") {
  const auto chunk_head = [](std::size_t bytes) {
    std::string line(kChunkHeadBytesMax + 1, '~');
    char* const end = write_chunk_head(line.data(), bytes);
    CHECK(line.back() == '~');
    return line.substr(0, static_cast<std::size_t>(end - line.data()));
  };
  CHECK(chunk_head(0) == "0\r\n");
  CHECK(chunk_head(1) == "1\r\n");
  CHECK(chunk_head(255) == "ff\r\n");
  CHECK(chunk_head(4096) == "1000\r\n");
  const std::string longest = chunk_head(std::numeric_limits<std::size_t>::max());
  CHECK(longest == "ffffffffffffffff\r\n");
  CHECK(longest.size() == kChunkHeadBytesMax);
}

TEST_CASE_FIXTURE(LiveArenas, "serializer: trailer fields stand behind the last chunk") {
  Arena arena;
  Fields trailers(arena);
  const auto last_chunk = [&trailers] {
    std::string text(last_chunk_bytes(trailers), '~');
    CHECK(write_last_chunk(text.data(), trailers) == text.data() + text.size());
    return text;
  };
  CHECK(last_chunk() == "0\r\n\r\n");
  trailers.add("X-Sum", "1");
  trailers.add("X-Count", "2");
  CHECK(last_chunk() == "0\r\nX-Sum: 1\r\nX-Count: 2\r\n\r\n");
}

}  // namespace
}  // namespace stadion::http
