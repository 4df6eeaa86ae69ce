// SPDX-License-Identifier: MIT
#include "http/failure.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "http/server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/live_frames.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/requests.hpp"
#include "tests/support/running_server.hpp"

/// Coroutines that fail: before the response's head, behind it, and with nobody there.
namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::get_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::LiveFrame;
using tests::RecordedLog;
using tests::RunningServer;

TEST_CASE_FIXTURE(LiveArenas, "failure: what a coroutine throws becomes the response") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/before", [](Exchange& exchange) -> Task<> {
      exchange.set_request_id("id-17");
      exchange.response().header("X-Gone", "1").text("gone");
      co_await exchange.sleep(0ms);
      throw std::runtime_error("secret reason");
    });
    routes.get("/http", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      throw HttpError(Status::conflict, "Taken.\n");
    });
    routes.get("/number", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(0ms);
      throw 42;
    });
    routes.get("/fail", [](Exchange& exchange) -> Task<> {
      exchange.response().text("gone");
      co_await exchange.sleep(0ms);
      exchange.fail(Status::gone, "No more.\n");
    });
    routes.get("/memory", [](Exchange& exchange) -> Task<> {
      for (;;) {
        co_await exchange.sleep(0ms);
        (void)exchange.arena().alloc(1024 * 1024);
      }
    });
    routes.get("/at-once", [](Exchange& exchange) -> Task<> {
      (void)exchange;
      throw HttpError(Status::forbidden, "Not you.\n");
      co_return;
    });
  });
  HttpClient client = server.connect();
  const HttpResponse before = client.exchange(get_request("/before"));
  CHECK(before.status == 500);
  CHECK(before.count("X-Gone") == 0);
  CHECK(before.body.find("secret") == std::string::npos);
  CHECK(log.count(LogLevel::error, "secret reason") == 1);
  CHECK(log.count(LogLevel::error, "id-17") == 1);
  CHECK(client.exchange(get_request("/http")).body == "Taken.\n");
  CHECK(client.exchange(get_request("/number")).status == 500);
  const HttpResponse failed = client.exchange(get_request("/fail"));
  CHECK(failed.status == 410);
  CHECK(failed.body == "No more.\n");
  CHECK(client.exchange(get_request("/memory")).status == 503);
  CHECK(client.exchange(get_request("/at-once")).status == 403);
}

TEST_CASE_FIXTURE(LiveArenas, "failure: what is thrown behind the head cuts the connection") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/throws", [](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      co_await exchange.write("part");
      throw std::runtime_error("in mid-body");
    });
    routes.get("/fails", [](Exchange& exchange) -> Task<> {
      co_await exchange.write("part");
      exchange.fail(Status::bad_gateway, "Too late.\n");
    });
    routes.get("/texts", [](Exchange& exchange) -> Task<> {
      exchange.response().announce_length(10);
      co_await exchange.write("part");
      exchange.response().text("of something else");
    });
    routes.get("/field", [](Exchange& exchange) -> Task<> {
      co_await exchange.write("part");
      exchange.response().header("X-Late", "1");
    });
  });
  for (const char* target : {"/throws", "/fails", "/texts", "/field"}) {
    CAPTURE(target);
    HttpClient client = server.connect();
    const HttpResponse response = client.exchange(get_request(target));
    CHECK(response.status == 200);
    CHECK(response.body == "part");
    CHECK_FALSE(response.is_complete);
    CHECK(client.is_at_end());
  }
  CHECK(LiveFrame::count() == 0);
  CHECK(log.count(LogLevel::error, "in mid-body") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "failure: what a survivor throws without a client is logged") {
  RecordedLog log;
  RunningServer server([](Server& routes) {
    routes.get("/", [](Exchange& exchange) -> Task<> {
      const LiveFrame live;
      exchange.survive_client();
      while (!exchange.client_is_gone()) {
        co_await exchange.sleep(1ms);
      }
      throw std::runtime_error("nobody heard");
    });
  });
  HttpClient client = server.connect();
  client.send(get_request("/"));
  REQUIRE(eventually([] { return LiveFrame::count() == 1; }));
  client.close();
  CHECK(eventually([] { return LiveFrame::count() == 0; }));
  CHECK(eventually([&] { return log.count(LogLevel::error, "nobody heard") == 1; }));
}

}  // namespace
}  // namespace stadion::http
