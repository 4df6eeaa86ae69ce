// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/scripted_memory.hpp"
#include "tests/support/site.hpp"

/// One conversation of all kinds of requests, again and again; each time the next call of the server's
/// fails. A client may be answered with an error, or lose its connection, but gets no wrong byte, and the
/// next one is served.
namespace stadion::http {
namespace {

using tests::Call;
using tests::eventually;
using tests::Faults;
using tests::HttpClient;
using tests::HttpResponse;
using tests::kShort;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RecordedLog;
using tests::RunningServer;
using tests::ScriptedMemory;
using tests::Site;

constexpr std::size_t kLargeBytes = 400'000;

Task<> echo_pieces(Exchange& exchange) {
  for (;;) {
    const std::string_view piece = co_await exchange.read_body();
    if (piece.empty()) {
      break;
    }
    co_await exchange.write(piece);
  }
}

Task<> later(Exchange& exchange) {
  co_await exchange.sleep(std::chrono::milliseconds(1));
  const int number = co_await exchange.offload([] { return 42; });
  exchange.response().text(number == 42 ? "later" : "wrong");
}

struct Lines {
  int left = 100;
  bool operator()(BodyWriter& out) {
    out.write("line after line\n");
    return --left > 0;
  }
};

/// A request and what its response says, if nothing fails.
struct Step {
  std::string request;
  std::string body;
  int status = 200;
};

class Conversation {
 public:
  Conversation() { site_.write("www/large.txt", large_); }

  void add_routes(Server& server) const {
    server.get("/", [](const Request&, Response& response) { response.text("root"); });
    server.get("/large", [this](const Request&, Response& response) {
      response.body_by_reference(large_, "text/plain");
    });
    server.get("/lines",
               [](const Request&, Response& response) { response.stream("text/plain", Lines()); });
    server.post("/echo",
                [](const Request& request, Response& response) { response.text(request.body()); });
    server.post("/pieces", echo_pieces, {.body = BodyMode::streamed});
    server.get("/later", later);
    site_.served()(server);
  }

  /// Asks for everything. Strictly, each response is what it must be; otherwise it may be an error, or
  /// break off, and the rest is asked by a new connection.
  void converse(RunningServer& server, bool strictly) const {
    std::optional<HttpClient> client;
    for (const Step& step : steps_) {
      CAPTURE(step.request.substr(0, 40));
      if (!client.has_value()) {
        client.emplace(server.endpoint(), HttpClient::Options{.receive_buffer_bytes = 4096});
      }
      const HttpResponse response = client->exchange(step.request);
      const bool is_right = response.is_complete && response.status == step.status;
      if (is_right) {
        CHECK(response.body == step.body);
      } else if (strictly) {
        CHECK(response.status == step.status);
        CHECK(response.is_complete);
      } else if (response.status == step.status) {
        CHECK(step.body.starts_with(response.body));
      } else {
        CHECK((response.status == 0 || response.status >= 400));
      }
      if (!is_right || response.field("Connection") == "close") {
        client.reset();
      }
    }
  }

 private:
  const std::string large_ = patterned_text(kLargeBytes);
  Site site_;
  const std::vector<Step> steps_{
      {"GET / HTTP/1.1\r\nHost: t\r\n\r\n", "root"},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
       "hello world"},
      {"GET /large HTTP/1.1\r\nHost: t\r\n\r\n", large_},
      {"GET /static/large.txt HTTP/1.1\r\nHost: t\r\n\r\n", large_},
      {"GET /static/large.txt HTTP/1.1\r\nHost: t\r\nRange: bytes=10-19\r\n\r\n",
       large_.substr(10, 10), 206},
      {"GET /static/hello.txt HTTP/1.1\r\nHost: t\r\n\r\n", "hello\n"},
      {"GET /lines HTTP/1.1\r\nHost: t\r\n\r\n", lines()},
      {"POST /pieces HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n" +
           large_.substr(0, 60'000),
       large_.substr(0, 60'000)},
      {"GET /later HTTP/1.1\r\nHost: t\r\n\r\n", "later"},
      {"GET /missing HTTP/1.1\r\nHost: t\r\n\r\n", "There is nothing here.\n", 404},
      {"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", "root"},
  };

  static std::string lines() {
    std::string text;
    for (int i = 0; i < 100; ++i) {
      text += "line after line\n";
    }
    return text;
  }
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.is_symlink() ? 1U : 0U;
  }
  return count;
}

ServerOptions options() {
  ServerOptions options;
  options.times.linger_max = std::chrono::milliseconds(20);
  return options;
}

/// A server that talks while its calls fail, and is as before when they don't.
class FaultyServer : LiveArenas {
 protected:
  FaultyServer() { Faults::spare_this_thread(); }

