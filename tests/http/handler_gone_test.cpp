// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Clients that leave while a handler waits, whatever it waits for, and servers that stop by force
/// meanwhile: nothing is left of either.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::chunked_head;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::post_head;
using tests::RunningServer;

constexpr int kRounds = 5;
constexpr RouteOptions kStreamed{.body = BodyMode::streamed};

/// Work on the pool's threads goes on as long as this does.
std::atomic<bool> offloaded_goes_on = true;

Task<> sleep_long(Exchange& exchange) {
  const LiveFrame live;
  co_await exchange.sleep(10min);
}

Task<> nest(Exchange& exchange, int depth) {
  const LiveFrame live;
  if (depth > 0) {
    co_await nest(exchange, depth - 1);
  }
  co_await exchange.sleep(10min).within(5min);
}

Task<> offload_long(Exchange& exchange) {
  const LiveFrame live;
  co_await exchange.offload([&exchange] {
    while (offloaded_goes_on) {
      (void)exchange.arena().alloc(16);
      std::this_thread::sleep_for(1ms);
    }
  });
}

Task<> wait_for_asio(Exchange& exchange) {
  const LiveFrame live;
  asio::steady_timer timer(exchange.worker().io_context(), 10min);
  (void)co_await exchange.callback<std::error_code>(
      [&timer](auto done) { timer.async_wait(std::move(done)); }, [&timer] { timer.cancel(); });
}

Task<> read_all(Exchange& exchange) {
  const LiveFrame live;
  while (!(co_await exchange.read_body()).empty()) {
  }
}

Task<> receive(Exchange& exchange) {
  const LiveFrame live;
  (void)co_await exchange.receive_body();
}

