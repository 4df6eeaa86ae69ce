// SPDX-License-Identifier: MIT
#include "http/ready_middleware.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/access_log.hpp"
#include "http/basic_auth.hpp"
#include "http/request_id.hpp"
#include "net/descriptor.hpp"
#include "net/listening_socket.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RecordedLog;
using tests::RunningServer;

std::string request(std::string_view method, std::string_view path, std::string_view fields = {}) {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" +
         std::string(fields) + "\r\n";
}

void add_routes(Server& server) {
  server.get("/", [](const Request&, Response& response) { response.text("root"); });
  server.get("/throws", [](const Request&, Response&) { throw std::runtime_error("on purpose"); });
  server.get("/refuses",
             [](const Request&, Response&) { throw HttpError(Status::conflict, "No.\n"); });
  server.get("/fails", [](Exchange& exchange) { exchange.fail(Status::gone, "Gone.\n"); });
  server.get("/waits", [](Exchange& exchange) -> Task<> {
    co_await exchange.sleep(1ms);
    exchange.response().text("waited");
  });
  server.post("/",
              [](const Request& request, Response& response) { response.text(request.body()); });
}

/// Whatever becomes of a request that has a route, or none.
constexpr std::pair<const char*, int> kAnswers[] = {
    {"/", 200},       {"/waits", 200},   {"/missing", 404}, {"/%zz", 400},
    {"/throws", 500}, {"/refuses", 409}, {"/fails", 410}};

auto with(const Middleware& middleware) {
  return [middleware](Server& server) {
    server.use(middleware);
    add_routes(server);
  };
}

/// The body is larger than the server takes, which it knows from the head.
std::string too_large() { return request("POST", "/", "Content-Length: 99999999\r\n"); }

const CorsOptions kCors{.origins = {"https://app.example"},
                        .methods = {Method::get, Method::put},
                        .headers = {"X-Token"},
                        .exposed_headers = {"X-Count"},
                        .credentials = true};

TEST_CASE_FIXTURE(LiveArenas, "cors: a page of a known origin may read any response, errors too") {
  const RecordedLog log;
  RunningServer server(with(cors(kCors)));
  for (const auto& answer : kAnswers) {
    CAPTURE(answer.first);
    const auto& [path, status] = answer;
    const HttpResponse known =
        server.exchange(request("GET", path, "Origin: https://app.example\r\n"));
    CHECK(known.status == status);
    CHECK(known.field("Access-Control-Allow-Origin") == "https://app.example");
    CHECK(known.field("Access-Control-Allow-Credentials") == "true");
    CHECK(known.field("Access-Control-Expose-Headers") == "X-Count");
    CHECK(known.field("Vary") == "Origin");
    CHECK(known.count("Access-Control-Allow-Origin") == 1);
    for (const std::string_view origin :
         {"", "Origin: https://evil.example\r\n", "Origin: null\r\n"}) {
      const HttpResponse other = server.exchange(request("GET", path, origin));
      CHECK(other.status == status);
      CHECK(other.count("Access-Control-Allow-Origin") == 0);
      CHECK(other.field("Vary") == "Origin");
    }
  }
  CHECK(server.exchange(request("DELETE", "/", "Origin: https://app.example\r\n"))
            .field("Access-Control-Allow-Origin") == "https://app.example");  // 405.
}

