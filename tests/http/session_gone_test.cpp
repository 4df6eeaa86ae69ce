// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "http/session.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/running_server.hpp"

/// Clients that go away at the worst moment leave nothing behind.
namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RunningServer;

constexpr int kRounds = 20;

/// What a test of this file counts: producers that were made and not destroyed.
std::atomic<int> live_producers = 0;

class CountedProducer {
 public:
  CountedProducer() { ++live_producers; }
  CountedProducer(CountedProducer&&) noexcept { ++live_producers; }
  ~CountedProducer() { --live_producers; }
  bool operator()(BodyWriter& out) {
    out.write("line after line after line\n");
    return true;
  }
};

void add_routes(Server& server) {
  static const std::string large = patterned_text(8 * 1024 * 1024);
  server.get("/large", [](const Request&, Response& response) {
    response.body_by_reference(large, "text/plain");
  });
  server.get("/endless", [](const Request&, Response& response) {
    response.stream("text/plain", CountedProducer());
  });
  server.post("/echo",
              [](const Request& request, Response& response) { response.text(request.body()); });
}

enum class Leaves { in_order, by_reset };

/// Has clients send this, wait until the server is at it, and go; then nothing may be left of them.
void check_nothing_is_left(std::string_view request, bool awaits_response) {
  CAPTURE(request);
  ServerOptions options;
  options.times.linger_max = std::chrono::milliseconds(1);
  RunningServer server(add_routes, options);
  const std::size_t live_before = Arena::debug_live_count();
  const std::size_t bytes_before = Arena::debug_live_bytes();
  for (const Leaves leaves : {Leaves::in_order, Leaves::by_reset}) {
    for (int i = 0; i < kRounds; ++i) {
      const auto bytes_in = server->statistics().connections.bytes_in;
      HttpClient client = server.connect({.receive_buffer_bytes = 4096});
      client.send(request);
      REQUIRE(eventually([&] {
        return awaits_response
                   ? client.has_input()
                   : server->statistics().connections.bytes_in == bytes_in + request.size();
      }));
      if (leaves == Leaves::in_order) {
        client.close();
      } else {
        client.reset();
      }
    }
  }
  CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
  CHECK(eventually([&] { return Arena::debug_live_count() == live_before; }));
  CHECK(live_producers == 0);
  // The pool's own arena keeps its buffers; what it grew by does not depend on the number of
  // clients.
  CHECK(Arena::debug_live_bytes() <= bytes_before + 2 * 1024 * 1024);
  CHECK(server->statistics().connections.removed == 2 * kRounds);
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a client that leaves in mid-request leaves nothing") {
  check_nothing_is_left("GET /large HTT", false);
  check_nothing_is_left("GET /large HTTP/1.1\r\nHost: t\r\nX: y", false);
  check_nothing_is_left("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf", false);
  check_nothing_is_left(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha", false);
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a client that leaves in mid-response leaves nothing") {
  check_nothing_is_left("GET /large HTTP/1.1\r\nHost: t\r\n\r\n", true);
  check_nothing_is_left("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n", true);
  check_nothing_is_left("GET /endless HTTP/1.0\r\n\r\n", true);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "gone: a client that leaves while it is being refused leaves nothing") {
  check_nothing_is_left("nonsense\r\n\r\n", true);
  check_nothing_is_left("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999\r\n\r\n", true);
}

TEST_CASE_FIXTURE(LiveArenas, "gone: others are served while many leave") {
  RunningServer server(add_routes);
  HttpClient stays = server.connect();
  for (int i = 0; i < 100; ++i) {
    HttpClient leaves = server.connect();
    leaves.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
    if (i % 2 == 0) {
      leaves.reset();
    }
    stays.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nhere");
    REQUIRE(stays.read_response().body == "here");
  }
}

}  // namespace
}  // namespace stadion::http
