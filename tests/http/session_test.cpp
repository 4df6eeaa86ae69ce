// SPDX-License-Identifier: MIT
#include "http/session.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;

void add_routes(Server& server) {
  server.get("/", [](const Request&, Response& response) { response.text("root\n"); });
  server.get("/users/{id}", [](const Request& request, Response& response) {
    response.text(request.param("id"));
  });
  server.post("/echo", [](const Request& request, Response& response) {
    response.bytes(request.body(), request.header("Content-Type").value_or("text/plain"));
  });
  server.get("/goodbye", [](const Request&, Response& response) {
    response.text("goodbye\n").close_connection();
  });
  server.get("/nothing",
             [](const Request&, Response& response) { response.status(Status::no_content); });
  server.get("/cached",
             [](const Request&, Response& response) { response.status(Status::not_modified); });
}

ServerOptions small_buffers() {
  ServerOptions options;
  options.buffer_bytes = 2048;
  return options;
}

/// Two responses that differ at most in the second in which they were made.
bool are_alike(const HttpResponse& left, const HttpResponse& right) {
  const auto without_date = [](std::string head) {
    const std::size_t at = head.find("Date: ");
    return at == std::string::npos ? head : head.erase(at, std::string_view("Date: ").size() + 29);
  };
  return left.is_complete == right.is_complete && left.body == right.body &&
         without_date(left.head) == without_date(right.head);
}

/// Sends the pieces so that the server reads them one by one.
void send_in_pieces(RunningServer& server, HttpClient& client,
                    const std::vector<std::string_view>& pieces) {
  std::uint64_t expected = server->statistics().connections.bytes_in;
  for (const std::string_view piece : pieces) {
    client.send(piece);
    expected += piece.size();
    REQUIRE(eventually([&] { return server->statistics().connections.bytes_in == expected; }));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "session: a response has a status line, Date, length and body") {
  RunningServer server(add_routes);
  const HttpResponse response = server.exchange("GET /users/42 HTTP/1.1\r\nHost: test\r\n\r\n");

  CHECK(response.is_complete);
  CHECK(response.version == "HTTP/1.1");
  CHECK(response.status == 200);
  CHECK(response.reason == "OK");
  CHECK(response.body == "42");
  CHECK(response.field("Content-Length") == "2");
  CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(response.count("Date") == 1);
  CHECK(response.count("Connection") == 0);  // Keep-alive goes without saying in HTTP/1.1.
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: a request split at every byte gives the same response [RFC 9112 §2]") {
  RunningServer server(add_routes);
  const std::vector<std::string_view> requests{
      "\r\nGET /users/7%20a?x=1 HTTP/1.1\r\nHost: test\r\nX-Long:  some value \r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Type: a/b\r\nContent-Length: 7\r\n\r\n"
      "content",
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;a=b\r\ncon\r\n4\r\ntent\r\n0\r\nTrailer: x\r\n\r\n",
  };
  HttpClient client = server.connect();
  for (const std::string_view request : requests) {
    const HttpResponse whole = client.exchange(request);
    REQUIRE(whole.status == 200);
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
      CAPTURE(cut);
      send_in_pieces(server, client, {request.substr(0, cut), request.substr(cut)});
      REQUIRE(are_alike(client.read_response(), whole));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: a malformed request split at every byte is refused the same way") {
  RunningServer server(add_routes);
  constexpr std::string_view kRequest =
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n";
  const HttpResponse whole = server.exchange(kRequest);
  REQUIRE(whole.status == 400);
  for (std::size_t cut = 1; cut < kRequest.size() - 2; ++cut) {
    CAPTURE(cut);
    HttpClient client = server.connect();
    send_in_pieces(server, client, {kRequest.substr(0, cut), kRequest.substr(cut)});
    CHECK(are_alike(client.read_response(), whole));
    client.shutdown_send();
    CHECK(client.is_at_end());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "session: a request sent byte by byte is answered") {
  RunningServer server(add_routes);
  constexpr std::string_view kRequest = "GET /users/42 HTTP/1.1\r\nHost: test\r\n\r\n";
  HttpClient client = server.connect();
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < kRequest.size(); ++i) {
    bytes.push_back(kRequest.substr(i, 1));
  }
  send_in_pieces(server, client, bytes);
  CHECK(client.read_response().body == "42");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: 1,000 pipelined requests are answered in order [RFC 9112 §9.3.2]") {
  constexpr int kRequests = 1000;
  RunningServer server(add_routes);
  std::string requests;
  for (int i = 0; i < kRequests; ++i) {
    requests += "GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n";
  }
  HttpClient client = server.connect();
  client.send(requests);
  for (int i = 0; i < kRequests; ++i) {
    const HttpResponse response = client.read_response();
    REQUIRE(response.status == 200);
    REQUIRE(response.body == std::to_string(i));
  }
  CHECK(eventually([&] { return server->statistics().responses() == kRequests; }));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: pipelined requests of every kind, in small buffers, stay in order") {
  RunningServer server(add_routes, small_buffers());
  std::string requests;
  std::vector<std::string> bodies;
  for (int i = 0; i < 60; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 97, static_cast<char>('a' + i % 26));
    requests +=
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    requests += "HEAD /users/1 HTTP/1.1\r\nHost: test\r\n\r\n";
    bodies.push_back(body);
  }
  HttpClient client = server.connect();
  client.send(requests);
  for (const std::string& body : bodies) {
    const HttpResponse echoed = client.read_response();
    REQUIRE(echoed.status == 200);
    REQUIRE(echoed.body == body);
    REQUIRE(client.read_head_response().field("Content-Length") == "1");
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: with a turn of one, pipelined requests are answered all the same") {
  ServerOptions options;
  options.limits.pipelined_requests_max = 1;
  RunningServer server(add_routes, options);
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += "GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n";
  }
  HttpClient client = server.connect();
  client.send(requests);
  client.shutdown_send();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(client.read_response().body == std::to_string(i));
  }
  CHECK(client.is_at_end());
}