TEST_CASE_FIXTURE(LiveArenas, "cors: a preflight is answered without the handler, route or none") {
  RunningServer server(with(cors(kCors)));
  for (const std::string_view path : {"/", "/missing"}) {
    const HttpResponse allowed = server.exchange(
        request("OPTIONS", path,
                "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n"
                "Access-Control-Request-Headers: x-token\r\n"));
    CHECK(allowed.status == 204);
    CHECK(allowed.field("Access-Control-Allow-Origin") == "https://app.example");
    CHECK(allowed.field("Access-Control-Allow-Methods").value_or("").find("PUT") !=
          std::string::npos);
    CHECK(allowed.field("Access-Control-Allow-Headers") == "X-Token");
    CHECK(allowed.field("Access-Control-Max-Age") == "600");
    for (const std::string_view fields :
         {"Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n",
          "Origin: https://app.example\r\nAccess-Control-Request-Method: DELETE\r\n",
          "Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n"
          "Access-Control-Request-Headers: x-other\r\n"}) {
      CAPTURE(fields);
      const HttpResponse refused = server.exchange(request("OPTIONS", path, fields));
      CHECK(refused.status == 403);
      CHECK(refused.count("Access-Control-Allow-Methods") == 0);
      CHECK(refused.field("Vary").value_or("").find("Origin") != std::string::npos);
    }
  }
  const HttpResponse plain = server.exchange(request("OPTIONS", "/"));  // No preflight.
  CHECK(plain.status == 204);
  CHECK(plain.field("Allow").has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "security headers: on every response, but for what a handler said") {
  const RecordedLog log;
  RunningServer server([](Server& made) {
    made.use(security_headers({.strict_transport_security = StrictTransportSecurity{}}));
    add_routes(made);
    made.get("/own", [](const Request&, Response& response) {
      response.header("x-frame-options", "SAMEORIGIN").text("mine");
    });
  });
  for (const auto& answer : kAnswers) {
    CAPTURE(answer.first);
    const auto& [path, status] = answer;
    const HttpResponse response = server.exchange(request("GET", path));
    CHECK(response.status == status);
    CHECK(response.field("X-Content-Type-Options") == "nosniff");
    CHECK(response.field("X-Frame-Options") == "DENY");
    CHECK(response.field("Referrer-Policy") == "strict-origin-when-cross-origin");
    CHECK(response.count("X-Frame-Options") == 1);
    CHECK(response.count("Strict-Transport-Security") == 0);
  }
  const HttpResponse own = server.exchange(request("GET", "/own"));
  CHECK(own.field("X-Frame-Options") == "SAMEORIGIN");
  CHECK(own.count("X-Frame-Options") == 1);
  CHECK(own.field("X-Content-Type-Options") == "nosniff");
  CHECK(server.exchange(too_large()).field("X-Frame-Options") == "DENY");
}

Middleware staff_only() {
  return basic_auth("the staff", [](std::string_view user, std::string_view password) {
    return user == "ann" && equal_in_constant_time("secret", password);
  });
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: who is known comes in, nobody else") {
  RunningServer server(with(staff_only()));
  CHECK(server.exchange(request("GET", "/", "Authorization: Basic YW5uOnNlY3JldA==\r\n")).body ==
        "root");
  CHECK(server.exchange(request("GET", "/", "authorization: bASIC YW5uOnNlY3JldA==\r\n")).status ==
        200);
  for (const std::string_view fields :
       {"", "Authorization: Basic YW5uOndyb25n\r\n", "Authorization: Basic\r\n",
        "Authorization: Basic !!!\r\n", "Authorization: Basic YW5u\r\n", "Authorization: \r\n",
        "Authorization: Bearer YW5uOnNlY3JldA==\r\n", "Authorization: Basic OnNlY3JldA==\r\n",
        "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n",
        "Authorization: Basic YW5uOnNlY3JldA==x\r\n"}) {
    for (const std::string_view path : {"/", "/missing", "/throws"}) {
      CAPTURE(fields);
      CAPTURE(path);
      const HttpResponse response = server.exchange(request("GET", path, fields));
      CHECK(response.status == 401);
      CHECK(response.field("WWW-Authenticate") == "Basic realm=\"the staff\", charset=\"UTF-8\"");
      CHECK(response.count("WWW-Authenticate") == 1);
    }
  }
  CHECK_THROWS_AS(basic_auth("a\nb", nullptr), std::invalid_argument);
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: the user is in the access log, where known") {
  std::atomic<int> known = 0;
  std::atomic<int> unknown = 0;
  RunningServer server([&](Server& made) {
    with(staff_only())(made);
    made.access_log([&](const AccessRecord& record) {
      ++(record.user == "ann" && record.status == 200 ? known : unknown);
      CHECK((record.user.empty() || record.user == "ann"));
    });
  });
  (void)server.exchange(request("GET", "/", "Authorization: Basic YW5uOnNlY3JldA==\r\n"));
  (void)server.exchange(request("GET", "/", "Authorization: Basic YW5uOndyb25n\r\n"));
  CHECK(tests::eventually([&] { return known == 1 && unknown == 1; }));
}

TEST_CASE_FIXTURE(LiveArenas, "basic auth: a body is neither asked for nor read before") {
  RunningServer server(with(staff_only()));
  HttpClient client = server.connect();
  const std::string upload = "Expect: 100-continue\r\nContent-Length: 5\r\n";
  CHECK(client.exchange(request("POST", "/", upload)).status == 401);  // Not 100.
  CHECK(client.is_at_end());  // Nobody knows whether the body comes.
  HttpClient staff = server.connect();
  const HttpResponse go_on =
      staff.exchange(request("POST", "/", upload + "Authorization: Basic YW5uOnNlY3JldA==\r\n"));
  CHECK(go_on.status == 100);
  CHECK(staff.exchange("hello").body == "hello");
}

TEST_CASE_FIXTURE(LiveArenas, "rate limit: beyond the burst 429 says when to come again") {
  RunningServer server(with(rate_limit({.requests_per_second = 0.01, .burst = 3})));
  for (int i = 0; i < 3; ++i) {
    CHECK(server.exchange(request("GET", i == 1 ? "/missing" : "/")).status != 429);
  }
  for (const std::string_view path : {"/", "/missing"}) {
    const HttpResponse refused = server.exchange(request("GET", path));
    CHECK(refused.status == 429);
    const int seconds = std::stoi(refused.field("Retry-After").value_or("0"));
    CHECK(seconds >= 60);
    CHECK(seconds <= 100);
    CHECK(refused.count("Retry-After") == 1);
  }
  CHECK_THROWS_AS(rate_limit({.requests_per_second = 0}), std::invalid_argument);
}

TEST_CASE_FIXTURE(LiveArenas, "rate limit: each client has its own, one for all Workers together") {
  ServerOptions options;
  options.workers = 3;
  RunningServer server(
      [](Server& made) {
        made.use(rate_limit({.requests_per_second = 0.01, .burst = 5}, [](Exchange& exchange) {
          return exchange.request().header("X-Client").value_or("nobody");
        }));
        add_routes(made);
      },
      options);
  for (const std::string_view client : {"a", "b", ""}) {
    int served = 0;
    for (int i = 0; i < 12; ++i) {
      const std::string fields = client.empty() ? "" : "X-Client: " + std::string(client) + "\r\n";
      served += server.exchange(request("GET", "/", fields)).status == 200 ? 1 : 0;
    }
    CHECK(served == 5);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "rate limit: by default a client is an address, whatever its port") {
  for (const std::string_view endpoint : {"127.0.0.1:0", "[::1]:0"}) {
    CAPTURE(endpoint);
    RunningServer server(with(rate_limit({.requests_per_second = 0.01, .burst = 2})), {}, endpoint);
    CHECK(server.exchange(request("GET", "/")).status == 200);
    CHECK(server.exchange(request("GET", "/")).status == 200);
    CHECK(server.exchange(request("GET", "/")).status == 429);
  }
}

/// As systemd listens for both families: with IPv4 clients as ::ffff:a.b.c.d.
net::ListeningSocket listening_for_both() {
  net::Descriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int off = 0;
  ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, "::ffff:127.0.0.1", &loopback.sin6_addr);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0);
  REQUIRE(::listen(socket.get(), 10) == 0);
  return net::ListeningSocket::adopt(std::move(socket));
}

