// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <deque>

#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Clients that do anything in any order, against handlers of every kind: each response that comes
/// whole is what it must be, byte for byte.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::patterned_text;
using tests::RunningServer;

constexpr int kClients = 300;
constexpr std::size_t kBodyBytesMax = 20'000;
constexpr RouteOptions kStreamed{.body = BodyMode::streamed};

std::size_t number(Exchange& exchange, std::string_view name) {
  return std::stoul(std::string(exchange.request().query(name).value_or("0")));
}

Task<> echo_pieces(Exchange& exchange) {
  const LiveFrame live;
  for (;;) {
    const std::string_view piece = co_await exchange.read_body();
    if (piece.empty()) {
      break;
    }
    co_await exchange.write(piece);
    if (piece.size() % 3 == 0) {
      co_await exchange.sleep(0ms);
    }
  }
  co_await exchange.write("");  // Where there was no body, the head.
}

Task<> write_number(Exchange& exchange) {
  const LiveFrame live;
  const std::string body = patterned_text(number(exchange, "n"));
  std::string_view rest = body;
  for (std::size_t bytes = 1; !rest.empty(); bytes = bytes * 3 + 1) {
    co_await exchange.write(rest.substr(0, bytes));
    rest.remove_prefix(std::min(bytes, rest.size()));
  }
  co_await exchange.write("");
}

Task<> offload_echo(Exchange& exchange) {
  const LiveFrame live;
  const std::string_view body = exchange.request().body();
  const std::string_view copy =
      co_await exchange.offload([&exchange, body] { return exchange.arena().copy(body); });
  exchange.response().body_by_reference(copy, "text/plain");
}

Task<> late(Exchange& exchange) {
  const LiveFrame live;
  try {
    co_await exchange.sleep(10min).within(std::chrono::milliseconds(number(exchange, "n") % 4));
  } catch (const DeadlinePassed&) {
    exchange.response().text("passed");
  }
}

void add_routes(Server& server) {
  server.post("/function",
              [](const Request& request, Response& response) { response.text(request.body()); });
  server.post("/echo", echo_pieces, kStreamed);
  server.post(
      "/whole",
      [](Exchange& exchange) -> Task<> {
        const LiveFrame live;
        co_await exchange.sleep(0ms);
        exchange.response().text(co_await exchange.receive_body());
      },
      kStreamed);
  server.post("/offload", offload_echo);
  server.post("/survivor", [](Exchange& exchange) -> Task<> {
    exchange.survive_client();
    return offload_echo(exchange);
  });
  server.post(
      "/ignores",
      [](Exchange& exchange) -> Task<> {
        const LiveFrame live;
        co_await exchange.sleep(0ms);
        exchange.response().text("ignored");
      },
      kStreamed);
  server.get("/write", write_number);
  server.get("/announced", [](Exchange& exchange) -> Task<> {
    exchange.response().announce_length(number(exchange, "n"));
    return write_number(exchange);
  });
  server.get("/late", late);
  server.get("/error", [](Exchange& exchange) -> Task<> {
    const LiveFrame live;
    co_await exchange.sleep(0ms);
    throw HttpError(Status::conflict, "thrown");
  });
  Routes around = server.group("/around");
  around.use({.around = [](Exchange& exchange, Next next) -> Task<> {
                const LiveFrame live;
                co_await exchange.sleep(0ms);
                co_await next();
              },
              .after = [](Exchange& exchange) { exchange.response().header("X-After", "1"); }});
  around.post("/function",
              [](const Request& request, Response& response) { response.text(request.body()); });
  around.post("/echo", echo_pieces, kStreamed);
}

/// A request, and the response that it must get.
struct Expected {
  std::string request;
  int status = 200;
  std::string body;
  bool may_close = false;  ///< Of a body that is not read, the server may not find the end.
};

class RandomClient {
 public:
  RandomClient(RunningServer& server, std::mt19937& random)
      : client_(server.connect(
            HttpClient::Options{.receive_buffer_bytes = random() % 4 == 0 ? 4096 : 0})),
        random_(&random) {}

