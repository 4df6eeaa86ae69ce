// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "http/access_log.hpp"
#include "http/compression.hpp"
#include "http/ready_middleware.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RecordedLog;
using tests::RunningServer;

/// A record whose texts outlive its exchange.
struct Entry {
  std::string remote_address, user, method, target, version, request_id, referer, user_agent;
  unsigned status = 0;
  std::uint64_t bytes = 0;
  std::uint64_t arena_bytes = 0;
  std::chrono::nanoseconds duration{0};
  std::chrono::system_clock::time_point time{};
};

class Journal {
 public:
  void write(const AccessRecord& record) {
    const std::lock_guard lock(mutex_);
    entries_.push_back({.remote_address = std::string(record.remote_address),
                        .user = std::string(record.user),
                        .method = std::string(record.method),
                        .target = std::string(record.target),
                        .version = std::string(record.version),
                        .request_id = std::string(record.request_id),
                        .referer = std::string(record.referer),
                        .user_agent = std::string(record.user_agent),
                        .status = record.status,
                        .bytes = record.body_bytes_sent,
                        .arena_bytes = record.arena_bytes,
                        .duration = record.duration,
                        .time = record.time});
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  /// The only record since the last time; waits for it.
  Entry take() {
    CHECK(eventually([this] { return size() > 0; }));
    const std::lock_guard lock(mutex_);
    CHECK(entries_.size() == 1);
    const Entry entry = entries_.empty() ? Entry{} : entries_.back();
    entries_.clear();
    return entry;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

const std::string kLarge = tests::compressible_text(300'000);

struct Site {
  tests::TemporaryFile file{kLarge};
  Journal journal;
  std::atomic<bool> is_waiting = false;
  RunningServer server{[this](Server& made) { add_routes(made); }};

  void add_routes(Server& made) {
    made.access_log([this](const AccessRecord& record) { journal.write(record); });
    made.get("/", [](const Request&, Response& response) { response.text("12345"); });
    made.get("/memory", [](Exchange& exchange) {
      (void)exchange.arena().alloc(100'000);
      exchange.response().status(Status::created).text("made");
    });
    made.get("/large", [](const Request&, Response& response) {
      response.body_by_reference(kLarge, "text/plain");
    });
    made.get("/file", [this](const Request&, Response& response) {
      const BodyPart part{.file = file.descriptor(), .file_bytes = kLarge.size()};
      response.body_parts({&part, 1}, "text/plain");
    });
    made.get("/stream", [](const Request&, Response& response) {
      response.stream("text/plain", [left = 10](BodyWriter& out) mutable {
        out.write(std::string(1000, 'x'));
        return --left > 0;
      });
    });
    made.get("/written", [](Exchange& exchange) -> Task<> {
      co_await exchange.write("12345");
      co_await exchange.sleep(20ms);
      co_await exchange.write("678");
    });
    made.get("/waits", [this](Exchange& exchange) -> Task<> {
      is_waiting = true;
      co_await exchange.sleep(1h);
    });
    made.get("/survives", [this](Exchange& exchange) -> Task<> {
      exchange.survive_client();
      is_waiting = true;
      while (!exchange.client_is_gone()) {
        co_await exchange.sleep(1ms);
      }
      exchange.response().text("too late");
    });
    made.get("/endless", [this](Exchange& exchange) -> Task<> {
      for (;;) {
        co_await exchange.write(kLarge);
        is_waiting = true;
      }
    });
    made.post("/",
              [](const Request& request, Response& response) { response.text(request.body()); });
    made.get("/throws", [](const Request&, Response&) { throw std::runtime_error("on purpose"); });
    auto named = made.group("/named");
    named.use(request_ids()).use(compression());
    named.use({.before = [](Exchange& exchange) {
      exchange.set_user("ann");
      return Flow::next;
    }});
    named.get("",
              [](const Request&, Response& response) { response.text(kLarge.substr(0, 5000)); });
  }
};

constexpr std::string_view kRest = " HTTP/1.1\r\nHost: t\r\n\r\n";

std::string get(std::string_view path) { return "GET " + std::string(path) + std::string(kRest); }

TEST_CASE_FIXTURE(LiveArenas, "access log: a record says what was asked and answered") {
  Site site;
  const auto before = std::chrono::system_clock::now();
  CHECK(site.server
            .exchange("GET /?q=1 HTTP/1.1\r\nHost: t\r\nReferer: https://a.example/\r\n"
                      "User-Agent: test/1\r\n\r\n")
            .status == 200);
  const Entry entry = site.journal.take();
  CHECK(entry.method == "GET");
  CHECK(entry.target == "/?q=1");
  CHECK(entry.version == "HTTP/1.1");
  CHECK(entry.status == 200);
  CHECK(entry.bytes == 5);
  CHECK(entry.remote_address.starts_with("127.0.0.1:"));
  CHECK(entry.referer == "https://a.example/");
  CHECK(entry.user_agent == "test/1");
  CHECK(entry.user == "");
  CHECK(entry.request_id == "");
  CHECK(entry.duration > 0ns);
  CHECK(entry.duration < 20s);
  CHECK(entry.time >= before - 1s);
  CHECK(entry.time <= std::chrono::system_clock::now());
  CHECK(entry.arena_bytes > 0);
  CHECK(site.server.exchange("GET / HTTP/1.0\r\n\r\n").status == 200);
  CHECK(site.journal.take().version == "HTTP/1.0");
}

TEST_CASE_FIXTURE(LiveArenas, "access log: each exchange of a connection has one, and its bytes") {
  Site site;
  HttpClient client = site.server.connect();
  struct Expected {
    const char* path;
    unsigned status;
    std::uint64_t bytes;
  };
  for (const Expected& expected :
       {Expected{"/", 200, 5}, Expected{"/memory", 201, 4}, Expected{"/large", 200, kLarge.size()},
        Expected{"/file", 200, kLarge.size()}, Expected{"/stream", 200, 10'000},
        Expected{"/written", 200, 8}}) {
    CAPTURE(expected.path);
    const auto& [path, status, bytes] = expected;
    CHECK(client.exchange(get(path)).body.size() == bytes);
    const Entry entry = site.journal.take();
    CHECK(entry.target == path);
    CHECK(entry.status == status);
    CHECK(entry.bytes == bytes);
    CHECK((std::string_view(path) != "/memory" || entry.arena_bytes >= 100'000));
    CHECK((std::string_view(path) != "/written" || entry.duration >= 20ms));
    CHECK(client.exchange("HEAD" + get(path).substr(3)).status == static_cast<int>(status));
    const Entry head = site.journal.take();
    CHECK(head.method == "HEAD");
    CHECK(head.bytes == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "access log: bytes are those that were sent, user and id are known") {
  Site site;
  const HttpResponse response =
      site.server.exchange("GET /named HTTP/1.1\r\nHost: t\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK(response.field("Content-Encoding") == "gzip");
  const Entry entry = site.journal.take();
  CHECK(entry.bytes == response.body.size());
  CHECK(entry.user == "ann");
  CHECK(entry.request_id == response.field("X-Request-Id").value_or("?"));
}

TEST_CASE_FIXTURE(LiveArenas, "access log: errors have a record, also what was no request") {
  const RecordedLog log;
  Site site;
  const auto status_of = [&](std::string_view request) {
    const HttpResponse response = site.server.exchange(request);
    const Entry entry = site.journal.take();
    CHECK(static_cast<int>(entry.status) == response.status);
    CHECK(entry.bytes == response.body.size());
    CHECK(entry.remote_address.starts_with("127.0.0.1:"));
    CHECK(entry.duration < 20s);
    return entry.status;
  };
  CHECK(status_of(get("/missing")) == 404);
  CHECK(status_of(get("/throws")) == 500);
  CHECK(status_of("DELETE / HTTP/1.1\r\nHost: t\r\n\r\n") == 405);
  CHECK(status_of("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999\r\n\r\n") == 413);
  CHECK(status_of("nonsense\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /" + std::string(20'000, 'a') + std::string(kRest)) == 414);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n") ==
        431);
  CHECK(status_of("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
}

TEST_CASE_FIXTURE(LiveArenas, "access log: a client that left before its response is a 499") {
  for (const bool with_reset : {true, false}) {
    CAPTURE(with_reset);
    Site site;
    for (const std::string_view path : {"/waits", "/survives"}) {
      CAPTURE(path);
      site.is_waiting = false;
      HttpClient client = site.server.connect();
      client.send(get(path));
      CHECK(eventually([&] { return site.is_waiting.load(); }));
      with_reset ? client.reset() : client.close();
      const Entry entry = site.journal.take();
      CHECK(entry.status == 499);
      CHECK(entry.target == path);
      CHECK(entry.bytes == 0);
      CHECK(entry.remote_address.starts_with("127.0.0.1:"));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "access log: a client that left in the middle has its status") {
  Site site;
  HttpClient client = site.server.connect();
  client.send(get("/endless"));
  CHECK(eventually([&] { return site.is_waiting.load(); }));
  client.reset();
  const Entry entry = site.journal.take();
  CHECK(entry.status == 200);
  CHECK(entry.bytes >= kLarge.size());
  CHECK(entry.remote_address.starts_with("127.0.0.1:"));
}

TEST_CASE_FIXTURE(LiveArenas, "access log: a client that left while it sent its body is a 499") {
  Site site;
  HttpClient client = site.server.connect();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf");
  CHECK(eventually([&] { return site.server->statistics().connections.active == 1; }));
  client.reset();
  CHECK(eventually([&] { return site.server->statistics().connections.active == 0; }));
  (void)site.server.exchange(get("/"));
  CHECK(eventually([&] { return site.journal.size() == 2; }));
}

TEST_CASE_FIXTURE(LiveArenas, "access log: a connection without a request has no record") {
  Site site;
  site.server.connect().close();
  HttpClient idle = site.server.connect();
  (void)idle.exchange(get("/"));
  idle.close();
  CHECK(site.journal.take().target == "/");
  CHECK(eventually([&] { return site.server->statistics().connections.active == 0; }));
  CHECK(site.journal.size() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "access log: one that throws is logged, and nobody else minds") {
  const RecordedLog log;
  std::atomic<int> calls = 0;
  RunningServer server([&](Server& made) {
    made.get("/", [](const Request&, Response& response) { response.text("root"); });
    made.access_log([&](const AccessRecord&) {
      if (++calls % 2 == 0) {
        throw std::runtime_error("the disk is full");
      }
      throw 42;
    });
  });
  HttpClient client = server.connect();
  for (int i = 0; i < 10; ++i) {
    CHECK(client.exchange(get("/")).body == "root");
  }
  CHECK(eventually([&] { return calls == 10; }));
  CHECK(eventually([&] { return log.count(LogLevel::error, "the access log failed") == 10; }));
  CHECK(log.count(LogLevel::error, "the disk is full") == 5);
}

TEST_CASE_FIXTURE(LiveArenas, "access log: several Workers' exchanges are all there") {
  Journal journal;
  ServerOptions options;
  options.workers = 3;
  RunningServer server(
      [&](Server& made) {
        made.get("/", [](const Request&, Response& response) { response.text("root"); });
        made.access_log([&](const AccessRecord& record) { journal.write(record); });
      },
      options);
  for (int i = 0; i < 60; ++i) {
    CHECK(server.exchange(get("/")).status == 200);
  }
  CHECK(eventually([&] { return journal.size() == 60; }));
}

}  // namespace
}  // namespace stadion::http
