// SPDX-License-Identifier: MIT
#include "http/request.hpp"

#include <doctest/doctest.h>

#include <string_view>

#include "core/arena.hpp"
#include "http/limits.hpp"
#include "http/parser.hpp"
#include "http/router.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/lone_exchange.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

/// A request as the parser makes it.
class ReadRequest {
 public:
  explicit ReadRequest(std::string_view text) : parser_(limits_) {
    parser_.begin(arena_);
    while (!text.empty()) {
      const Parser::Progress progress = parser_.feed(text);
      REQUIRE(progress.state != Parser::State::failed);
      text.remove_prefix(progress.consumed);
    }
    REQUIRE(parser_.request() != nullptr);
  }
  Request& operator*() noexcept { return *parser_.request(); }
  Request* operator->() noexcept { return parser_.request(); }
  Arena& arena() noexcept { return arena_; }

 private:
  Limits limits_;
  Arena arena_;
  Parser parser_;
};

TEST_CASE_FIXTURE(LiveArenas, "request: its parts, headers without case, its arena") {
  ReadRequest request(
      "POST /a/b?x=1 HTTP/1.1\r\nHost: example.org\r\nX-Twice: first\r\nx-twice: second\r\n"
      "Content-Length: 4\r\n\r\nbody");
  CHECK(request->method() == Method::post);
  CHECK(request->version() == Version::http_1_1);
  CHECK(request->target() == "/a/b?x=1");
  CHECK(request->raw_path() == "/a/b");
  CHECK(request->raw_query() == "x=1");
  CHECK(request->host() == "example.org");
  CHECK(request->header("X-TWICE") == "first");
  CHECK_FALSE(request->header("X-Once").has_value());
  CHECK(request->headers().size() == 4);
  CHECK(request->body() == "body");
  CHECK(&request->arena() == &request.arena());
}

TEST_CASE_FIXTURE(LiveArenas, "request: query parameters are decoded when asked for") {
  ReadRequest request("GET /?a=1+2&b=%41&flag&bad=%zz&a=3 HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(request->query("a") == "1 2");
  CHECK(request->query("b") == "A");
  CHECK(request->query("flag") == "");
  CHECK_FALSE(request->query("bad").has_value());
  CHECK_FALSE(request->query("missing").has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "request: path parameters are the route's, decoded") {
  tests::LoneExchange exchange("GET /users/a%20b/c HTTP/1.1\r\nHost: t\r\n\r\n");
  const Request& request = exchange->request();
  CHECK(request.param("id").empty());
  Router router;
  router.routes().get("/users/{id}/{*rest}", [](const Request& routed, Response& response) {
    CHECK(routed.param("id") == "a b");
    CHECK(routed.param("rest") == "c");
    CHECK(routed.param("other").empty());
    CHECK(routed.param("ID").empty());
    response.status(Status::accepted);
  });
  // The handler, with its checks, has run.
  CHECK(exchange.answer_by(router).status() == Status::accepted);
  CHECK(request.param("id") == "a b");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "request: an absolute target's authority comes before Host [RFC 9112 §3.2.2]") {
  ReadRequest request("GET http://one:80/x?y HTTP/1.1\r\nHost: two\r\n\r\n");
  CHECK(request->host() == "one:80");
  CHECK(request->header("Host") == "two");
  CHECK(request->target() == "http://one:80/x?y");
  CHECK(request->raw_path() == "/x");
  CHECK(request->raw_query() == "y");
}

}  // namespace
}  // namespace stadion::http
