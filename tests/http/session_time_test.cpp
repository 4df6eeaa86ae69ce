// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/session.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/running_server.hpp"

/// Slow clients and a server that drains. The times that are awaited are small, all others so large
/// that a test would fail by its deadline if they were what ended it.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RunningServer;

constexpr std::size_t kLargeBytes = 8 * 1024 * 1024;

ServerOptions with_times(Times times) {
  ServerOptions options;
  options.times = times;
  return options;
}

Times no_times() {
  Times times;
  times.head_read_max = times.body_read_grace = times.idle_max = times.write_stalled_max =
      times.drain_max = 10min;
  return times;
}

void add_routes(Server& server) {
  static const std::string large = patterned_text(kLargeBytes);
  server.get("/", [](const Request&, Response& response) { response.text("root"); });
  server.get("/large", [](const Request&, Response& response) {
    response.body_by_reference(large, "text/plain");
  });
  server.get("/endless", [](const Request&, Response& response) {
    response.stream("text/plain", [](BodyWriter& out) {
      out.write("on and on and on\n");
      return true;
    });
  });
  server.post("/echo",
              [](const Request& request, Response& response) { response.text(request.body()); });
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

TEST_CASE_FIXTURE(LiveArenas, "time: a head that does not come is answered 408, and the end") {
  Times times = no_times();
  times.head_read_max = 1ms;
  RunningServer server(add_routes, with_times(times));
  for (const std::string_view part : {"G", "GET / HTTP/1.1\r\nHost: t\r\n", "\r\n\r\nGET /"}) {
    CAPTURE(part);
    HttpClient client = server.connect();
    CHECK(client.exchange(kGet).body == "root");
    client.send(part);
    const HttpResponse response = client.read_response();
    CHECK(response.is_complete);
    CHECK(response.status == 408);
    CHECK(response.field("Connection") == "close");
    CHECK(client.is_at_end());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "time: a head that trickles in does not put off its deadline") {
  Times times = no_times();
  times.head_read_max = 300ms;
  RunningServer server(add_routes, with_times(times));
  HttpClient client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: t\r\nX: ");
  CHECK(eventually([&] {
    client.send("x");
    return client.has_input();
  }));
  CHECK(client.read_response().status == 408);
}

TEST_CASE_FIXTURE(LiveArenas, "time: empty lines alone are no request: closed without an answer") {
  Times times = no_times();
  times.head_read_max = 1ms;
  RunningServer server(add_routes, with_times(times));
  HttpClient client = server.connect();
  client.send("\r\n");
  CHECK(client.is_at_end());
  CHECK(server->statistics().responses() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "time: an idle connection is closed without an answer") {
  Times times = no_times();
  times.idle_max = 700ms;
  RunningServer server(add_routes, with_times(times));
  HttpClient fresh = server.connect();
  HttpClient used = server.connect();
  CHECK(used.exchange(kGet).body == "root");
  CHECK(fresh.is_at_end());
  CHECK(used.is_at_end());
  CHECK(eventually([&] { return server->statistics().connections.timed_out == 2; }));
}

TEST_CASE_FIXTURE(LiveArenas, "time: a body that does not come is answered 408, and the end") {
  Times times = no_times();
  times.body_read_grace = 1ms;
  RunningServer server(add_routes, with_times(times));
  for (const std::string_view framing :
       {"Content-Length: 5\r\n\r\nfour", "Transfer-Encoding: chunked\r\n\r\n5\r\nfour",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n"}) {
    CAPTURE(framing);
    HttpClient client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\n" + std::string(framing));
    const HttpResponse response = client.read_response();
    CHECK(response.status == 408);
    CHECK(response.field("Connection") == "close");
    CHECK(client.is_at_end());
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "time: a body that comes at its rate may take longer than the grace") {
  Times times = no_times();
  times.body_read_grace = 1ms;
  times.body_bytes_per_second_min = 1;  // Each byte earns a second.
  RunningServer server(add_routes, with_times(times));
  HttpClient slow = server.connect();
  slow.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 101\r\n\r\n" +
            std::string(100, 'x'));
  // One that has earned nothing shows that deadlines are being looked at.
  HttpClient idle = server.connect();
  idle.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n");
  CHECK(idle.read_response().status == 408);
  slow.send("y");
  CHECK(slow.read_response().body == std::string(100, 'x') + "y");
}

TEST_CASE_FIXTURE(LiveArenas, "time: a body that nobody wants has the time of one that is read") {
  Times times = no_times();
  times.body_read_grace = 1ms;
  times.body_bytes_per_second_min = 1'000'000;
  const auto add_ignoring_route = [](Server& server) {
    server.post("/ignore", [](const Request&, Response& response) { response.text("ignored"); },
                {.body = BodyMode::streamed});
    server.get("/", [](const Request&, Response& response) { response.text("root"); });
  };
  RunningServer hasty(add_ignoring_route, with_times(times));
  HttpClient client = hasty.connect();
  const std::string head = "POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n";
  CHECK(client.exchange(head).body == "ignored");
  CHECK(eventually([&] {  // However it trickles in.
    client.send("x");
    return client.has_input();
  }));
  CHECK(client.is_at_end());
  CHECK(hasty->statistics().connections.timed_out == 1);

  times.body_bytes_per_second_min = 1;  // Each byte has a second.
  RunningServer patient(add_ignoring_route, with_times(times));
  HttpClient slow = patient.connect();
  CHECK(slow.exchange(head).body == "ignored");
  CHECK(patient.connect().exchange(head).body == "ignored");
  slow.send(std::string(60'000, 'x'));
  CHECK(slow.exchange(kGet).body == "root");
  // The body's deadline is not the next request's, nor that of the wait for it.
  CHECK(slow.exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "time: as much as a number can say, which no clock can count") {
  constexpr auto kEndless = std::chrono::milliseconds::max();
  RunningServer server(
      [&](Server& routes) {
        add_routes(routes);
        const auto sleep = [](Exchange& exchange) -> Task<> { co_await exchange.sleep(10min); };
        routes.get("/brief", sleep, {.handler_max = 1ms});
      },
      with_times({.head_read_max = kEndless,
                  .body_read_grace = kEndless,
                  .body_bytes_per_second_min = 1,
                  .handler_max = kEndless,
                  .idle_max = kEndless,
                  .write_stalled_max = kEndless,
                  .linger_max = kEndless,
                  .drain_max = kEndless}));
  HttpClient idle = server.connect();
  HttpClient in_head = server.connect();
  HttpClient in_body = server.connect();
  in_head.send("G");
  in_body.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\na");
  // One whose time is over shows that deadlines are being looked at.
  CHECK(server.connect().exchange("GET /brief HTTP/1.1\r\nHost: t\r\n\r\n").status == 503);
  in_head.send(kGet.substr(1));
  in_body.send("b");
  CHECK(in_head.read_response().body == "root");
  CHECK(in_body.read_response().body == "ab");
  CHECK(idle.exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "time: the deadline of a request does not reach the next one") {
  Times times = no_times();
  times.head_read_max = 1ms;
  times.body_read_grace = 1ms;
  RunningServer server(add_routes, with_times(times));
  // In two parts, so that its deadline is set. Should the deadline be looked at between the two,
  // the request is refused, and another has to show it.
  HttpClient client = server.connect();
  const auto send_in_two = [&] {
    const std::uint64_t bytes_in = server->statistics().connections.bytes_in;
    client.send(kGet.substr(0, kGet.size() - 2));
    REQUIRE(eventually([&] { return server->statistics().connections.bytes_in > bytes_in; }));
    client.send("\r\n");
    return client.read_response().status;
  };
  while (send_in_two() == 408) {
    client = server.connect();
  }
  HttpClient other = server.connect();
  other.send("G");
  REQUIRE(other.read_response().status == 408);
  CHECK(client.exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "time: a client that takes nothing of its response is cut off") {
  Times times = no_times();
  times.write_stalled_max = 1ms;
  RunningServer server(add_routes, with_times(times));
  for (const std::string_view target : {"/large", "/endless"}) {
    CAPTURE(target);
    HttpClient client = server.connect({.receive_buffer_bytes = 4096});
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    REQUIRE(eventually([&] { return client.has_input(); }));
    CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
    CHECK_FALSE(client.read_response().is_complete);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "drain: an idle connection ends, and new ones are refused") {
  RunningServer server(add_routes, with_times(no_times()));
  HttpClient idle = server.connect();
  CHECK(idle.exchange(kGet).body == "root");
  server->stop();
  REQUIRE(idle.is_at_end());
  server->wait();
  CHECK_THROWS_AS(server.connect(), std::system_error);
}

TEST_CASE_FIXTURE(LiveArenas, "drain: a request in flight is answered with Connection: close") {
  for (const std::string_view parts :
       {"GE|T / HTTP/1.1\r\nHost: t\r\n\r\n", "GET / HTTP/1.1\r\nHost: t\r\n|\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nro|ot"}) {
    CAPTURE(parts);
    RunningServer server(add_routes, with_times(no_times()));
    HttpClient client = server.connect();
    HttpClient idle = server.connect();
    client.send(parts.substr(0, parts.find('|')));
    REQUIRE(eventually([&] {
      return server->statistics().connections.bytes_in == parts.find('|') &&
             server->statistics().connections.active == 2;
    }));
    server->stop();
    REQUIRE(idle.is_at_end());  // The server drains.
    client.send(parts.substr(parts.find('|') + 1));
    const HttpResponse response = client.read_response();
    CHECK(response.status == 200);
    CHECK(response.body == "root");
    CHECK(response.field("Connection") == "close");
    REQUIRE(client.is_at_end());
    client.close();  // Or else the server waits for our end, to be sure that we got it all.
    idle.close();
    server->wait();
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "drain: a response in flight is sent whole, and the connection ends") {
  RunningServer server(add_routes, with_times(no_times()));
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  HttpClient idle = server.connect();
  CHECK(idle.exchange(kGet).status == 200);
  client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  REQUIRE(eventually([&] { return client.has_input(); }));
  server->stop();
  REQUIRE(idle.is_at_end());
  CHECK(client.read_response().body.size() == kLargeBytes);
  REQUIRE(client.is_at_end());
  server->wait();
}

TEST_CASE_FIXTURE(LiveArenas, "drain: empty lines after a request don't hold it up") {
  RunningServer server(add_routes, with_times(no_times()));
  HttpClient client = server.connect();
  CHECK(client.exchange(kGet).body == "root");
  client.send("\r\n");
  REQUIRE(eventually([&] { return server->statistics().connections.bytes_in == kGet.size() + 2; }));
  server->stop();
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "drain: what does not end by drain_max is cut off") {
  Times times = no_times();
  times.drain_max = 1ms;
  RunningServer server(add_routes, with_times(times));
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  HttpClient half = server.connect();
  half.send("GET ");
  client.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
  REQUIRE(eventually(
      [&] { return client.has_input() && server->statistics().connections.active == 2; }));
  server->stop();
  server->wait();
  CHECK_FALSE(client.read_response().is_complete);
  CHECK(half.is_at_end());
}

}  // namespace
}  // namespace stadion::http