  /// Fails the first call of the kind, then the second, and so on, until the conversation has none.
  void fail_each(Call call, int error, bool is_harmless) {
    CAPTURE(static_cast<int>(call));
    CAPTURE(error);
    for (std::int64_t nth = 1;; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 2'000);
      {
        const Faults faults(call, nth, nth, error);
        conversation.converse(server, is_harmless);
        if (Faults::count() == 0) {
          CHECK_MESSAGE(nth > 1, "no such call was made");
          break;
        }
      }
      check_is_well();
    }
  }
  void check_is_well() {
    CHECK(eventually([this] { return server->statistics().connections.active == 0; }));
    CHECK(eventually([this] { return open_descriptors() == descriptors_before; }));
    CHECK(server.exchange("GET / HTTP/1.1\r\nHost: t\r\n\r\n").body == "root");
  }

  RecordedLog log;
  Conversation conversation;
  RunningServer server{[this](Server& to) { conversation.add_routes(to); }, options()};
  std::size_t descriptors_before = open_descriptors();
};

TEST_CASE_FIXTURE(FaultyServer, "faults: without any, all is well") {
  conversation.converse(server, true);
  check_is_well();
}

// That it gives fewer bytes than there are is no fault that there can be: it tells that there are no more
// (epoll(7), question 9). Bytes that come one by one are the parser's tests'.
TEST_CASE_FIXTURE(FaultyServer, "faults: each recv fails, or is interrupted") {
  fail_each(Call::recv, ECONNRESET, false);
  fail_each(Call::recv, ENOMEM, false);
  fail_each(Call::recv, EINTR, true);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: each send fails, is interrupted, or takes a byte") {
  fail_each(Call::send, EPIPE, false);
  fail_each(Call::send, ENOBUFS, false);
  fail_each(Call::send, EINTR, true);
  fail_each(Call::send, kShort, true);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: each sendfile fails, is interrupted, or takes a byte") {
  fail_each(Call::sendfile, EIO, false);
  fail_each(Call::sendfile, EINTR, true);
  fail_each(Call::sendfile, kShort, true);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: each accept fails, for whatever reason") {
  for (const int error : {ECONNABORTED, EINTR, EPERM, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    fail_each(Call::accept, error, true);
  }
}

TEST_CASE_FIXTURE(FaultyServer, "faults: each epoll operation fails") {
  fail_each(Call::epoll_ctl, ENOMEM, false);
  fail_each(Call::epoll_ctl, ENOSPC, false);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: waits are interrupted, now and then and again and again") {
  for (std::int64_t nth = 1; nth < 40; ++nth) {
    CAPTURE(nth);
    const Faults faults(Call::epoll_wait, nth, nth + nth % 5, EINTR);
    conversation.converse(server, true);
  }
  check_is_well();
}

TEST_CASE_FIXTURE(FaultyServer, "faults: files cannot be opened, looked at or read") {
  for (const int error : {EMFILE, ENFILE, EIO, EINTR, ENOMEM}) {
    fail_each(Call::open, error, false);
  }
  fail_each(Call::fstat, EIO, false);
  fail_each(Call::pread, EIO, false);
  fail_each(Call::pread, EINTR, true);
  fail_each(Call::pread, kShort, true);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: options of sockets cannot be set") {
  fail_each(Call::setsockopt, EINVAL, true);
}

TEST_CASE_FIXTURE(FaultyServer, "faults: each allocation by operator new fails") {
  fail_each(Call::allocation, 0, false);
}

TEST_CASE_FIXTURE(LiveArenas, "faults: each request of an arena for memory fails") {
  Faults::spare_this_thread();
  const RecordedLog log;
  const Conversation conversation;
  for (const bool all_behind_it : {false, true}) {
    CAPTURE(all_behind_it);
    for (std::int64_t nth = 1;; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 2'000);
      // A server of its own each time, or it would have what it needs.
      RunningServer server([&](Server& to) { conversation.add_routes(to); }, options());
      ScriptedMemory memory;
      all_behind_it ? memory.refuse_from(nth) : memory.refuse_nth(nth);
      conversation.converse(server, false);
      const bool is_over = memory.refusal_count() == 0;
      memory.allow_all();
      conversation.converse(server, true);
      if (is_over) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace stadion::http
