// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Interim responses, and connections that become something else.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::patterned_text;
using tests::RecordedLog;
using tests::RunningServer;

constexpr std::string_view kUpgrade =
    "GET /echo HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, Upgrade\r\nUpgrade: other, Echo/2\r\n"
    "\r\n";
constexpr std::array kHint{Field{.name = "Link", .value = "</style.css>; rel=preload"}};

Task<> echo_raw(Exchange& exchange) {
  const LiveFrame live;
  exchange.response().header("X-Echo", "yes");
  co_await exchange.upgrade("echo/2");
  for (;;) {
    const std::string_view piece = co_await exchange.read_raw();
    if (piece.empty()) {
      break;
    }
    co_await exchange.write_raw(piece);
  }
  co_await exchange.write_raw("bye");
}

Task<> hints(Exchange& exchange) {
  co_await exchange.send_interim(Status::processing, {});
  co_await exchange.send_interim(Status::early_hints, kHint);
  exchange.response().text("final");
}

TEST_CASE_FIXTURE(LiveArenas, "interim: 102 and 103 come before the final response [RFC 8297]") {
  RunningServer server([](Server& routes) { routes.get("/", hints); });
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpResponse first = client.exchange(get_request("/"));
    CHECK(first.head == "HTTP/1.1 102 Processing\r\n\r\n");
    const HttpResponse second = client.read_response();
    CHECK(second.head == "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
    CHECK(client.read_response().body == "final");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "interim: none towards HTTP/1.0 [RFC 9110 §15.2]") {
  RunningServer server([](Server& routes) { routes.get("/", hints); });
  CHECK(server.exchange("GET / HTTP/1.0\r\n\r\n").body == "final");
}

TEST_CASE_FIXTURE(LiveArenas, "interim: larger than the buffer, many times, and then the end") {
  static const std::string large(5'000, 'x');
  ServerOptions options;
  options.buffer_bytes = 2048;
  RunningServer server(
      [](Server& routes) {
        routes.get("/", [](Exchange& exchange) -> Task<> {
          const std::array fields{Field{.name = "Link", .value = large}};
          for (int i = 0; i < 100; ++i) {
            co_await exchange.send_interim(Status::early_hints, fields);
          }
          exchange.response().text("final");
        });
      },
      options);
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get_request("/"));
  for (int i = 0; i < 100; ++i) {
    const HttpResponse hint = client.read_response();
    REQUIRE(hint.status == 103);
    REQUIRE(hint.field("Link") == large);
  }
  CHECK(client.read_response().body == "final");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "interim: another status, a bad field, or one after the head throws") {
  RunningServer server([](Server& routes) {
    routes.get("/{what}", [](Exchange& exchange) -> Task<> {
      const std::string_view what = exchange.request().param("what");
      const std::array forged{Field{.name = "X", .value = "a\r\nY: b"}};
      const std::array own{Field{.name = "Content-Length", .value = "3"}};
      bool has_thrown = false;
      if (what == "late") {
        co_await exchange.write("begun ");
      }
      try {
        if (what == "forged") {
          co_await exchange.send_interim(Status::early_hints, forged);
        } else if (what == "own") {
          co_await exchange.send_interim(Status::early_hints, own);
        } else if (what == "late") {
          co_await exchange.send_interim(Status::early_hints, kHint);
        } else {
          co_await exchange.send_interim(what == "200" ? Status::ok : Status::continue_, {});
        }
      } catch (const std::invalid_argument&) {
        has_thrown = true;
      }
      co_await exchange.write(has_thrown ? "thrown" : "sent");
    });
  });
  HttpClient client = server.connect();
  for (const char* target : {"/forged", "/own", "/200", "/100"}) {
    CHECK(client.exchange(get_request(target)).body == "thrown");
  }
  CHECK(client.exchange(get_request("/late")).body == "begun thrown");
}

TEST_CASE_FIXTURE(LiveArenas, "upgrade: the connection is the handler's, both ways") {
  RunningServer server([](Server& routes) { routes.get("/echo", echo_raw); });
  HttpClient client = server.connect();
  const HttpResponse response = client.exchange(kUpgrade);
  CHECK(response.status == 101);
  CHECK(response.field("Upgrade") == "echo/2");
  CHECK(response.field("Connection") == "upgrade");
  CHECK(response.field("X-Echo") == "yes");
  for (const std::string& message :
       {std::string("GET / HTTP/1.1\r\n\r\n"), patterned_text(50'000), std::string("\0\xff", 2)}) {
    client.send(message);
    CHECK(client.read_bytes(message.size()) == message);
  }
  client.shutdown_send();
  CHECK(client.read_until_end() == "bye");
  CHECK(LiveFrame::count() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "upgrade: what came right behind the request is the handler's") {
  RunningServer server([](Server& routes) { routes.get("/echo", echo_raw); });
  const std::string all = std::string(kUpgrade) + get_request("/echo") + patterned_text(40'000);
  HttpClient client = server.connect();
  client.send(all);
  CHECK(client.read_response().status == 101);
  CHECK(client.read_bytes(all.size() - kUpgrade.size()) == all.substr(kUpgrade.size()));
  client.shutdown_send();
  CHECK(client.read_until_end() == "bye");
}

TEST_CASE_FIXTURE(LiveArenas, "upgrade: request, bytes and end in one piece") {
  RunningServer server([](Server& routes) { routes.get("/echo", echo_raw); });
  HttpClient client = server.connect();
  client.send(std::string(kUpgrade) + "hello");
  client.shutdown_send();
  CHECK(client.read_response().status == 101);
  CHECK(client.read_until_end() == "hellobye");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "upgrade: when the handler ends, what it wrote is sent, and the end") {
  RecordedLog log;
  static const std::string text = patterned_text(300'000);
  ServerOptions options;
  options.buffer_bytes = 2048;
  RunningServer server(
      [](Server& routes) {
        routes.get("/echo", [](Exchange& exchange) -> Task<> {
          co_await exchange.upgrade("echo/2");
          co_await exchange.write_raw(text);
        });
        routes.get("/large", [](Exchange& exchange) -> Task<> {
          exchange.response().header("X-Large", std::string(4'000'000, 'h'));
          co_await exchange.upgrade("echo/2");
        });
        routes.get("/throws", [](Exchange& exchange) -> Task<> {
          co_await exchange.upgrade("echo/2");
          throw std::runtime_error("while raw");
        });
      },
      options);
  HttpClient client = server.connect();
  CHECK(client.exchange(kUpgrade).status == 101);
  CHECK(client.read_until_end() == text);

  const auto at = [](std::string_view target) {
    return std::string(kUpgrade).replace(4, 5, target);
  };
  HttpClient large = server.connect({.receive_buffer_bytes = 4096});
  large.send(at("/large"));
  REQUIRE(eventually([&] { return large.has_input(); }));
  HttpClient other = server.connect();
  CHECK(other.exchange(at("/throws")).status == 101);
  CHECK(other.is_at_end());
  CHECK(log.count(LogLevel::error, "while raw") == 1);
  CHECK(large.read_response().field("X-Large") == std::string(4'000'000, 'h'));
  CHECK(large.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "upgrade: without being asked it throws, which becomes 500") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/echo", echo_raw);
    routes.get("/asks", [](Exchange& exchange) -> Task<> {
      exchange.response().text(exchange.wants_upgrade("echo/2") ? "asked" : "not asked");
      co_return;
    });
  });
  HttpClient client = server.connect();
  const auto request = [](std::string_view fields, std::string_view version = "1.1") {
    return "GET /asks HTTP/" + std::string(version) + "\r\nHost: t\r\n" + std::string(fields) +
           "\r\n";
  };
  CHECK(client.exchange(get_request("/echo")).status == 500);
  CHECK(client.exchange(request("Connection: upgrade\r\nUpgrade: ECHO/2\r\n")).body == "asked");
  CHECK(client
            .exchange(request("Connection: a\r\nConnection: upgrade\r\nUpgrade: a\r\n"
                              "Upgrade: echo/2\r\n"))
            .body == "asked");
  for (const std::string_view fields :
       {"Upgrade: echo/2\r\n", "Connection: upgrade\r\n",
        "Connection: upgrade\r\nUpgrade: echo\r\n", "Connection: upgrade\r\nUpgrade: xecho/2\r\n",
        "Connection: xupgrade\r\nUpgrade: echo/2\r\n"}) {
    CAPTURE(fields);
    CHECK(client.exchange(request(fields)).body == "not asked");
  }
  CHECK(client.exchange(request("Connection: keep-alive, upgrade\r\nUpgrade: echo/2\r\n", "1.0"))
            .body == "not asked");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "upgrade: with a body that was not read, which would be taken for raw") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.post("/echo", echo_raw, {.body = BodyMode::streamed});
    routes.post("/read",
                [](Exchange& exchange) -> Task<> {
                  const std::string_view body = co_await exchange.receive_body();
                  co_await exchange.upgrade("echo/2");
                  co_await exchange.write_raw(body);
                  co_await exchange.write_raw(co_await exchange.read_raw());
                },
                {.body = BodyMode::streamed});
  });
  const std::string fields =
      " HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: echo/2\r\nContent-Length: 4\r\n\r\n";
  HttpClient client = server.connect();
  CHECK(client.exchange("POST /echo" + fields + "body").status == 500);
  HttpClient reads = server.connect();
  CHECK(reads.exchange("POST /read" + fields + "bodyraw").status == 101);
  CHECK(reads.read_until_end() == "bodyraw");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "upgrade: a peer that takes nothing stops the handler, and may leave") {
  std::atomic<int> pieces = 0;
  RunningServer server([&pieces](Server& routes) {
    routes.get("/echo", [&pieces](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      const std::string piece(10'000, 'x');
      co_await exchange.upgrade("echo/2");
      for (;;) {
        co_await exchange.write_raw(piece);
        ++pieces;
      }
    });
  });
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(kUpgrade);
  CHECK(client.read_response().status == 101);
  CHECK(client.read_bytes(1'000'000) == std::string(1'000'000, 'x'));
  client.reset();
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
}

}  // namespace
}  // namespace stadion::http
