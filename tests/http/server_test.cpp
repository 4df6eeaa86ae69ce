// SPDX-License-Identifier: MIT
#include "http/server.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RecordedLog;
using tests::RunningServer;
using tests::TemporaryFolder;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

void add_root(Server& server) {
  server.get("/", [](const Request&, Response& response) { response.text("root"); });
}

ServerOptions with_workers(std::size_t workers) {
  ServerOptions options;
  options.workers = workers;
  return options;
}

TEST_CASE_FIXTURE(LiveArenas, "server: every method's route is served") {
  RunningServer server([](Server& made) {
    const Handler answer = [](const Request& request, Response& response) {
      response.text(to_string(request.method()));
    };
    made.get("/", answer).post("/", answer).put("/", answer).patch("/", answer).del("/", answer);
    made.route(Method::trace, "/", answer).route(Method::options, "/", answer);
  });
  HttpClient client = server.connect();
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"}) {
    CHECK(client.exchange(method + " / HTTP/1.1\r\nHost: t\r\n\r\n").body == method);
  }
  CHECK(server->router().descriptions().size() == 7);
}

TEST_CASE_FIXTURE(LiveArenas, "server: port 0 becomes the port that the system chose") {
  Server server;
  add_root(server);
  const net::Endpoint first = server.listen("127.0.0.1:0");
  const net::Endpoint second = server.listen("127.0.0.1:0");
  CHECK(first.port() != 0);
  CHECK(second.port() != first.port());
  REQUIRE(server.endpoints().size() == 2);
  CHECK(server.endpoints()[1].to_string() == second.to_string());

  server.start();
  CHECK(HttpClient(first).exchange(kGet).body == "root");
  CHECK(HttpClient(second).exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: serves on IPv6") {
  RunningServer server(add_root, {}, "[::1]:0");
  CHECK(server.exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: serves on a Unix socket, whose file goes with it") {
  const TemporaryFolder folder;
  const std::string path = folder.path("socket");
  {
    RunningServer server(add_root, with_workers(2), "unix:" + path);
    for (int i = 0; i < 20; ++i) {
      CHECK(server.exchange(kGet).body == "root");
    }
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(LiveArenas, "server: clients may connect before it starts, and are then served") {
  Server server;
  add_root(server);
  HttpClient client(server.listen("127.0.0.1:0"));
  client.send(kGet);
  server.start();
  server.start();  // A second time is nothing.
  CHECK(client.read_response().body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: an address in use is refused, and named") {
  RunningServer server(add_root);
  Server second;
  try {
    second.listen(server.endpoint().to_string());
    FAIL("two servers listen on the same port");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()).find(server.endpoint().to_string()) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "server: several Workers share the connections of one port") {
  constexpr std::size_t kWorkers = 3;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  RunningServer server(
      [&](Server& made) {
        made.get("/", [&](const Request&, Response& response) {
          const std::lock_guard lock(mutex);
          threads.insert(std::this_thread::get_id());
          response.text("root");
        });
      },
      with_workers(kWorkers));
  std::vector<HttpClient> clients;
  CHECK(eventually([&] {  // Which Worker gets a connection is the system's choice.
    clients.push_back(server.connect());
    CHECK(clients.back().exchange(kGet).body == "root");
    const std::lock_guard lock(mutex);
    return threads.size() == kWorkers;
  }));
  CHECK(server->statistics().workers == kWorkers);
  CHECK(server->statistics().connections.active == clients.size());
  CHECK(threads.count(std::this_thread::get_id()) == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "server: workers = 0 means one per processor") {
  RunningServer server(add_root, with_workers(0));
  CHECK(server->statistics().workers >= 1);
  CHECK(server->statistics().workers <= std::thread::hardware_concurrency());
  CHECK(server.exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: beyond connections_max a connection is closed at once") {
  ServerOptions options;
  options.connections_max = 2;
  RunningServer server(add_root, options);
  HttpClient first = server.connect();
  HttpClient second = server.connect();
  CHECK(first.exchange(kGet).body == "root");
  CHECK(second.exchange(kGet).body == "root");
  HttpClient third = server.connect();
  CHECK(third.is_at_end());
  CHECK(server->statistics().connections.refused == 1);

  first.close();
  CHECK(eventually([&] { return server->statistics().connections.active == 1; }));
  CHECK(server.connect().exchange(kGet).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: statistics count responses, connections and memory") {
  RunningServer server(add_root);
  {
    const ServerStatistics before = server->statistics();
    CHECK(before.responses() == 0);
    CHECK(before.connections.active == 0);
    CHECK(before.connections.max_connections == 10'000);
    CHECK(before.workers == 1);
  }
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.exchange(kGet);
  }
  constexpr std::string_view kMissing = "GET /missing HTTP/1.1\r\nHost: t\r\n\r\n";
  client.exchange(kMissing);
  REQUIRE(eventually([&] {
    return server->statistics().responses() == 4 &&
           server->statistics().connections.bytes_out > 400;
  }));
  const ServerStatistics now = server->statistics();
  CHECK(now.responses_by_status[200 - kStatusMin] == 3);
  CHECK(now.responses_by_status[404 - kStatusMin] == 1);
  CHECK(now.connections.active == 1);
  CHECK(now.connections.added == 1);
  CHECK(now.connections.bytes_in == 3 * kGet.size() + kMissing.size());
  std::uint64_t requests_measured = 0;
  for (const std::uint64_t count : now.request_memory.counts) {
    requests_measured += count;
  }
  CHECK(requests_measured == 4);
  CHECK(now.request_memory.sum > 0);
  CHECK(now.arenas_live == Arena::debug_live_count());
  CHECK(now.uptime_seconds > 0);
}

TEST_CASE_FIXTURE(LiveArenas, "server: a handler may ask for statistics and stop its own server") {
  Server server;
  server.get("/", [&server](const Request&, Response& response) {
    CHECK(server.statistics().connections.active == 1);
    server.stop();
    response.text("stopping");
  });
  HttpClient client(server.listen("127.0.0.1:0"));
  server.start();
  const HttpResponse response = client.exchange(kGet);
  CHECK(response.body == "stopping");
  CHECK(client.is_at_end());
  server.wait();
}

TEST_CASE_FIXTURE(LiveArenas, "server: one that never started, or listened, goes without a trace") {
  { Server server; }
  {
    Server server;
    add_root(server);
    HttpClient client(server.listen("127.0.0.1:0"));
  }
  {
    Server server;
    server.start();
    server.stop();
    server.wait();
  }
}

TEST_CASE_FIXTURE(LiveArenas, "server: destroyed without stop() it closes what is open") {
  auto server = std::make_unique<Server>(with_workers(2));
  add_root(*server);
  HttpClient client(server->listen("127.0.0.1:0"));
  server->start();
  CHECK(client.exchange(kGet).body == "root");
  server.reset();
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "server: stop() any number of times, from any thread, then stop_now()") {
  RunningServer server(add_root, with_workers(2));
  HttpClient half = server.connect();
  half.send("GET ");
  REQUIRE(eventually([&] { return server->statistics().connections.bytes_in == 4; }));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&server] { server->stop(); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  server->stop_now();
  server->stop_now();
  server->wait();
  server->wait();
  server->stop();
  CHECK(half.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "server: run() serves until SIGTERM") {
  Server server;
  add_root(server);
  HttpClient client(server.listen("127.0.0.1:0"));
  std::thread running([&server] { server.run(); });
  CHECK(client.exchange(kGet).body == "root");  // Signals are caught before the first answer.
  ::kill(::getpid(), SIGTERM);
  running.join();
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "server: stopped under load every request is answered or cut off") {
  constexpr int kClients = 8;
  for (const bool at_once : {false, true}) {
    CAPTURE(at_once);
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<std::uint64_t> handled = 0;
    RunningServer server(
        [&handled](Server& made) {
          made.get("/", [&handled](const Request&, Response& response) {
            ++handled;
            response.text("root");
          });
        },
        with_workers(2));
    std::vector<std::thread> clients;
    std::atomic<int> failures = 0;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&] {
        try {
          HttpClient client = server.connect();
          while (true) {
            const HttpResponse response = client.exchange(kGet);
            if (!response.is_complete) {
              return;  // Closed: by the drain between requests, or by stop_now().
            }
            failures += response.status == 200 && response.body == "root" ? 0 : 1;
            ++answered;
            if (response.field("Connection") == "close") {
              failures += client.is_at_end() ? 0 : 1;
              return;
            }
          }
        } catch (const std::exception&) {
          ++failures;
        }
      });
    }
    CHECK(eventually([&] { return answered > 200; }));
    at_once ? server->stop_now() : server->stop();
    for (std::thread& client : clients) {
      client.join();
    }
    server->wait();
    CHECK(failures == 0);
    if (!at_once) {
      CHECK(answered == handled);  // None that reached a handler lost its answer.
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "server: options that make no sense are refused, and named") {
  constexpr std::size_t kLargest = std::numeric_limits<std::size_t>::max();
  struct Case {
    const char* name;
    std::function<void(ServerOptions&)> spoil;
    std::function<void(ServerOptions&)> just_right;
  };
  const Case cases[] = {
      {"buffer_bytes", [](auto& options) { options.buffer_bytes = 2047; },
       [](auto& options) { options.buffer_bytes = 2048; }},
      {"buffer_bytes", [](auto& options) { options.buffer_bytes = (16U << 20U) + 1; },
       [](auto& options) { options.buffer_bytes = 16U << 20U; }},
      {"connections_max", [](auto& options) { options.connections_max = 0; },
       [](auto& options) { options.connections_max = 1; }},
      {"connections_max", [](auto& options) { options.connections_max = 1'000'001; },
       [](auto& options) { options.connections_max = 1'000'000; }},
      {"workers", [](auto& options) { options.workers = 1025; },
       [](auto& options) { options.workers = 0; }},
      {"accepts_per_second_max", [](auto& options) { options.accepts_per_second_max = 1'000'001; },
       [](auto& options) { options.accepts_per_second_max = 1'000'000; }},
      {"offload_threads", [](auto& options) { options.offload_threads = 0; },
       [](auto& options) { options.offload_threads = 1; }},
      {"offload_threads", [](auto& options) { options.offload_threads = 1025; },
       [](auto& options) { options.offload_threads = 1024; }},
      {"offload_queue_max", [](auto& options) { options.offload_queue_max = 0; },
       [](auto& options) { options.offload_queue_max = 1; }},
      {"head_bytes_max", [](auto& options) { options.limits.head_bytes_max = 63; },
       [](auto& options) { options.limits.head_bytes_max = 64; }},
      {"request_memory_bytes_max",
       [](auto& options) { options.limits.request_memory_bytes_max = 4 * 16 * 1024 - 1; },
       [](auto& options) { options.limits.request_memory_bytes_max = 4 * 16 * 1024; }},
      // Four times that wraps to 0.
      {"request_memory_bytes_max",
       [](auto& options) { options.limits.head_bytes_max = kLargest / 4 + 1; },
       [](auto& options) { options.limits.head_bytes_max = 64; }},
      {"request_memory_bytes_max",
       [](auto& options) {
         options.limits.head_bytes_max = kLargest / 4 + 1;
         options.limits.request_memory_bytes_max = kLargest;
       },
       [](auto& options) {
         options.limits.head_bytes_max = kLargest / 4;
         options.limits.request_memory_bytes_max = kLargest;
       }},
      {"pipelined_requests_max", [](auto& options) { options.limits.pipelined_requests_max = 0; },
       [](auto& options) { options.limits.pipelined_requests_max = 1; }},
  };
  for (const Case& example : cases) {
    CAPTURE(example.name);
    ServerOptions spoilt;
    example.spoil(spoilt);
    try {
      const Server server(spoilt);
      FAIL_CHECK("these options are accepted");
    } catch (const std::invalid_argument& error) {
      CHECK(std::string(error.what()).find(example.name) != std::string::npos);
    }
    ServerOptions good;
    example.just_right(good);
    CHECK_NOTHROW(Server{good});
  }
}

TEST_CASE_FIXTURE(LiveArenas, "server: there may be 1024 Workers") {
  constexpr rlim_t kDescriptorsMin = 8 * 1024;  // An event loop has some of its own.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  if (before.rlim_max < kDescriptorsMin) {
    MESSAGE("left out: the system allows ", before.rlim_max, " file descriptors");
    return;
  }
  rlimit enough = before;
  enough.rlim_cur = std::max(before.rlim_cur, kDescriptorsMin);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &enough) == 0);
  {
    const Server server(with_workers(1024));
    CHECK(server.statistics().workers == 1024);
  }
  CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "server: the smallest buffers and memory serve a request all the same") {
  ServerOptions options;
  options.buffer_bytes = 2048;
  options.limits.request_memory_bytes_max = 4 * options.limits.head_bytes_max;
  RunningServer server(add_root, options);
  CHECK(server.exchange(kGet).body == "root");
  // A head of the largest size that is allowed, too.
  const std::string largest =
      "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(options.limits.head_bytes_max - 32, 'x') +
      "\r\n\r\n";
  REQUIRE(largest.size() == options.limits.head_bytes_max);
  CHECK(server.exchange(largest).body == "root");
}

TEST_CASE_FIXTURE(LiveArenas, "server: a malformed or doubled route is refused") {
  Server server;
  add_root(server);
  CHECK_THROWS_AS(add_root(server), std::invalid_argument);
  CHECK_THROWS_AS(server.get("no-slash", [](const Request&, Response&) {}), std::invalid_argument);
  CHECK_THROWS_AS(server.get("/handlerless", nullptr), std::invalid_argument);
}

TEST_CASE_FIXTURE(LiveArenas, "server: to stop it again and again does not put the end off") {
  for (int i = 0; i < 50; ++i) {
    Server server;
    server.listen("127.0.0.1:0");
    server.start();
    const auto begin = std::chrono::steady_clock::now();
    for (int stops = 0; stops < 20; ++stops) {
      server.stop();
      std::this_thread::yield();
    }
    server.wait();
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "server: a start that there is no memory for throws, and that is its end") {
  const RecordedLog log;
  for (const std::size_t workers : {1U, 3U}) {
    ServerOptions options;
    options.workers = workers;
    options.connections_max = 1'000'000;
    Server server(options);
    server.listen("127.0.0.1:0");
    Arena::set_process_limit_bytes(Arena::process_bytes() + 1'000'000);
    CHECK_THROWS_AS(server.start(), ArenaFailed);
    Arena::set_process_limit_bytes(kArenaNoLimit);
    server.stop();
    server.wait();
  }
}

}  // namespace
}  // namespace stadion::http
