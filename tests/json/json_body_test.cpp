// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "http/json.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

void add_routes(Server& server) {
  const Handler answer = [](const Request& request, Response& response) {
    answer_json(response, json_body(request, {.depth_max = 4, .object_members_max = 5}));
  };
  server.post("/", answer);
  server.post("/deep", [](const Request& request, Response& response) {
    answer_json(response, json_body(request, {.depth_max = kJsonDepthMax}));
  });
  server.post("/small", answer, {.request_memory_bytes_max = 64 * 1024});
  server.post("/built", [](const Request& request, Response& response) {
    boost::json::object reply(json_storage(request.arena()));
    reply["name"] = json_body(request).at("name");
    reply["text"] = "\xC3\xA9\"\n";
    response.status(Status::created);
    answer_json(response, reply);
  });
  server.post("/coroutine",
              [](Exchange& exchange) -> Task<> {
                const std::string_view body = co_await exchange.receive_body();
                CHECK(body.size() == exchange.request().body().size());
                answer_json(exchange.response(), json_body(exchange.request()));
              },
              {.body = BodyMode::streamed});
}

TEST_CASE_FIXTURE(LiveArenas, "json body: what was sent comes back as application/json") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  for (const std::string_view path : {"/", "/small", "/coroutine"}) {
    for (const std::string_view body : {"{\"a\":[1,2.5,null,true],\"b\":{\"c\":\"\xC3\xA9\"}}",
                                        "[]", "\"text\"", "null", "18446744073709551615"}) {
      CAPTURE(path);
      CAPTURE(body);
      const HttpResponse response = client.exchange(post(path, body));
      CHECK(response.status == 200);
      CHECK(response.field("Content-Type") == "application/json");
      CHECK(boost::json::parse(response.body) == boost::json::parse(body));
      CHECK(response.field("Content-Length") == std::to_string(response.body.size()));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json body: a reply that is built in the arena is sent whole") {
  RunningServer server(add_routes);
  const HttpResponse response = server.exchange(post("/built", " {\"name\" : \"ann\"} \n"));
  CHECK(response.status == 201);
  CHECK(boost::json::parse(response.body) ==
        boost::json::value({{"name", "ann"}, {"text", "\xC3\xA9\"\n"}}));
}

TEST_CASE_FIXTURE(LiveArenas, "json body: a malformed one is refused, and told where") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const auto check_refused = [&](std::string_view body, std::string_view where) {
    CAPTURE(body);
    const HttpResponse response = client.exchange(post("/", body));
    CHECK(response.status == 400);
    CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
    CHECK(response.body.starts_with("The body is not JSON: " + std::string(where)));
    CHECK(response.body.ends_with(".\n"));
  };
  check_refused("", "line 1, column 1: ");
  check_refused("{\"a\":1,}", "line 1, column 8: ");
  check_refused("{\n  \"a\": x\n}", "line 2, column 8: ");
  check_refused("[1] 2", "line 1, column 5: ");
  check_refused("[\"\xFF\"]", "line 1, column 3: ");
  check_refused("[[[[[1]]]]]", "line 1, column 5: ");
  check_refused("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1}", "line 1, column ");
  // Nothing of the body is in the answer.
  CHECK(client.exchange(post("/", "<script>")).body.find("script") == std::string::npos);
}

TEST_CASE_FIXTURE(LiveArenas, "json body: the largest depth, one below it, at it, one above") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  for (const std::size_t depth : {kJsonDepthMax - 1, kJsonDepthMax}) {
    CAPTURE(depth);
    const HttpResponse response = client.exchange(post("/deep", nested(depth)));
    CHECK(response.status == 200);
    CHECK(response.body == nested(depth));
  }
  for (const std::size_t depth : {kJsonDepthMax + 1, std::size_t{500'000}}) {
    CAPTURE(depth);
    const HttpResponse response = client.exchange(post("/deep", nested(depth)));
    CHECK(response.status == 400);
    CHECK(response.body == "The body is not JSON: line 1, column 513: nested too deeply.\n");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json body: one that takes too much memory is too large") {
  RunningServer server(add_routes);
  std::string numbers = "[0";
  for (int i = 0; i < 7000; ++i) {
    numbers += ",1";
  }
  numbers += "]";
  CHECK(server.exchange(post("/", numbers)).status == 200);
  const HttpResponse refused = server.exchange(post("/small", numbers));
  CHECK(refused.status == 413);
  CHECK(server.exchange(post("/small", "[]")).status == 200);
}

}  // namespace
}  // namespace stadion::http