Task<> write_endlessly(Exchange& exchange) {
  const LiveFrame live;
  const std::string piece(5'000, 'x');
  for (;;) {
    co_await exchange.write(piece);
  }
}

Task<> write_and_sleep(Exchange& exchange) {
  const LiveFrame live;
  co_await exchange.write("begun");
  co_await exchange.flush();
  co_await exchange.sleep(10min);
}

Task<> read_raw(Exchange& exchange) {
  const LiveFrame live;
  co_await exchange.upgrade("raw");
  while (!(co_await exchange.read_raw()).empty()) {
  }
}

Task<> write_raw(Exchange& exchange) {
  const LiveFrame live;
  const std::string piece(5'000, 'x');
  co_await exchange.upgrade("raw");
  for (;;) {
    co_await exchange.write_raw(piece);
  }
}

/// Goes on until nobody is there, whatever it is told.
Task<> survive(Exchange& exchange) {
  const LiveFrame live;
  exchange.survive_client();
  while (!exchange.client_is_gone()) {
    co_await exchange.sleep(1ms);
  }
  co_await exchange.offload([] {});
  co_await exchange.sleep(1ms);
}

Task<> survive_reading(Exchange& exchange) {
  const LiveFrame live;
  exchange.survive_client();
  try {
    while (!(co_await exchange.read_body()).empty()) {
    }
  } catch (const ClientGone&) {
  }
  co_await exchange.sleep(1ms);
}

Task<> survive_writing(Exchange& exchange) {
  const LiveFrame live;
  exchange.survive_client();
  const std::string piece(5'000, 'x');
  for (;;) {
    co_await exchange.write(piece);  // ClientGone ends it.
  }
}

void add_routes(Server& server) {
  server.get("/sleep", sleep_long);
  server.get("/nest", [](Exchange& exchange) -> Task<> { return nest(exchange, 10); });
  server.get("/offload", offload_long);
  server.get("/asio", wait_for_asio);
  server.post("/read", read_all, kStreamed);
  server.post("/receive", receive, kStreamed);
  server.get("/write", write_endlessly);
  server.get("/write-sleep", write_and_sleep);
  server.get("/read-raw", read_raw);
  server.get("/write-raw", write_raw);
  server.get("/survive", survive);
  server.post("/survive-reading", survive_reading, kStreamed);
  server.get("/survive-writing", survive_writing);
  Routes around = server.group("/around");
  around.use({.around = [](Exchange& exchange, Next next) -> Task<> {
    const LiveFrame live;
    co_await next();
    co_await exchange.sleep(10min);
  }});
  around.get("/handler", sleep_long);
  around.get("/function", [](const Request&, Response& response) { response.text("unsent"); });
  around.post("/body", [](const Request&, Response&) {});
  server.group("/outside").use({.around = [](Exchange& exchange, Next next) -> Task<> {
    const LiveFrame live;
    co_await exchange.sleep(10min);
    co_await next();
  }});
}

std::string upgrade_request(std::string_view target) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n";
}

/// Requests that keep their handlers waiting until the client leaves.
std::vector<std::string> waiting_requests() {
  return {get_request("/sleep"),
          get_request("/nest"),
          get_request("/offload"),
          get_request("/asio"),
          post_head("/read", 100),
          post_head("/read", 100) + "half",
          chunked_head("/read") + "5\r\nha",
          chunked_head("/read") + "1\r\nx\r\n0\r\nTrail",
          post_head("/receive", 100) + "half",
          get_request("/write"),
          "GET /write HTTP/1.0\r\n\r\n",
          get_request("/write-sleep"),
          upgrade_request("/read-raw"),
          upgrade_request("/read-raw") + "some bytes",
          upgrade_request("/write-raw"),
          get_request("/survive"),
          post_head("/survive-reading", 100) + "half",
          get_request("/survive-writing"),
          get_request("/around/handler"),
          get_request("/around/function"),
          post_head("/around/body", 100) + "half",
          get_request("/around/none"),
          get_request("/outside/none"),
          get_request("/sleep") + get_request("/sleep"),
          get_request("/none") + get_request("/write") + get_request("/sleep")};
}

enum class Leaves { in_order, by_reset };

void leave(HttpClient& client, Leaves leaves) {
  leaves == Leaves::in_order ? client.close() : client.reset();
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a client that leaves a handler that waits leaves nothing") {
  ServerOptions options;
  options.times.linger_max = 1ms;
  RunningServer server(add_routes, options);
  const std::size_t live_before = Arena::debug_live_count();
  for (const std::string& request : waiting_requests()) {
    CAPTURE(request);
    for (int i = 0; i < 2 * kRounds; ++i) {
      offloaded_goes_on = true;
      HttpClient client = server.connect({.receive_buffer_bytes = 4096});
      client.send(request);
      REQUIRE(eventually([] { return LiveFrame::count() > 0; }));
      leave(client, i % 2 == 0 ? Leaves::in_order : Leaves::by_reset);
      REQUIRE(eventually([&] { return server->statistics().connections.active == 0; }));
      offloaded_goes_on = false;
      REQUIRE(eventually([] { return LiveFrame::count() == 0; }));
    }
    CHECK(eventually([&] { return Arena::debug_live_count() == live_before; }));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a client that leaves as soon as it has asked leaves nothing") {
  ServerOptions options;
  options.times.linger_max = 1ms;
  RunningServer server(add_routes, options);
  const std::size_t live_before = Arena::debug_live_count();
  offloaded_goes_on = false;
  for (const std::string& request : waiting_requests()) {
    CAPTURE(request);
    for (int i = 0; i < 2 * kRounds; ++i) {
      HttpClient client = server.connect();
      client.send(request);
      leave(client, i % 2 == 0 ? Leaves::in_order : Leaves::by_reset);
    }
  }
  CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
  CHECK(eventually([&] { return Arena::debug_live_count() == live_before; }));
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a server that is stopped by force ends every handler") {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}}) {
    for (int stops = 1; stops <= 2; ++stops) {
      ServerOptions options;
      options.workers = workers;
      RunningServer server(add_routes, options);
      std::vector<HttpClient> clients;
      offloaded_goes_on = true;
      for (const std::string& request : waiting_requests()) {
        const int before = LiveFrame::count();
        clients.push_back(server.connect({.receive_buffer_bytes = 4096}));
        clients.back().send(request);
        REQUIRE(eventually([&] { return LiveFrame::count() > before; }));
      }
      for (int i = 0; i < stops; ++i) {
        server->stop_now();
      }
      // All but the one that is on another thread.
      CHECK(eventually([] { return LiveFrame::count() == 1; }));
      offloaded_goes_on = false;
      server->wait();
      CHECK(LiveFrame::count() == 0);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a server that drains ends what waits, by drain_max") {
  ServerOptions options;
  options.times.drain_max = 1ms;
  RunningServer server(add_routes, options);
  std::vector<HttpClient> clients;
  offloaded_goes_on = true;
  for (const std::string& request : waiting_requests()) {
    const int before = LiveFrame::count();
    clients.push_back(server.connect({.receive_buffer_bytes = 4096}));
    clients.back().send(request);
    REQUIRE(eventually([&] { return LiveFrame::count() > before; }));
  }
  server->stop();
  CHECK(eventually([] { return LiveFrame::count() == 1; }));
  offloaded_goes_on = false;
  server->wait();
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "gone: a server is stopped while the last client leaves an offload") {
  for (int i = 0; i < 20; ++i) {
    RunningServer server(add_routes);
    offloaded_goes_on = true;
    HttpClient client = server.connect();
    client.send(get_request("/offload"));
    REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
    client.reset();
    offloaded_goes_on = false;
    server->stop_now();
    server->wait();
    CHECK(LiveFrame::count() == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "gone: a half-closed client gets its answer where that is asked for") {
  for (const bool serves : {false, true}) {
    CAPTURE(serves);
    ServerOptions options;
    options.serves_half_closed = serves;
    std::atomic<bool> goes_on = false;
    RunningServer server(
        [&goes_on](Server& routes) {
          routes.post(
              "/",
              [&goes_on](Exchange& exchange) -> Task<> {
                const LiveFrame live;
                while (!goes_on) {
                  co_await exchange.sleep(1ms);
                }
                exchange.response().text(co_await exchange.receive_body());
              },
              kStreamed);
        },
        options);
    for (const std::string_view body : {"whole", "half"}) {
      goes_on = false;
      HttpClient client = server.connect();
      client.send(post_head("/", 5) + std::string(body));
      client.shutdown_send();
      if (serves) {
        REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
        goes_on = true;
      }
      const std::string answer = client.read_until_end();
      CHECK(answer.ends_with("whole") == (serves && body == "whole"));
      CHECK(answer.empty() == !(serves && body == "whole"));
      CHECK(eventually([] { return LiveFrame::count() == 0; }));
    }
  }
}

}  // namespace
}  // namespace stadion::http