  /// Sends some requests, in pieces, takes what comes, and perhaps leaves in the middle.
  void run() {
    std::deque<Expected> awaited;
    const std::size_t requests = 1 + pick(8);
    for (std::size_t i = 0; i < requests; ++i) {
      awaited.push_back(make_request());
      if (!send(awaited.back().request)) {
        break;
      }
      if (pick(40) == 0) {
        return leave();
      }
      while (!awaited.empty() && pick(2) == 0) {
        if (!take(awaited)) {
          return;
        }
      }
    }
    if (pick(10) == 0) {
      return leave();
    }
    while (!awaited.empty() && take(awaited)) {
    }
  }

 private:
  std::size_t pick(std::size_t bound) { return (*random_)() % bound; }

  Expected make_request() {
    const std::size_t bytes = pick(4) == 0 ? pick(kBodyBytesMax) : pick(100);
    switch (pick(13)) {
      case 0: return get("/write", bytes, 200, patterned_text(bytes));
      case 1: return get("/announced", bytes, 200, patterned_text(bytes));
      case 2: return get("/late", bytes, 200, "passed");
      case 3: return get("/error", bytes, 409, "thrown");
      case 4: return get("/none", bytes, 404, "There is nothing here.\n");
      case 5: return post("/function", bytes);
      case 6: return post("/whole", bytes);
      case 7: return post("/offload", bytes);
      case 8: return post("/survivor", bytes);
      case 9: return post("/around/function", bytes);
      case 10: return post("/around/echo", bytes);
      case 11: {
        Expected ignored = post("/ignores", bytes);
        ignored.body = "ignored";
        ignored.may_close = true;
        return ignored;
      }
      default: return post("/echo", bytes);
    }
  }

  static Expected get(std::string_view target, std::size_t n, int status, std::string body) {
    return {.request = tests::get_request(std::string(target) + "?n=" + std::to_string(n)),
            .status = status,
            .body = std::move(body)};
  }

  Expected post(std::string_view target, std::size_t bytes) {
    const std::string body = patterned_text(bytes);
    Expected made{.request = tests::post_request(target, body), .body = body};
    if (pick(2) == 0) {
      made.request = tests::chunked_head(target);
      for (std::size_t at = 0; at < bytes;) {
        const std::size_t chunk = std::min(bytes - at, 1 + pick(3'000));
        char size[20] = {};
        std::snprintf(size, sizeof size, "%zX%s\r\n", chunk, pick(3) == 0 ? ";e=1" : "");
        made.request += size + body.substr(at, chunk) + "\r\n";
        at += chunk;
      }
      made.request += pick(3) == 0 ? "0\r\nX-Trailer: t\r\n\r\n" : "0\r\n\r\n";
    }
    return made;
  }

  /// False when the server takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t piece = pick(3) == 0 ? 1 + pick(bytes.size()) : bytes.size();
      if (!client_.send(bytes.substr(0, piece))) {
        return false;
      }
      bytes.remove_prefix(piece);
      if (!bytes.empty() && pick(4) == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(pick(500)));
      }
    }
    return true;
  }

  /// The next response; false when the connection has ended, as it may.
  bool take(std::deque<Expected>& awaited) {
    const Expected expected = std::move(awaited.front());
    awaited.pop_front();
    CAPTURE(expected.request.substr(0, 200));
    const HttpResponse response = client_.read_response();
    REQUIRE(response.is_complete);
    CHECK(response.status == expected.status);
    CHECK(response.body == expected.body);
    const bool closes = response.field("Connection") == "close";
    CHECK((!closes || expected.may_close));
    return !closes;
  }

  void leave() {
    switch (pick(3)) {
      case 0: return client_.reset();
      case 1: client_.shutdown_send(); [[fallthrough]];
      default: return client_.close();
    }
  }

  HttpClient client_;
  std::mt19937* random_;
};

TEST_CASE_FIXTURE(LiveArenas, "random: clients that do anything get what they asked for") {
  const std::uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  ServerOptions options;
  options.workers = 2;
  options.buffer_bytes = seed % 2 == 0 ? 2048 : 16 * 1024;
  options.times.linger_max = 50ms;
  RunningServer server(add_routes, options);
  std::mt19937 random(seed);
  for (int i = 0; i < kClients; ++i) {
    CAPTURE(i);
    RandomClient(server, random).run();
  }
  CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
}

}  // namespace
}  // namespace stadion::http
