// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <new>
#include <string_view>
#include <thread>

#include "core/log.hpp"
#include "http/server.hpp"
#include "net/thread_pool.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/scripted_memory.hpp"

/// Without memory anywhere, not even for a line in the log.
namespace stadion {
namespace {

using tests::Call;
using tests::eventually;
using tests::Faults;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;
using tests::ScriptedMemory;

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

std::atomic<int> lines{0};

TEST_CASE_FIXTURE(LiveArenas,
                  "no memory: neither in arenas nor on the heap, and the server lives") {
  constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  set_log_sink([](LogLevel, std::string_view) noexcept { ++lines; });
  Faults::spare_this_thread();
  http::ServerOptions options;
  options.buffer_bytes = 1024 * 1024;  // Of which no two have room where there was one.
  for (std::int64_t nth = 1; nth <= 5; ++nth) {
    CAPTURE(nth);
    RunningServer server(
        [](http::Server& to) {
          to.get("/",
                 [](const http::Request&, http::Response& response) { response.text("root"); });
        },
        options);
    HttpClient client = server.connect();
    REQUIRE(eventually([&] { return server->statistics().connections.active == 1; }));
    {
      ScriptedMemory memory;
      memory.refuse_from(nth);
      const Faults faults(Call::allocation, 1, kEver, 0);
      const HttpResponse response = client.exchange(kGet);
      CHECK((response.status == 200 || response.status == 503 || response.status == 0));
    }
    CHECK(eventually([&] { return server.exchange(kGet).body == "root"; }));
  }
  CHECK(lines > 0);
  set_log_sink(nullptr);
}

TEST_CASE("no memory: a thread pool goes on with the threads that it could have, or says so") {
  set_log_sink([](LogLevel, std::string_view) noexcept { ++lines; });
  int failures = 0;
  int fewer = 0;
  for (std::int64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    std::atomic<bool> has_run = false;
    net::ThreadPool pool({.threads = 3, .queue_max = 8});
    net::ThreadPoolTask task([](void* to) { *static_cast<std::atomic<bool>*>(to) = true; },
                             &has_run);
    const int lines_before = lines;
    bool is_posted = false;
    std::int64_t failed = 0;
    {
      const Faults faults(Call::allocation, nth, nth, 0);
      std::thread([&] {  // One that is not spared.
        try {
          is_posted = pool.post(task);
        } catch (const std::bad_alloc&) {
          ++failures;
        }
      })
          .join();
      failed = Faults::count();
    }
    CHECK((!is_posted || eventually([&] { return has_run.load(); })));
    fewer += is_posted && lines > lines_before ? 1 : 0;
    if (failed == 0) {
      CHECK(is_posted);
      break;
    }
  }
  CHECK(failures > 0);
  CHECK(fewer > 0);
  set_log_sink(nullptr);
}

}  // namespace
}  // namespace stadion
