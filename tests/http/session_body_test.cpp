// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "http/session.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/running_server.hpp"

/// Request bodies through a whole server: their limits, and Expect.
namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RunningServer;

constexpr std::size_t kBodyBytesMax = 100'000;

ServerOptions small_bodies() {
  ServerOptions options;
  options.limits.body_bytes_max = kBodyBytesMax;
  return options;
}

void add_echo(Server& server) {
  server.post("/echo", [](const Request& request, Response& response) {
    response.body_by_reference(request.body(), "application/octet-stream");
  });
}

std::string with_length(std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string chunk_of(std::string_view data) {
  char head[20];
  std::snprintf(head, sizeof head, "%zx\r\n", data.size());
  return head + std::string(data) + "\r\n";
}

constexpr std::string_view kChunkedHead =
    "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string in_chunks(std::string_view body, std::size_t chunk_bytes) {
  std::string request(kChunkedHead);
  for (; !body.empty(); body.remove_prefix(std::min(chunk_bytes, body.size()))) {
    request += chunk_of(body.substr(0, chunk_bytes));
  }
  return request + "0\r\n\r\n";
}

TEST_CASE_FIXTURE(LiveArenas, "body: one below, at and above the limit, by Content-Length") {
  RunningServer server(add_echo, small_bodies());
  HttpClient client = server.connect();
  for (const std::size_t bytes : {kBodyBytesMax - 1, kBodyBytesMax}) {
    const std::string body = patterned_text(bytes);
    const HttpResponse response = client.exchange(with_length(body));
    CHECK(response.status == 200);
    CHECK(response.body == body);
  }
  CHECK(client.exchange(with_length(patterned_text(kBodyBytesMax + 1))).status == 413);
  client.shutdown_send();
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "body: one below, at and above the limit, in chunks") {
  RunningServer server(add_echo, small_bodies());
  HttpClient client = server.connect();
  for (const std::size_t chunk_bytes : {std::size_t{100}, std::size_t{4096}, kBodyBytesMax}) {
    for (const std::size_t bytes : {kBodyBytesMax - 1, kBodyBytesMax}) {
      const std::string body = patterned_text(bytes);
      const HttpResponse response = client.exchange(in_chunks(body, chunk_bytes));
      CHECK(response.status == 200);
      CHECK(response.body == body);
    }
  }
  CHECK(client.exchange(in_chunks(patterned_text(kBodyBytesMax + 1), 4096)).status == 413);
  client.shutdown_send();
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "body: 413 arrives though the client sends on to its end [RFC 9112 §9.6]") {
  const std::string body = patterned_text(4 * 1024 * 1024);
  RunningServer server(add_echo, small_bodies());
  for (const std::string& request : {with_length(body), in_chunks(body, 10'000)}) {
    HttpClient client = server.connect();
    CHECK(client.send(request));
    client.shutdown_send();
    const HttpResponse response = client.read_response();
    CHECK(response.is_complete);
    CHECK(response.status == 413);
    CHECK(response.field("Connection") == "close");
    CHECK(client.is_at_end());
    CHECK_FALSE(client.was_reset());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "body: an announced length over the limit is refused unread") {
  RunningServer server(add_echo, small_bodies());
  for (const std::string_view length : {"100001", "18446744073709551615"}) {
    HttpClient client = server.connect();
    const HttpResponse response = client.exchange(
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::string(length) + "\r\n\r\n");
    CHECK(response.status == 413);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "body: without a length a request has none, whatever its method") {
  RunningServer server(add_echo, small_bodies());
  HttpClient client = server.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\n\r\nPOST /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    const HttpResponse response = client.read_response();
    CHECK(response.status == 200);
    CHECK(response.field("Content-Length") == "0");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "body: a GET may have one, which is read [RFC 9110 §9.3.1]") {
  RunningServer server([](Server& made) {
    made.get("/",
             [](const Request& request, Response& response) { response.text(request.body()); });
  });
  HttpClient client = server.connect();
  client.send(
      "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nfirst"
      "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\nsecond");
  CHECK(client.read_response().body == "first");
  CHECK(client.read_response().body == "second");
}

TEST_CASE_FIXTURE(LiveArenas, "body: 100 Continue comes before the body [RFC 9110 §10.1.1]") {
  RunningServer server(add_echo, small_bodies());
  HttpClient client = server.connect();
  for (const std::string_view framing : {"Content-Length: 4", "Transfer-Encoding: chunked"}) {
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-Continue\r\n" +
                std::string(framing) + "\r\n\r\n");
    const HttpResponse interim = client.read_response();
    CHECK(interim.head == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(framing.starts_with("C") ? "body" : "4\r\nbody\r\n0\r\n\r\n");
    CHECK(client.read_response().body == "body");
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "body: no 100 Continue for one that has begun, is refused, empty, or HTTP/1.0") {
  struct Case {
    const char* request;
    int status;
  };
  const Case cases[] = {
      {"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
       200},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n",
       413},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\r\n", 200},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", 200},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 200-ok\r\nContent-Length: 4\r\n\r\n", 417},
  };
  RunningServer server(add_echo, small_bodies());
  for (const Case& example : cases) {
    CAPTURE(example.request);
    CHECK(server.exchange(example.request).status == example.status);
  }

  HttpClient old = server.connect();
  const std::uint64_t bytes_before = server->statistics().connections.bytes_in;
  old.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  REQUIRE(eventually([&] { return server->statistics().connections.bytes_in > bytes_before; }));
  old.send("body");
  CHECK(old.read_response().status == 200);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "body: 100 Continue comes even when the output buffer is full of answers") {
  // The first answer leaves less room than the interim response needs; both requests arrive
  // together.
  ServerOptions options;
  options.buffer_bytes = 2048;
  options.times.body_read_grace = std::chrono::seconds(1);
  RunningServer server(add_echo, options);
  HttpClient client = server.connect();
  const HttpResponse small = client.exchange(with_length("x"));
  // Four digits of length instead of one, and room for ten bytes.
  const std::size_t body_bytes = options.buffer_bytes - 10 - (small.head.size() + 3);
  const std::string first = with_length(patterned_text(body_bytes));
  const std::string second =
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  REQUIRE(first.size() + second.size() <= options.buffer_bytes);
  client.send(first + second);
  CHECK(client.read_response().body.size() == body_bytes);
  CHECK(client.read_response().status == 100);
  client.send("body");
  CHECK(client.read_response().body == "body");
}

TEST_CASE_FIXTURE(LiveArenas, "body: chunk extensions and trailers are read over, up to a limit") {
  ServerOptions options = small_bodies();
  options.limits.chunk_extension_bytes_max = 10;
  options.limits.trailer_bytes_max = 20;
  RunningServer server(add_echo, options);
  const auto status_of = [&server](const std::string& body) {
    return server.exchange(std::string(kChunkedHead) + body).status;
  };
  CHECK(status_of("1;12345=678a\r\nx\r\n0\r\n\r\n") == 200);
  CHECK(status_of("1;12345=678ab\r\nx\r\n0\r\n\r\n") == 413);
  CHECK(status_of("1;12345\r\nx\r\n1;12345\r\nx\r\n0\r\n\r\n") == 200);
  CHECK(status_of("1;12345\r\nx\r\n1;123456\r\nx\r\n0\r\n\r\n") == 413);
  CHECK(status_of("1\r\nx\r\n0\r\nT: 345678901234567\r\n\r\n") == 431);
  CHECK(status_of("1\r\nx\r\n0\r\nT: 3456789012345\r\n\r\n") == 200);
  CHECK(status_of("1\r\nx\r\n0\r\nT : bad\r\n\r\n") == 400);
}

TEST_CASE_FIXTURE(LiveArenas, "body: one that the request's memory cannot hold is answered 503") {
  ServerOptions options;
  options.limits.body_bytes_max = 1024 * 1024;
  options.limits.request_memory_bytes_max = 128 * 1024;
  RunningServer server(add_echo, options);
  HttpClient client = server.connect();
  client.send(with_length(patterned_text(512 * 1024)));
  client.shutdown_send();
  const HttpResponse response = client.read_response();
  CHECK(response.is_complete);
  CHECK(response.status == 503);
  CHECK(response.field("Connection") == "close");
}

}  // namespace
}  // namespace stadion::http
