// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/site.hpp"

/// Document Rule 2, "no malloc beside the arena": what a request costs beside its arena, counted at
/// every operator new of this program.
namespace stadion::http {
namespace {

std::atomic<bool> counting = false;
std::atomic<std::uint64_t> counted = 0;
thread_local bool is_counted_thread = false;

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  if (is_counted_thread && counting) {
    ++counted;
  }
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(bytes)
                     : std::aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace
}  // namespace stadion::http

// The standard's other forms call these.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return stadion::http::counted_allocation(bytes + (bytes == 0 ? 1 : 0), 1);
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return stadion::http::counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace stadion::http {
namespace {

using tests::file_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RunningServer;
using tests::Site;

void add_routes(Server& server) {
  static const std::string large = patterned_text(200'000);
  server.get("/plaintext",
             [](const Request&, Response& response) { response.text("Hello, World!"); });
  server.get("/large", [](const Request&, Response& response) {
    response.body_by_reference(large, "text/plain");
  });
  server.get("/stream", [](const Request&, Response& response) {
    response.stream("text/plain", [line = 0](BodyWriter& out) mutable {
      out.write("line\n");
      return ++line < 100;
    });
  });
  server.get("/users/{id}", [](const Request& request, Response& response) {
    response.header("X-Id", request.param("id")).text(request.query("q").value_or("none"));
  });
  server.post("/echo",
              [](const Request& request, Response& response) { response.text(request.body()); });
  server.get("/begin", [](const Request&, Response& response) {
    is_counted_thread = true;
    counting = true;
    response.text("begun");
  });
  server.get("/end", [](const Request&, Response& response) {
    counting = false;
    response.text("ended");
  });
  server.get("/vector", [](const Request&, Response& response) {
    const std::vector<int> numbers(100);
    response.text(std::string_view("0", numbers[99] == 0 ? 1 : 0));
  });
}

void add_coroutines(Server& server) {
  server.get("/timer", [](Exchange& exchange) -> Task<> {
    co_await exchange.sleep(std::chrono::milliseconds(0));
    exchange.response().text("slept");
  });
  server.get("/within", [](Exchange& exchange) -> Task<> {
    co_await exchange.sleep(std::chrono::milliseconds(0)).within(std::chrono::minutes(10));
    exchange.response().text("slept");
  });
  server.get("/offload", [](Exchange& exchange) -> Task<> {
    const std::string_view text = co_await exchange.offload([&exchange] {
      is_counted_thread = true;
      return exchange.arena().copy("from another thread");
    });
    exchange.response().body_by_reference(text, "text/plain");
  });
  server.get("/offload-vector", [](Exchange& exchange) -> Task<> {
    co_await exchange.offload([] {
      is_counted_thread = true;
      const std::vector<int> numbers(100);
      return numbers.size();
    });
  });
  server.get("/callback", [](Exchange& exchange) -> Task<> {
    co_await exchange.callback<>([](auto done) { done(); }, [] {});
  });
  server.post("/streamed-echo",
              [](Exchange& exchange) -> Task<> {
                for (;;) {
                  const std::string_view piece = co_await exchange.read_body();
                  if (piece.empty()) {
                    break;
                  }
                  co_await exchange.write(piece);
                }
              },
              {.body = BodyMode::streamed});
  Routes around = server.group("/around");
  around.use({.before = [](Exchange&) { return Flow::next; },
              .around = [](Exchange& exchange, Next next) -> Task<> {
                co_await exchange.sleep(std::chrono::milliseconds(0));
                co_await next();
              },
              .after = [](Exchange& exchange) { exchange.response().header("X-After", "1"); }});
  around.get("/function", [](const Request&, Response& response) { response.text("inside"); });
  around.get("/coroutine", [](Exchange& exchange) -> Task<> {
    co_await exchange.sleep(std::chrono::milliseconds(0));
    exchange.response().text("inside");
  });
}

/// Calls of operator new on the Worker's thread, and those of its pool, while it answers this request so many times, from
/// between two others.
std::uint64_t allocations(HttpClient& client, std::string_view request, int times) {
  const std::string begin = "GET /begin HTTP/1.1\r\nHost: t\r\n\r\n";
  const std::string end = "GET /end HTTP/1.1\r\nHost: t\r\n\r\n";
  counted = 0;
  REQUIRE(client.exchange(begin).body == "begun");
  for (int i = 0; i < times; ++i) {
    const HttpResponse response = client.exchange(request);
    REQUIRE((response.is_complete && (response.status < 400 || response.status == 404)));
  }
  REQUIRE(client.exchange(end).body == "ended");
  return counted;
}

TEST_CASE_FIXTURE(LiveArenas, "allocations: the counter sees what a handler allocates") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  constexpr std::string_view kRequest = "GET /vector HTTP/1.1\r\nHost: t\r\n\r\n";
  (void)allocations(client, kRequest, 10);
  CHECK(allocations(client, kRequest, 100) == 100);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "allocations: in steady state a request calls operator new not once") {
  RunningServer server(add_routes);
  for (const std::string_view request :
       {"GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /users/a%20b?q=x+y HTTP/1.1\r\nHost: t\r\nAccept: */*\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody",
        "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
        "chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: t\r\n\r\n", "GET /large HTTP/1.1\r\nHost: t\r\n\r\n"}) {
    CAPTURE(request);
    HttpClient client = server.connect();
    (void)allocations(client, request, 100);  // Until the caches are warm.
    CHECK(allocations(client, request, 1000) == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "allocations: a static file calls operator new not once") {
  const Site site;
  site.write("www/large.txt", patterned_text(200'000));
  site.write("www/large.txt.gz", patterned_text(100'000));
  RunningServer server([&](Server& to) {
    add_routes(to);
    site.served({.listing = true, .cache_control = "no-cache", .attachment = true})(to);
  });
  HttpClient first = server.connect();
  const HttpResponse large = first.exchange(file_request("large.txt"));
  const std::string condition = "If-None-Match: " + large.field("ETag").value_or("");
  for (const std::string& request :
       {file_request("hello.txt"), file_request("large.txt"), file_request(""), file_request("sub"),
        file_request("no_index/"), file_request("large.txt", {condition}),
        file_request("large.txt", {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"}),
        file_request("large.txt", {"Accept-Encoding: br, gzip"}),
        file_request("large.txt", {"Range: bytes=100-"}),
        file_request("large.txt", {"Range: bytes=0-9,100-109,-5", "If-Range: \"x\""}),
        file_request("large.txt", {"Range: bytes=0-9,100-109,-5"}),
        file_request("large.txt", {}, "HEAD")}) {
    CAPTURE(request);
    HttpClient client = server.connect();
    (void)allocations(client, request, 100);
    CHECK(allocations(client, request, 300) == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "allocations: nor does one that waits, offloads or is streamed") {
  RunningServer server([](Server& routes) {
    add_routes(routes);
    add_coroutines(routes);
  });
  const std::string streamed =
      "POST /streamed-echo HTTP/1.1\r\nHost: t\r\nContent-Length: 65536\r\n\r\n" +
      patterned_text(65'536);
  for (const std::string_view request :
       {std::string_view("GET /timer HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /within HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /offload HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /callback HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /around/function HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /around/coroutine HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view("GET /around/none HTTP/1.1\r\nHost: t\r\n\r\n"),
        std::string_view(streamed)}) {
    CAPTURE(request.substr(0, 40));
    HttpClient client = server.connect();
    (void)allocations(client, request, 100);
    CHECK(allocations(client, request, 500) == 0);
  }
  HttpClient client = server.connect();
  constexpr std::string_view kVector = "GET /offload-vector HTTP/1.1\r\nHost: t\r\n\r\n";
  (void)allocations(client, kVector, 100);
  CHECK(allocations(client, kVector, 100) == 100);  // The counter sees the pool's threads.
}

}  // namespace
}  // namespace stadion::http
