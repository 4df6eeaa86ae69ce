// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Request bodies that the handler reads as they come.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::chunked_head;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::patterned_text;
using tests::post_head;
using tests::post_request;
using tests::RecordedLog;
using tests::RunningServer;

constexpr std::size_t kBufferBytes = 2048;
constexpr RouteOptions kStreamed{.body = BodyMode::streamed};

Task<> gather_pieces(Exchange& exchange) {
  const LiveFrame live;
  std::string body;
  std::size_t piece_max = 0;
  for (;;) {
    const std::string_view piece = co_await exchange.read_body();
    if (piece.empty()) {
      break;
    }
    piece_max = std::max(piece_max, piece.size());
    body += piece;
  }
  CHECK((co_await exchange.read_body()).empty());  // The end is the end.
  exchange.response().header("X-Piece-Max", std::to_string(piece_max)).text(body);
}

void add_routes(Server& server) {
  server.post("/pieces", gather_pieces, kStreamed);
  server.post("/ten", gather_pieces, {.body = BodyMode::streamed, .body_bytes_max = 10});
  server.post(
      "/whole",
      [](Exchange& exchange) -> Task<> {
        const std::string_view body = co_await exchange.receive_body();
        CHECK(body.data() == exchange.request().body().data());
        exchange.response().text(body);
      },
      kStreamed);
  server.post("/buffered", gather_pieces);
  server.post(
      "/ignores",
      [](Exchange& exchange) -> Task<> {
        co_await exchange.sleep(0ms);
        exchange.response().text("ignored");
      },
      kStreamed);
  server.post(
      "/one-piece",
      [](Exchange& exchange) -> Task<> {
        const std::size_t bytes = (co_await exchange.read_body()).size();
        exchange.response().text(bytes > 0 ? "one" : "none");
      },
      kStreamed);
  server.post(
      "/writes-first",
      [](Exchange& exchange) -> Task<> {
        co_await exchange.write("head and ");
        std::string body;
        for (std::string_view piece = co_await exchange.read_body(); !piece.empty();
             piece = co_await exchange.read_body()) {
          body += piece;
        }
        co_await exchange.write(body);
      },
      kStreamed);
  server.get("/", [](const Request&, Response& response) { response.text("next"); });
}

ServerOptions small_buffers() {
  ServerOptions options;
  options.buffer_bytes = kBufferBytes;
  return options;
}

