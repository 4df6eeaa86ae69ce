// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/scripted_memory.hpp"

/// More than the server has room for: it says so, and goes on.
namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RecordedLog;
using tests::RunningServer;
using tests::ScriptedMemory;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

void add_routes(Server& server) {
  server.get("/", [](const Request&, Response& response) { response.text("root"); });
  server.get("/large", [](const Request& request, Response& response) {
    response.text(std::string_view(static_cast<char*>(request.arena().alloc(1'000'000)), 8));
  });
}

void check_turned_away(const HttpResponse& response) {
  CHECK(response.status == 503);
  CHECK(response.field("Retry-After") == "1");
  CHECK(response.field("Connection") == "close");
  CHECK(response.body.empty());
  CHECK(response.is_complete);
}

TEST_CASE_FIXTURE(LiveArenas, "memory mark: above it a request gets 503, and idle clients go") {
  const RecordedLog log;
  ServerOptions options;
  options.memory_bytes_high = 1;
  RunningServer server(add_routes, options);
  HttpClient idle = server.connect();
  REQUIRE(eventually([&] { return server->statistics().connections.active == 1; }));
  HttpClient client = server.connect();
  check_turned_away(client.exchange(kGet));
  CHECK(client.is_at_end());
  CHECK(idle.is_at_end());
  CHECK(log.count(LogLevel::warning, "above memory_bytes_high: idle connections are closed") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "memory mark: below it nobody is turned away, and 0 is no mark") {
  ServerOptions options;
  for (const std::size_t high : {std::size_t{1} << 40, std::size_t{0}}) {
    options.memory_bytes_high = high;
    RunningServer server(add_routes, options);
    CHECK(server.exchange(kGet).status == 200);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "memory mark: it is over as soon as memory is given back") {
  const RecordedLog log;
  ServerOptions options;
  Arena filler;
  const RunningServer warm(add_routes);
  CHECK(warm.exchange(kGet).status == 200);
  options.memory_bytes_high = Arena::process_bytes() + 8'000'000;
  RunningServer server(add_routes, options);
  CHECK(server.exchange(kGet).status == 200);
  CHECK(filler.alloc(8'000'000) != nullptr);
  check_turned_away(server.exchange(kGet));
  check_turned_away(server.exchange(kGet));
  filler.dispose();
  CHECK(server.exchange(kGet).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "no memory: whichever allocation fails, the client hears of it or sees "
                  "its connection end, and the next is served") {
  const RecordedLog log;
  const RunningServer server(add_routes);
  int refusals = 0;
  int answered = 0;
  for (int nth = 1; nth <= 6; ++nth) {
    CAPTURE(nth);
    {
      ScriptedMemory memory;
      memory.refuse_from(nth);
      HttpClient client = server.connect();
      const HttpResponse response =
          client.exchange("GET /large HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
      if (memory.refusal_count() > 0) {
        ++refusals;
        CHECK((response.status == 503 || response.status == 0));
        answered += response.status == 503 ? 1 : 0;
      }
      memory.allow_all();
    }
    CHECK(server.exchange(kGet).body == "root");
  }
  CHECK(refusals > 0);
  CHECK(answered == refusals);
}

TEST_CASE_FIXTURE(LiveArenas, "requests per connection: the last one's response says it closes") {
  ServerOptions options;
  options.limits.requests_per_connection_max = 3;
  RunningServer server(add_routes, options);
  HttpClient client = server.connect();
  CHECK(client.exchange(kGet).field("Connection") == std::nullopt);
  CHECK(client.exchange(kGet).field("Connection") == std::nullopt);
  CHECK(client.exchange(kGet).field("Connection") == "close");
  CHECK(client.is_at_end());

  // Of four at once, too, no more than three are answered.
  HttpClient pipelining = server.connect();
  pipelining.send(std::string(kGet) + std::string(kGet) + std::string(kGet) + std::string(kGet));
  for (int i = 0; i < 3; ++i) {
    CHECK(pipelining.read_response().status == 200);
  }
  CHECK(pipelining.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "requests per connection: by default there is no limit") {
  const RunningServer server(add_routes);
  HttpClient client = server.connect();
  for (int i = 0; i < 2'000; ++i) {
    REQUIRE(client.exchange(kGet).field("Connection") == std::nullopt);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "connections per address: one above is closed at once") {
  ServerOptions options;
  options.connections_per_address_max = 2;
  RunningServer server(add_routes, options);
  HttpClient first = server.connect();
  HttpClient second = server.connect();
  CHECK(first.exchange(kGet).status == 200);
  CHECK(second.exchange(kGet).status == 200);
  HttpClient third = server.connect();
  CHECK(third.is_at_end());
  CHECK(server->statistics().connections.refused == 1);

  first.close();
  REQUIRE(eventually([&] { return server->statistics().connections.active == 1; }));
  CHECK(server.exchange(kGet).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas, "accepts per second: those above wait, and are served") {
  ServerOptions options;
  options.accepts_per_second_max = 100;  // Ten at once.
  RunningServer server(add_routes, options);
  for (int i = 0; i < 15; ++i) {
    CHECK(server.exchange(kGet).status == 200);
  }
}

}  // namespace
}  // namespace stadion::http
