// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "http/compression.hpp"
#include "http/json.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/counted_mallocs.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/site.hpp"

/// Document Rule 2, "no malloc beside the arena", for whole requests: every malloc and operator new
/// on the Worker's thread, the libraries' too, in the steady state of a connection.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::file_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::mallocs_so_far;
using tests::RunningServer;

constexpr std::size_t kEchoBytes = 64 * 1024;
constexpr int kRequests = 200;

const std::string kText = tests::compressible_text(20'000);
const std::string kFile = tests::compressible_text(300'000);

void add_routes(Server& server) {
  server.get("/mallocs", [](const Request&, Response& response) {
    boost::json::value count(mallocs_so_far(), json_storage(response.arena()));
    answer_json(response, count);
  });
  server.get("/malloc", [](const Request&, Response& response) {
    void* volatile memory = ::operator new(100);  // A compiler may leave out what nobody looks at.
    ::operator delete(memory);
    response.text("");
  });
  server.get("/plaintext",
             [](const Request&, Response& response) { response.text("Hello, World!"); });
  server.post("/json", [](const Request& request, Response& response) {
    boost::json::object reply(json_storage(request.arena()));
    reply["asked"] = std::move(json_body(request));
    reply["message"] = "Hello, World! This is longer than what a string keeps within itself.";
    boost::json::array& numbers = reply["numbers"].emplace_array();
    for (int number = 0; number < 100; ++number) {
      numbers.push_back(number * 0.5);
    }
    answer_json(response, reply);
  });
  server.get("/timer", [](Exchange& exchange) -> Task<> {
    co_await exchange.sleep(1ms);
    exchange.response().text("waited");
  });
  server.post("/echo/buffered", [](const Request& request, Response& response) {
    response.body_by_reference(request.body(), "text/plain");
  });
  server.post("/echo/streamed",
              [](Exchange& exchange) -> Task<> {
                exchange.response().announce_length(kEchoBytes);
                for (;;) {
                  const std::string_view piece = co_await exchange.read_body();
                  if (piece.empty()) {
                    break;
                  }
                  co_await exchange.write(piece);
                }
              },
              {.body = BodyMode::streamed});
  auto compressed = server.group("/compressed");
  compressed.use(compression());
  compressed.get("/text", [](const Request&, Response& response) {
    response.body_by_reference(kText, "text/plain");
  });
  compressed.get("/stream", [](const Request&, Response& response) {
    response.body_by_reference(kFile, "text/plain");
  });
}

std::uint64_t mallocs_of_worker(HttpClient& client) {
  return std::stoull(client.exchange("GET /mallocs HTTP/1.1\r\nHost: t\r\n\r\n").body);
}

/// Calls on the Worker's thread while it answers this request so many times.
std::uint64_t mallocs_for(HttpClient& client, std::string_view request, int times = kRequests) {
  const std::uint64_t before = mallocs_of_worker(client);
  for (int i = 0; i < times; ++i) {
    const HttpResponse response = client.exchange(request);
    REQUIRE(response.status == 200);
    REQUIRE(response.is_complete);
  }
  return mallocs_of_worker(client) - before;
}

/// Once the caches are warm, none.
void check_zero(const RunningServer& server, std::string_view request) {
  HttpClient client = server.connect();
  (void)mallocs_for(client, request);
  CHECK(mallocs_for(client, request) == 0);
}

std::string get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: the counter sees what a handler allocates") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  (void)mallocs_for(client, get("/plaintext"));
  CHECK(mallocs_for(client, get("/malloc")) == kRequests);
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: plaintext") {
  RunningServer server(add_routes);
  check_zero(server, get("/plaintext"));
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: JSON that is parsed, built and sent") {
  RunningServer server(add_routes);
  check_zero(server, post("/json",
                          "{\"user\":{\"name\":\"ann\",\"tags\":[\"a\",\"b\",1.5,null]},"
                          "\"text\":\"as long as no small string could ever be\"}"));
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: a coroutine that awaits a timer") {
  RunningServer server(add_routes);
  check_zero(server, get("/timer"));
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: an echo of 64 KiB, buffered and streamed") {
  RunningServer server(add_routes);
  const std::string body = tests::patterned_text(kEchoBytes);
  for (const std::string_view path : {"/echo/buffered", "/echo/streamed"}) {
    CAPTURE(path);
    CHECK((server.exchange(post(path, body)).body == body));
    check_zero(server, post(path, body));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: a static file") {
  const tests::Site site;
  site.write("www/large.txt", kFile);
  RunningServer server([&](Server& made) {
    add_routes(made);
    site.served()(made);
  });
  check_zero(server, file_request("hello.txt"));
  check_zero(server, file_request("large.txt"));
}

TEST_CASE_FIXTURE(LiveArenas, "zero allocations: a compressed response, whole and in pieces") {
  RunningServer server(add_routes);
  for (const ContentCoding coding : tests::available_codings()) {
    const std::string accept = "Accept-Encoding: " + std::string(to_string(coding)) + "\r\n";
    for (const std::string_view path : {"/compressed/text", "/compressed/stream"}) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      CHECK(server.exchange(get(path, accept)).field("Content-Encoding") == to_string(coding));
      check_zero(server, get(path, accept));
    }
  }
}

}  // namespace
}  // namespace stadion::http
