// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/scripted_memory.hpp"
#include "tests/support/served_shard.hpp"

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
  Arena filler;
  CHECK(filler.alloc(1000) != nullptr);
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
  options.memory_bytes_high = 32'000'000;
  RunningServer server(add_routes, options);
  CHECK(server.exchange(kGet).status == 200);
  CHECK(filler.alloc(32'000'000) != nullptr);
  check_turned_away(server.exchange(kGet));
  check_turned_away(server.exchange(kGet));
  filler.dispose();
  CHECK(server.exchange(kGet).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas, "memory mark: a pool that was full once turns nobody away for it") {
  const RecordedLog log;
  constexpr std::size_t kClients = 40;
  ServerOptions options;
  options.buffer_bytes = 1024 * 1024;
  options.memory_bytes_high = 16'000'000;  // Of 40 MB.
  RunningServer server(add_routes, options);
  for (int round = 0; round < 2; ++round) {
    std::vector<HttpClient> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(server.connect());
      clients.back().send("GET / HTTP/1.1\r\n");
    }
    for (HttpClient& client : clients) {
      client.send("Host: t\r\n\r\n");
      REQUIRE(client.read_response().body == "root");
    }
  }
  CHECK(server.exchange(kGet).body == "root");
}

/// Buffers so large that not even one finds room where there was some.
ServerOptions with_large_buffers() {
  ServerOptions options;
  options.buffer_bytes = 1024 * 1024;
  return options;
}

TEST_CASE_FIXTURE(LiveArenas, "no memory: of a request that is gone nothing is sent") {
  const RecordedLog log;
  const std::string get = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
  int served = 0;
  int turned_away = 0;
  for (int nth = 1; nth <= 8; ++nth) {
    CAPTURE(nth);
    tests::ServedShard shard(
        [](Routes& routes) {
          routes.get("/", [](const Request&, Response& response) { response.text("root"); });
        },
        with_large_buffers());
    tests::Peer peer = shard.connect();
    ScriptedMemory memory;
    memory.refuse_from(nth);
    peer.send(get);
    shard.loop().run_until([&] { return peer.pump().gone(); });
    const bool is_served = peer.received().starts_with("HTTP/1.1 200 ");
    const bool is_turned_away = peer.received().starts_with("HTTP/1.1 503 ");
    CHECK((is_served || is_turned_away));
    served += is_served ? 1 : 0;
    turned_away += is_turned_away ? 1 : 0;
  }
  CHECK(served > 0);
  CHECK(turned_away >= 3);  // To read into, for the request, to write to.
}

Task<> send_parts(Exchange& exchange) {
  constexpr std::size_t kPartBytes = 1'500'000;  // What an arena keeps, so that it is still there.
  co_await exchange.sleep(std::chrono::milliseconds(1));
  std::array<BodyPart, 4> parts;
  for (BodyPart& part : parts) {
    auto* bytes = static_cast<char*>(exchange.arena().alloc(kPartBytes, 1));
    std::fill_n(bytes, kPartBytes, 'A');
    part.bytes = {bytes, kPartBytes};
  }
  exchange.response().body_parts(parts, "text/plain");
}

TEST_CASE_FIXTURE(LiveArenas, "no memory: what goes out by reference ends with its request") {
  const RecordedLog log;
  tests::ServedShard shard(
      [](Routes& routes) {
        routes.get("/parts", send_parts);
        routes.get("/long", [](Exchange& exchange) -> Task<> {
          co_await exchange.sleep(std::chrono::hours(24));
        });
      },
      with_large_buffers());
  tests::Peer taker = shard.connect();
  const int small = 4096;
  ::setsockopt(taker.native_handle(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  taker.receive_at_most(1);
  shard.send(taker, "GET /parts HTTP/1.1\r\nHost: t\r\n\r\n");
  shard.loop().run_until([&] { return taker.pump().received().size() == 1; });
  std::vector<tests::Peer> others;  // They hold the buffers that it has given back.
  for (int i = 0; i < 4; ++i) {
    others.push_back(shard.connect());
    shard.send(others.back(), "GET /long HTTP/1.1\r\nHost: t\r\n\r\nG");
  }
  ScriptedMemory memory;
  memory.refuse_all();
  taker.send("G");
  shard.loop().run_until([&] { return memory.refusal_count() > 0; });
  shard.loop().run_ready();
  memory.allow_all();
  taker.receive_at_most(10'000'000);
  shard.loop().run_until([&] { return taker.pump().gone(); });
  const std::size_t body = taker.received().find("\r\n\r\n") + 4;
  CHECK(taker.received().size() > body);
  CHECK(taker.received().find_first_not_of('A', body) == std::string::npos);
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