TEST_CASE_FIXTURE(LiveArenas, "session: 200 concurrent keep-alive connections are all served") {
  constexpr std::size_t kConnections = 200;
  RunningServer server(add_routes);
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(server.connect());
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kConnections; ++i) {
      clients[i].send("GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    for (std::size_t i = 0; i < kConnections; ++i) {
      REQUIRE(clients[i].read_response().body == std::to_string(i));
    }
    CHECK(server->statistics().connections.active == kConnections);
  }
}

TEST_CASE_FIXTURE(
    LiveArenas, "session: which connections are kept, by version and Connection [RFC 9112 §9.3]") {
  struct Case {
    const char* request;
    bool kept;
    std::optional<std::string> connection;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\nHost: t\r\n\r\n", true, std::nullopt},
      {"GET / HTTP/1.1\r\nHost: t\r\nConnection: keep-alive\r\n\r\n", true, std::nullopt},
      {"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", false, "close"},
      {"GET / HTTP/1.1\r\nHost: t\r\nConnection: x, CLOSE\r\n\r\n", false, "close"},
      {"GET / HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, close\r\n\r\n", false, "close"},
      {"GET / HTTP/1.0\r\n\r\n", false, "close"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "keep-alive"},
      {"GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", false, "close"},
      {"GET /goodbye HTTP/1.1\r\nHost: t\r\n\r\n", false, "close"},
      {"GET /missing HTTP/1.1\r\nHost: t\r\n\r\n", true, std::nullopt},
  };
  RunningServer server(add_routes);
  for (const Case& example : cases) {
    CAPTURE(example.request);
    HttpClient client = server.connect();
    const HttpResponse first = client.exchange(example.request);
    CHECK(first.is_complete);
    CHECK(first.version == "HTTP/1.1");
    CHECK(first.field("Connection") == example.connection);
    if (example.kept) {
      CHECK(client.exchange("GET /users/2 HTTP/1.1\r\nHost: t\r\n\r\n").body == "2");
    } else {
      CHECK(client.is_at_end());
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "session: what follows Connection: close is not answered") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  client.send(
      "GET /users/1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
      "GET /users/2 HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(client.read_response().body == "1");
  CHECK(client.is_at_end());
  CHECK(server->statistics().responses() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "session: HEAD has GET's fields and no body [RFC 9110 §9.3.2]") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const HttpResponse get = client.exchange("GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
  client.send(
      "HEAD /users/42 HTTP/1.1\r\nHost: t\r\n\r\nGET /users/43 HTTP/1.1\r\nHost: t\r\n\r\n");
  HttpResponse head = client.read_head_response();
  head.body = get.body;
  CHECK(are_alike(head, get));
  CHECK(client.read_response().body == "43");  // Nothing stood between the two.
}

TEST_CASE_FIXTURE(LiveArenas, "session: 204 and 304 have neither body nor length [RFC 9110 §8.6]") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  client.send(
      "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\nGET /cached HTTP/1.1\r\nHost: t\r\n\r\n"
      "GET /users/3 HTTP/1.1\r\nHost: t\r\n\r\n");
  for (const int status : {204, 304}) {
    const HttpResponse response = client.read_response();
    CHECK(response.status == status);
    CHECK(response.count("Content-Length") == 0);
    CHECK(response.count("Transfer-Encoding") == 0);
  }
  CHECK(client.read_response().body == "3");
}

TEST_CASE_FIXTURE(LiveArenas, "session: 404, 405 with Allow, and OPTIONS keep the connection") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  CHECK(client.exchange("GET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n").status == 404);

  const HttpResponse refused = client.exchange("DELETE /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(refused.status == 405);
  CHECK(refused.field("Allow") == "POST, OPTIONS");

  const HttpResponse options = client.exchange("OPTIONS /users/1 HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(options.status == 204);
  CHECK(options.field("Allow") == "GET, HEAD, OPTIONS");
  CHECK(client.exchange("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status == 204);

  CHECK(client.exchange("GET /users/1 HTTP/1.1\r\nHost: t\r\n\r\n").body == "1");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: a request that cannot be read is answered, and the connection closed") {
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"GET /%zz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 400},
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: t\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: t\r\nBad Name: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: t\r\nX: a\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"get / HTTP/1.1\r\nHost: t\r\n\r\n", 501},
      {"BREW / HTTP/1.1\r\nHost: t\r\n\r\n", 501},
      {"CONNECT t:1 HTTP/1.1\r\nHost: t\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: t\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: t\r\nExpect: a miracle\r\n\r\n", 417},
      {"GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
      {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n", 431},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1048577\r\n\r\n", 413},
  };
  RunningServer server(add_routes);
  for (const Case& example : cases) {
    const std::string request = example.request.substr(0, 200);
    CAPTURE(request);
    HttpClient client = server.connect();
    client.send(example.request);
    client.send("GET /users/smuggled HTTP/1.1\r\nHost: t\r\n\r\n");
    const HttpResponse response = client.read_response();
    CHECK(response.is_complete);
    CHECK(response.status == example.status);
    CHECK(response.field("Connection") == "close");
    CHECK(response.body.size() > 1);
    CHECK(response.body.size() < 100);
    CHECK(client.is_at_end());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "session: up to four empty lines may precede a request") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  const std::string request = "GET /users/1 HTTP/1.1\r\nHost: t\r\n\r\n";
  CHECK(client.exchange("\r\n\r\n\r\n\r\n" + request).body == "1");
  CHECK(client.exchange("\r\n\r\n\r\n\r\n\r\n" + request).status == 400);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: a half-closed client gets all its answers [RFC 9112 §9.6]") {
  RunningServer server(add_routes);
  HttpClient client = server.connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += "GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }
  client.send(requests);
  client.shutdown_send();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(client.read_response().body == std::to_string(i));
  }
  CHECK(client.is_at_end());
  CHECK_FALSE(client.was_reset());
}

TEST_CASE_FIXTURE(LiveArenas, "session: a client that ends in mid-request gets the end at once") {
  RunningServer server(add_routes);
  for (const std::string_view part :
       {"", "\r\n", "GE", "GET / HTTP/1.1\r\nHost: t\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf"}) {
    CAPTURE(part);
    HttpClient client = server.connect();
    client.send(part);
    client.shutdown_send();
    CHECK(client.is_at_end());
    CHECK_FALSE(client.was_reset());
  }
  CHECK(server->statistics().responses() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "session: what a handler sees is intact after the input buffer was reused") {
  // The handler gives the request's own views as its body and a streamed body, which are read again
  // when later requests have long been through the same buffer.
  const auto routes = [](Server& server) {
    server.post("/views", [](const Request& request, Response& response) {
      response.stream("text/plain", [&request, part = 0](BodyWriter& out) mutable {
        const std::string_view parts[] = {request.target(), *request.header("X-Text"),
                                          request.body()};
        out.write(parts[part]);
        out.write("|");
        return ++part < 3;
      });
    });
  };
  RunningServer server(routes, small_buffers());
  HttpClient client = server.connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(1000 + i);
    requests += "POST /views?" + number + " HTTP/1.1\r\nHost: t\r\nX-Text: text " + number +
                "\r\nContent-Length: 4\r\n\r\n" + number;
  }
  client.send(requests);
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(1000 + i);
    REQUIRE(client.read_response().body ==
            "/views?" + number + "|text " + number + "|" + number + "|");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "session: a request's arena is gone when its response is") {
  std::atomic<std::size_t> live_in_handler = 0;
  RunningServer server([&live_in_handler](Server& made) {
    made.get("/", [&live_in_handler](const Request& request, Response& response) {
      CHECK(&request.arena() == &response.arena());
      live_in_handler = Arena::debug_live_count();
      response.text("x");
    });
  });
  HttpClient client = server.connect();
  const std::size_t live_before = Arena::debug_live_count();
  for (int i = 0; i < 3; ++i) {
    CHECK(client.exchange("GET / HTTP/1.1\r\nHost: t\r\n\r\n").body == "x");
    CHECK(live_in_handler == live_before + 1);
    CHECK(eventually([&] { return Arena::debug_live_count() == live_before; }));
  }
}

}  // namespace
}  // namespace stadion::http
