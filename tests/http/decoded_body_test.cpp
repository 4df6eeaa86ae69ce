// SPDX-License-Identifier: MIT
#include "http/decoded_body.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "tests/support/coded.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using tests::available_codings;
using tests::compressible_text;
using tests::encoded;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::random_text;
using tests::RunningServer;

constexpr std::size_t kDecodedMax = 300'000;

void add_routes(Server& server) {
  const Handler at_once = [](Exchange& exchange) -> Task<> {
    DecodedBody body(exchange, {.bytes_max = kDecodedMax});
    const std::string_view text = co_await body.read_all();
    exchange.response().body_by_reference(text, "application/octet-stream");
  };
  const Handler piecewise = [](Exchange& exchange) -> Task<> {
    DecodedBody body(exchange, {.bytes_max = kDecodedMax});
    std::string text;
    for (;;) {
      const std::string_view piece = co_await body.read();
      if (piece.empty()) {
        break;
      }
      text += piece;
    }
    const std::string_view behind_end = co_await body.read();
    CHECK(behind_end.empty());
    exchange.response().bytes(text, "application/octet-stream");
  };
  for (const auto& [path, mode] :
       {std::pair("/streamed", BodyMode::streamed), std::pair("/buffered", BodyMode::buffered)}) {
    server.post(path, at_once, {.body = mode});
    server.post(path + std::string("/pieces"), piecewise, {.body = mode});
  }
}

constexpr const char* kPaths[] = {"/streamed", "/streamed/pieces", "/buffered", "/buffered/pieces"};

std::string head(std::string_view path, std::string_view coding) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" +
         (coding.empty() ? "" : "Content-Encoding: " + std::string(coding) + "\r\n");
}
std::string post(std::string_view path, std::string_view coding, std::string_view body) {
  return head(path, coding) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: each coding is taken off, in pieces and at once") {
  RunningServer server(add_routes);
  for (const std::string& text :
       {std::string(), std::string("a"), compressible_text(200'000), random_text(kDecodedMax)}) {
    for (const ContentCoding coding : available_codings()) {
      for (const char* path : kPaths) {
        CAPTURE(to_string(coding));
        CAPTURE(path);
        CAPTURE(text.size());
        const HttpResponse response =
            server.exchange(post(path, to_string(coding), encoded(coding, text)));
        CHECK(response.status == 200);
        CHECK((response.body == text));
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: one without a coding is as it was sent") {
  RunningServer server(add_routes);
  const std::string text = random_text(400'000);  // Limits are for what is decoded.
  for (const char* path : kPaths) {
    for (const std::string_view coding : {"", "identity", "Identity", "identity, identity"}) {
      CAPTURE(path);
      CAPTURE(coding);
      CHECK((server.exchange(post(path, coding, text)).body == text));
      CHECK(server.exchange(post(path, coding, "")).status == 200);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: the coding's name has no case, and x-gzip is gzip") {
  REQUIRE(is_available(ContentCoding::gzip));
  RunningServer server(add_routes);
  const std::string body = encoded(ContentCoding::gzip, "hello");
  for (const std::string_view coding : {"GZIP", "x-gzip", " gzip ", "identity, gzip", ",gzip,"}) {
    CAPTURE(coding);
    CHECK(server.exchange(post("/streamed", coding, body)).body == "hello");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: an unknown coding, or several, are refused") {
  RunningServer server(add_routes);
  const std::string body = encoded(ContentCoding::gzip, "hello");
  for (const std::string_view coding :
       {"deflate", "compress", "gzip2", "gzip, gzip", "gzip, br", "deflate, gzip", "gzip, deflate",
        "gzip\r\nContent-Encoding: gzip", "gzip;q=1", "*"}) {
    for (const char* path : kPaths) {
      CAPTURE(coding);
      CAPTURE(path);
      const HttpResponse response = server.exchange(post(path, coding, body));
      CHECK(response.status == 415);
      CHECK(response.body.find("gzip") != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: one that is too large, or a bomb, is refused") {
  RunningServer server(add_routes);
  for (const ContentCoding coding : available_codings()) {
    for (const char* path : kPaths) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      const auto status_of = [&](const std::string& text) {
        return server.exchange(post(path, to_string(coding), encoded(coding, text))).status;
      };
      CHECK(status_of(random_text(kDecodedMax)) == 200);
      CHECK(status_of(random_text(kDecodedMax + 1)) == 413);
      CHECK(status_of(std::string(250'000, 'a')) == 413);    // By its ratio.
      CHECK(status_of(std::string(50 << 20, '\0')) == 413);  // 50 MiB.
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: one that is cut short, or goes on, is malformed") {
  RunningServer server(add_routes);
  const std::string text = compressible_text(50'000);
  for (const ContentCoding coding : available_codings()) {
    const std::string body = encoded(coding, text);
    for (const char* path : kPaths) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      const auto status_of = [&](const std::string& sent) {
        return server.exchange(post(path, to_string(coding), sent)).status;
      };
      CHECK(status_of("") == 400);
      CHECK(status_of(body.substr(0, 1)) == 400);
      CHECK(status_of(body.substr(0, body.size() / 2)) == 400);
      CHECK(status_of(body.substr(0, body.size() - 1)) == 400);
      CHECK(status_of(body + "x") == 400);
      CHECK(status_of(text) == 400);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoded body: chunks may split it anywhere") {
  RunningServer server(add_routes);
  const std::string text = compressible_text(20'000);
  for (const ContentCoding coding : available_codings()) {
    const std::string body = encoded(coding, text);
    for (const char* path : kPaths) {
      for (const std::size_t step : {1U, 7U, 15U}) {
        CAPTURE(to_string(coding));
        CAPTURE(path);
        CAPTURE(step);
        HttpClient client = server.connect();
        client.send(head(path, to_string(coding)) + "Transfer-Encoding: chunked\r\n\r\n");
        std::string chunks;
        for (std::size_t at = 0; at < body.size(); at += step) {
          const std::string data = body.substr(at, step);
          chunks += std::string(1, "0123456789abcdef"[data.size()]) + "\r\n" + data + "\r\n";
        }
        for (std::size_t at = 0; at < chunks.size(); at += 1009) {
          client.send(std::string_view(chunks).substr(at, 1009));
        }
        client.send("0\r\n\r\n");
        CHECK((client.read_response().body == text));
        CHECK((client.exchange(post(path, to_string(coding), body)).body == text));
      }
    }
  }
}

}  // namespace
}  // namespace stadion::http
