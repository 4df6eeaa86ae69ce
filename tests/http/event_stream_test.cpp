// SPDX-License-Identifier: MIT
#include "http/event_stream.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "http/compression.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
constexpr std::string_view kRetry = "retry: 3000\n";

/// The response to which these events were sent, and that then ended.
HttpResponse sent(const std::vector<ServerEvent>& events, EventStreamOptions options = {}) {
  RunningServer server([&](Server& made) {
    made.get("/", [&](Exchange& exchange) -> Task<> {
      EventStream stream(exchange, options);
      for (const ServerEvent& event : events) {
        co_await stream.send(event);
      }
    });
  });
  return server.exchange(kGet);
}

std::string body_of(const std::vector<ServerEvent>& events) { return sent(events).body; }

/// Reads from a response in chunks until its body has this; all of it so far.
std::string read_until(HttpClient& client, std::string_view text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    const std::string byte = client.read_bytes(1);
    if (byte.empty()) {
      return all + "<end>";
    }
    all += byte;
  }
  return all;
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: its head says what it is, and that none may keep it") {
  const HttpResponse response = sent({{.data = "a"}});
  CHECK(response.status == 200);
  CHECK(response.field("Content-Type") == "text/event-stream");
  CHECK(response.field("Cache-Control") == "no-store");
  CHECK(response.count("Content-Length") == 0);
  CHECK(response.is_complete);
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: an event is its fields and an empty line") {
  CHECK(body_of({{.data = "a"}}) == std::string(kRetry) + "data: a\n\n");
  CHECK(body_of({{.data = "a", .event = "b", .id = "c"}}) ==
        std::string(kRetry) + "id: c\nevent: b\ndata: a\n\n");
  CHECK(body_of({{}}) == std::string(kRetry) + "data: \n\n");
  CHECK(body_of({{.data = " : x: y", .event = "\xC3\xA9"}}) ==
        std::string(kRetry) + "event: \xC3\xA9\ndata:  : x: y\n\n");
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: retry is said once, with the first event") {
  CHECK(sent({{.data = "a"}, {.data = "b"}, {.data = "c"}}, {.retry = 12'345ms}).body ==
        "retry: 12345\ndata: a\n\ndata: b\n\ndata: c\n\n");
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: data of several lines keeps them, however they end") {
  const std::string three = std::string(kRetry) + "data: 1\ndata: 2\ndata: 3\n\n";
  CHECK(body_of({{.data = "1\n2\n3"}}) == three);
  CHECK(body_of({{.data = "1\r\n2\r\n3"}}) == three);
  CHECK(body_of({{.data = "1\r2\r3"}}) == three);
  CHECK(body_of({{.data = "1\r2\n3"}}) == three);
  CHECK(body_of({{.data = "\n"}}) == std::string(kRetry) + "data: \ndata: \n\n");
  CHECK(body_of({{.data = "1\r"}}) == std::string(kRetry) + "data: 1\ndata: \n\n");
  CHECK(body_of({{.data = "1\n\r2"}}) == std::string(kRetry) + "data: 1\ndata: \ndata: 2\n\n");
  CHECK(body_of({{.data = "1\n\nevent: forged\nid: 7"}}) ==
        std::string(kRetry) + "data: 1\ndata: \ndata: event: forged\ndata: id: 7\n\n");
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: a line break or NUL in id or event is refused") {
  for (const std::string bad : {"a\nb", "a\rb", "a\r\n", "\n"}) {
    for (const bool in_id : {true, false}) {
      CAPTURE(bad);
      CAPTURE(in_id);
      RunningServer server([&](Server& made) {
        made.get("/", [&](Exchange& exchange) -> Task<> {
          EventStream stream(exchange);
          bool was_refused = false;
          ServerEvent event{.data = "x"};
          (in_id ? event.id : event.event) = bad;
          try {
            co_await stream.send(event);
          } catch (const std::invalid_argument&) {
            was_refused = true;
          }
          co_await stream.send({.data = was_refused ? "refused" : "taken"});
        });
      });
      CHECK(server.exchange(kGet).body == std::string(kRetry) + "data: refused\n\n");
    }
  }
  RunningServer server([](Server& made) {
    made.get("/", [](Exchange& exchange) -> Task<> {
      EventStream stream(exchange);
      co_await stream.send({.data = "x", .id = std::string_view("\0", 1)});
    });
  });
  CHECK(server.exchange(kGet).status == 500);
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: a large event comes whole") {
  const std::string large(3'000'000, 'x');
  CHECK((body_of({{.data = large}}) == std::string(kRetry) + "data: " + large + "\n\n"));
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: Last-Event-ID is what the client says") {
  RunningServer server([](Server& made) {
    made.get("/", [](Exchange& exchange) -> Task<> {
      EventStream stream(exchange);
      co_await stream.send({.data = stream.last_event_id()});
    });
  });
  CHECK(server.exchange(kGet).body == std::string(kRetry) + "data: \n\n");
  CHECK(server.exchange("GET / HTTP/1.1\r\nHost: t\r\nlast-event-id: 42\r\n\r\n").body ==
        std::string(kRetry) + "data: 42\n\n");
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: comments keep it alive, the head comes at once") {
  RunningServer server([](Server& made) {
    made.get("/", [](Exchange& exchange) -> Task<> {
      EventStream stream(exchange, {.keep_alive = 5ms});
      const bool goes_on = co_await stream.sleep(52ms);
      co_await stream.send({.data = goes_on ? "slept" : "stopping"});
    });
    made.get("/quiet", [](Exchange& exchange) -> Task<> {
      EventStream stream(exchange);
      co_await stream.sleep(1h);
    });
  });
  const HttpResponse response = server.exchange(kGet);
  std::string expected;
  for (int i = 0; i < 10; ++i) {
    expected += ":\n\n";
  }
  CHECK(response.body == expected + std::string(kRetry) + "data: slept\n\n");
  HttpClient client = server.connect();
  client.send("GET /quiet HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(read_until(client, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: compressed events come at once, too") {
  RunningServer server([](Server& made) {
    made.use(compression());
    made.get("/", [](Exchange& exchange) -> Task<> {
      EventStream stream(exchange, {.keep_alive = 20ms});
      co_await stream.send({.data = "now"});
      co_await stream.sleep(1h);
    });
  });
  HttpClient client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: t\r\nAccept-Encoding: gzip\r\n\r\n");
  const bool is_coded = read_until(client, "\r\n\r\n").find("gzip") != std::string::npos;
  Arena arena;
  std::string text;
  Decoder& decoder = make_decoder(ContentCoding::gzip, arena, tests::kWideLimits);
  while (text.find("data: now\n\n:\n\n:\n\n") == std::string::npos) {
    const std::string line = read_until(client, "\r\n");
    REQUIRE(line.find("<end>") == std::string::npos);
    const std::size_t bytes = std::stoul(line, nullptr, 16);
    const std::string chunk = client.read_bytes(bytes + 2).substr(0, bytes);
    text += is_coded ? tests::decode_piece(decoder, chunk, false).text : chunk;
  }
}

/// Streams to as many as come, until they leave or the server stops.
struct Broadcast {
  std::atomic<std::size_t> subscribers = 0;
  std::atomic<std::size_t> told_to_stop = 0;
  std::atomic<std::size_t> bytes_max = 0;

  struct Guard {
    explicit Guard(std::atomic<std::size_t>& counted) : count(&counted) { ++*count; }
    ~Guard() { --*count; }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    std::atomic<std::size_t>* count;
  };

  void add_to(Server& server, EventStreamOptions options, std::chrono::milliseconds every) {
    server.get("/", [this, options, every](Exchange& exchange) -> Task<> {
      const Guard guard(subscribers);
      EventStream stream(exchange, options);
      for (std::size_t number = 0;; ++number) {
        const std::string text = std::to_string(number);
        co_await stream.send({.data = text, .id = text});
        bytes_max = std::max(bytes_max.load(), exchange.arena().bytes_reserved());
        const bool goes_on = co_await stream.sleep(every);
        if (!goes_on) {
          break;
        }
      }
      CHECK(exchange.server_is_stopping());
      ++told_to_stop;
    });
  }
};

TEST_CASE_FIXTURE(LiveArenas, "event stream: a subscriber that leaves is noticed") {
  Broadcast broadcast;
  RunningServer server([&](Server& made) { broadcast.add_to(made, {}, 1h); });
  HttpClient polite = server.connect();
  HttpClient rude = server.connect();
  polite.send(kGet);
  rude.send(kGet);
  CHECK(read_until(polite, "data: 0\n\n").ends_with("data: 0\n\n"));
  CHECK(read_until(rude, "data: 0\n\n").ends_with("data: 0\n\n"));
  CHECK(broadcast.subscribers == 2);
  polite.close();
  rude.reset();
  CHECK(eventually([&] { return broadcast.subscribers == 0; }));
  CHECK(broadcast.told_to_stop == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: stop() ends it promptly and in order") {
  Broadcast broadcast;
  ServerOptions options;
  options.times.drain_max = 60s;
  for (const auto keep_alive : {15'000ms, 1ms}) {
    RunningServer server(
        [&](Server& made) { broadcast.add_to(made, {.keep_alive = keep_alive}, 1h); }, options);
    std::vector<HttpClient> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(server.connect());
      clients.back().send(kGet);
    }
    for (HttpClient& client : clients) {
      CHECK(read_until(client, "data: 0\n\n").ends_with("data: 0\n\n"));
    }
    const auto began = std::chrono::steady_clock::now();
    server->stop();
    for (HttpClient& client : clients) {
      CHECK(client.read_until_end().ends_with("\r\n0\r\n\r\n"));
      client.close();
    }
    server->wait();
    CHECK(std::chrono::steady_clock::now() - began < 20s);
  }
  CHECK(broadcast.told_to_stop == 20);
  CHECK(broadcast.subscribers == 0);
}

/// True when this many more files may be open.
bool may_open(rlim_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, files));
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= files;
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: a thousand subscribers each get their events") {
  constexpr std::size_t kSubscribers = 1000;
  constexpr std::size_t kEvents = 20;
  REQUIRE(may_open(2 * kSubscribers + 200));
  Broadcast broadcast;
  RunningServer server([&](Server& made) { broadcast.add_to(made, {}, 20ms); });
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < kSubscribers; ++i) {
    clients.push_back(server.connect());
    clients.back().send(kGet);
  }
  std::size_t served = 0;
  for (HttpClient& client : clients) {
    std::string all;
    for (std::size_t number = 0; number < kEvents; ++number) {
      all += read_until(client, "data: " + std::to_string(number) + "\n\n");
    }
    served += all.find("<end>") == std::string::npos && all.find(kRetry) != std::string::npos;
  }
  CHECK(served == kSubscribers);
  CHECK(broadcast.subscribers == kSubscribers);
  CHECK(broadcast.bytes_max <= 64 * 1024);
  clients.clear();
  CHECK(eventually([&] { return broadcast.subscribers == 0; }));
  CHECK(eventually([&] { return server->statistics().connections.active == 0; }));
}

TEST_CASE_FIXTURE(LiveArenas, "event stream: the memory of one does not grow with its events") {
  std::size_t after_ten = 0;
  std::size_t at_the_end = 0;
  RunningServer server([&](Server& made) {
    made.get("/", [&](Exchange& exchange) -> Task<> {
      EventStream stream(exchange);
      for (int number = 0; number < 20'000; ++number) {
        co_await stream.send({.data = "some text", .event = "kind", .id = "id"});
        if (number % 100 == 0) {
          co_await stream.sleep(1ms);
        }
        (number < 200 ? after_ten : at_the_end) = exchange.arena().bytes_used();
      }
    });
  });
  CHECK(server.exchange(kGet).is_complete);
  CHECK(at_the_end == after_ten);
}

}  // namespace
}  // namespace stadion::http