/// Sends the parts so that the server reads them one by one.
void send_in_two(RunningServer& server, HttpClient& client, std::string_view bytes,
                 std::size_t cut) {
  const std::uint64_t before = server->statistics().connections.bytes_in;
  client.send(bytes.substr(0, cut));
  REQUIRE(eventually([&] { return server->statistics().connections.bytes_in == before + cut; }));
  client.send(bytes.substr(cut));
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: a body split at every byte is the same") {
  RunningServer server(add_routes);
  for (const std::string_view target : {"/pieces", "/whole", "/buffered"}) {
    for (const std::string& request :
         {post_request(target, "some content"),
          chunked_head(target) + "4;x=\"y\"\r\nsome\r\n8\r\n content\r\n0\r\nTrailer: x\r\n\r\n"}) {
      HttpClient client = server.connect();
      for (std::size_t cut = 1; cut < request.size(); ++cut) {
        CAPTURE(cut);
        send_in_two(server, client, request, cut);
        REQUIRE(client.read_response().body == "some content");
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: pieces are buffer_bytes at the most, and all there is") {
  RunningServer server(add_routes, small_buffers());
  HttpClient client = server.connect();
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kBufferBytes - 1, kBufferBytes,
                                  kBufferBytes + 1, std::size_t{300'000}}) {
    const std::string body = patterned_text(bytes);
    const std::string size = std::to_string(bytes);
    char hex[20] = {};
    std::snprintf(hex, sizeof hex, "%zx\r\n", bytes);
    for (const std::string& request :
         {post_request("/pieces", body),
          chunked_head("/pieces") + (bytes > 0 ? hex + body + "\r\n" : "") + "0\r\n\r\n"}) {
      CAPTURE(bytes);
      const HttpResponse response = client.exchange(request);
      REQUIRE(response.body == body);
      CHECK(std::stoul(*response.field("X-Piece-Max")) <= kBufferBytes);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: the route's body_bytes_max, one below, at it, one above") {
  RunningServer server(add_routes);
  for (const std::size_t bytes : {std::size_t{9}, std::size_t{10}}) {
    const std::string body(bytes, 'x');
    CHECK(server.exchange(post_request("/ten", body)).body == body);
    CHECK(server
              .exchange(chunked_head("/ten") + "9\r\nxxxxxxxxx\r\n" +
                        (bytes == 10 ? "1\r\nx\r\n" : "") + "0\r\n\r\n")
              .body == body);
  }
  const HttpResponse announced = server.exchange(post_head("/ten", 11));
  CHECK(announced.status == 413);
  CHECK(announced.field("Connection") == "close");
  for (const std::string_view chunks :
       {"b\r\nxxxxxxxxxxx\r\n0\r\n\r\n", "a\r\nxxxxxxxxxx\r\n1\r\ny"}) {
    HttpClient client = server.connect();
    const HttpResponse streamed = client.exchange(chunked_head("/ten") + std::string(chunks));
    CHECK(streamed.status == 413);
    CHECK(streamed.field("Connection") == "close");
    CHECK(client.is_at_end());
  }
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: 413 in mid-stream, after some pieces were read") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  send_in_two(server, client, chunked_head("/ten") + "5\r\nxxxxx\r\n6\r\nxxxxxx\r\n",
              chunked_head("/ten").size() + 10);
  CHECK(client.read_response().status == 413);
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: a malformed chunk is 400, wherever it comes") {
  RecordedLog log;
  RunningServer server(add_routes);
  for (const std::string_view target : {"/pieces", "/whole", "/buffered"}) {
    const std::string request = chunked_head(target) + "3\r\nabcX\r\n";
    for (std::size_t cut = request.size() - 9; cut < request.size() - 1; ++cut) {
      CAPTURE(cut);
      HttpClient client = server.connect();
      send_in_two(server, client, request, cut);
      const HttpResponse response = client.read_response();
      CHECK(response.status == 400);
      CHECK(response.field("Connection") == "close");
      CHECK(client.is_at_end());
    }
    CHECK(server.exchange(request).status == 400);
    CHECK(LiveFrame::count() == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "streamed: a malformed chunk behind the response's head cuts it off") {
  RecordedLog log;
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  client.send(chunked_head("/writes-first") + "3\r\nabcX\r\n");
  const HttpResponse response = client.read_response();
  CHECK(response.status == 200);
  CHECK(response.body == "head and ");
  CHECK_FALSE(response.is_complete);
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: 100 Continue is sent when the handler reads, not before") {
  std::atomic<bool> reads = false;
  RunningServer server([&reads](Server& routes) {
    add_routes(routes);
    routes.post(
        "/later",
        [&reads](Exchange& exchange) -> Task<> {
          while (!reads) {
            co_await exchange.sleep(1ms);
          }
          exchange.response().text(co_await exchange.receive_body());
        },
        kStreamed);
  });
  HttpClient client = server.connect();
  client.send(post_head("/later", 4, "Expect: 100-continue\r\n"));
  CHECK(server.exchange(get_request("/")).body == "next");
  CHECK_FALSE(client.has_input());
  reads = true;
  CHECK(client.read_response().status == 100);
  client.send("body");
  CHECK(client.read_response().body == "body");
  CHECK(client.exchange(get_request("/")).body == "next");
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: no 100 Continue for who does not read: the end instead") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const HttpResponse response =
      client.exchange(post_head("/ignores", 4, "Expect: 100-continue\r\n"));
  CHECK(response.status == 200);
  CHECK(response.field("Connection") == "close");
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: no 100 Continue in the middle of the response") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  client.send(post_head("/writes-first", 4, "Expect: 100-continue\r\n"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  client.send("body");
  const HttpResponse response = client.read_response();
  CHECK(response.status == 200);
  CHECK(response.is_complete);
  CHECK(response.body == "head and body");
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: of an unread body little is discarded, and much ends it") {
  RunningServer server(add_routes);
  constexpr std::size_t kDiscarded = 64 * 1024;
  for (const std::size_t bytes : {std::size_t{1}, kDiscarded - 1, kDiscarded}) {
    CAPTURE(bytes);
    HttpClient client = server.connect();
    client.send(post_head("/ignores", bytes));
    CHECK(client.read_response().body == "ignored");
    client.send(std::string(bytes, 'x') + get_request("/"));
    CHECK(client.read_response().body == "next");
  }
  HttpClient large = server.connect();
  CHECK(large.exchange(post_head("/ignores", kDiscarded + 1)).field("Connection") == "close");
  CHECK(large.is_at_end());
  HttpClient chunked = server.connect();
  CHECK(chunked.exchange(chunked_head("/ignores") + "1\r\nx\r\n").field("Connection") == "close");
  CHECK(chunked.is_at_end());
  HttpClient half_read = server.connect();
  half_read.send(post_head("/one-piece", 10) + "half");
  CHECK(half_read.read_response().body == "one");
  half_read.send("a body" + get_request("/"));
  CHECK(half_read.read_response().body == "next");
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: requests that are pipelined behind a body are answered") {
  RunningServer server(add_routes, small_buffers());
  const std::string body = patterned_text(10'000);
  std::string requests;
  for (int i = 0; i < 30; ++i) {
    requests += post_request("/pieces", body) + get_request("/") + chunked_head("/pieces") +
                "2\r\nab\r\n0\r\n\r\n" + post_request("/ignores", "xyz");
  }
  HttpClient client = server.connect();
  client.send(requests);
  for (int i = 0; i < 30; ++i) {
    REQUIRE(client.read_response().body == body);
    REQUIRE(client.read_response().body == "next");
    REQUIRE(client.read_response().body == "ab");
    REQUIRE(client.read_response().body == "ignored");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: a body that does not come is 408, or cuts the response") {
  RecordedLog log;
  ServerOptions options;
  options.times.body_read_grace = 1ms;
  RunningServer server(add_routes, options);
  for (const std::string_view target : {"/pieces", "/whole", "/buffered"}) {
    HttpClient client = server.connect();
    const HttpResponse response = client.exchange(post_head(target, 5) + "four");
    CHECK(response.status == 408);
    CHECK(response.field("Connection") == "close");
    CHECK(client.is_at_end());
  }
  HttpClient begun = server.connect();
  const HttpResponse cut = begun.exchange(post_head("/writes-first", 5) + "four");
  CHECK(cut.status == 200);
  CHECK_FALSE(cut.is_complete);
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: trailers are there when the body is") {
  RunningServer server([](Server& routes) {
    routes.post(
        "/",
        [](Exchange& exchange) -> Task<> {
          std::size_t early = 0;
          while (!(co_await exchange.read_body()).empty()) {
            early += exchange.request().trailers().size();
          }
          exchange.response().text(exchange.request().trailers().find("x-sum").value_or("none"));
          CHECK(early == 0);
          CHECK_FALSE(exchange.request().header("X-Sum").has_value());
        },
        kStreamed);
  });
  const std::string request = chunked_head("/") + "1\r\na\r\n0\r\nX-Sum: 42 \r\nY: z\r\n\r\n";
  HttpClient client = server.connect();
  for (std::size_t cut = chunked_head("/").size() + 6; cut < request.size(); ++cut) {
    send_in_two(server, client, request, cut);
    CHECK(client.read_response().body == "42");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "streamed: no memory for a piece is 503, and at once") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.post("/", gather_pieces,
                {.body = BodyMode::streamed, .request_memory_bytes_max = 16 * 1024});
  });
  const HttpResponse response = server.exchange(post_head("/", 5) + "four");
  CHECK(response.status == 503);
  CHECK(LiveFrame::count() == 0);
}

}  // namespace
}  // namespace stadion::http