/// The first bytes of the answer to a client at this address.
std::string answer_to(const char* own_address, std::uint16_t port) {
  net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  ::inet_pton(AF_INET, own_address, &own.sin_addr);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  const net::Endpoint server = net::Endpoint::parse("127.0.0.1:" + std::to_string(port));
  REQUIRE(::connect(socket.get(), server.data(), server.size()) == 0);
  tests::Peer peer(std::move(socket));
  peer.send(request("GET", "/"));
  CHECK(eventually([&peer] { return peer.pump().received().size() >= 12; }));
  return peer.received().substr(0, 12);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "rate limit: IPv4 clients of a socket for both families are several") {
  net::ListeningSocket socket = listening_for_both();
  const std::uint16_t port = socket.local_endpoint().port();
  Server server;
  with(rate_limit({.requests_per_second = 0.01, .burst = 1}))(server);
  std::vector<net::ListeningSocket> sockets;
  sockets.push_back(std::move(socket));
  server.listen(std::move(sockets));
  server.start();
  for (const char* client : {"127.0.0.2", "127.0.0.3"}) {
    CHECK(answer_to(client, port) == "HTTP/1.1 200");
    CHECK(answer_to(client, port) == "HTTP/1.1 429");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "request ids: what came is echoed where it is one, else it is new") {
  const RecordedLog log;
  RunningServer server(with(request_ids()));
  std::set<std::string> ids;
  std::size_t made = 0;
  for (const auto& answer : kAnswers) {
    CAPTURE(answer.first);
    const auto& [path, status] = answer;
    const HttpResponse given = server.exchange(request("GET", path, "x-request-id: abc-1\r\n"));
    CHECK(given.status == status);
    CHECK(given.field("X-Request-Id") == "abc-1");
    for (const std::string& field :
         {std::string(), std::string("X-Request-Id: a b\r\n"), std::string("X-Request-Id: \r\n"),
          std::string("X-Request-Id: <a>\r\n"),
          "X-Request-Id: " + std::string(129, 'a') + "\r\n"}) {
      const HttpResponse response = server.exchange(request("GET", path, field));
      const std::string id = response.field("X-Request-Id").value_or("");
      CHECK(id.size() == RequestIdGenerator::kIdBytes);
      CHECK(is_valid_request_id(id));
      CHECK(response.count("X-Request-Id") == 1);
      ids.insert(id);
      ++made;
    }
  }
  CHECK(ids.size() == made);
}

TEST_CASE_FIXTURE(LiveArenas, "request ids: also one that is answered before its turn has an id") {
  RunningServer server([&](Server& made) {
    made.use({.before = [](Exchange& exchange) {
      if (exchange.request().header("X-Refuse").has_value()) {
        exchange.fail(Status::forbidden, "No.\n");
        return Flow::respond;
      }
      return Flow::next;
    }});
    made.use(request_ids());
    add_routes(made);
  });
  const HttpResponse refused = server.exchange(request("GET", "/", "X-Refuse: 1\r\n"));
  CHECK(refused.status == 403);
  CHECK(is_valid_request_id(refused.field("X-Request-Id").value_or("")));
  const HttpResponse large = server.exchange(too_large());
  CHECK(large.status == 413);
  CHECK(is_valid_request_id(large.field("X-Request-Id").value_or("")));
}

TEST_CASE_FIXTURE(LiveArenas, "time limit: a handler that takes longer is ended with 503") {
  RunningServer server([](Server& made) {
    auto short_time = made.group("/short");
    short_time.use(time_limit(10ms));
    for (Routes* routes : {static_cast<Routes*>(&made), &short_time}) {
      routes->get("/waits", [](Exchange& exchange) -> Task<> {
        co_await exchange.sleep(1500ms);
        exchange.response().text("waited");
      });
      routes->get("/begun", [](Exchange& exchange) -> Task<> {
        co_await exchange.write("begun ");
        co_await exchange.sleep(1500ms);
        co_await exchange.write("ended");
      });
    }
    short_time.get("/forever", [](Exchange& exchange) -> Task<> { co_await exchange.sleep(1h); });
    auto long_time = made.group("/long", {.handler_max = 10ms});
    long_time.use(time_limit(1h));
    long_time.get("/waits", [](Exchange& exchange) -> Task<> {
      co_await exchange.sleep(1500ms);
      exchange.response().text("waited");
    });
  });
  CHECK(server.exchange(request("GET", "/waits")).body == "waited");
  CHECK(server.exchange(request("GET", "/short/waits")).status == 503);
  CHECK(server.exchange(request("GET", "/short/forever")).status == 503);
  CHECK(server.exchange(request("GET", "/short/begun")).body == "begun ended");
  CHECK(server.exchange(request("GET", "/long/waits")).body == "waited");
}

}  // namespace
}  // namespace stadion::http
