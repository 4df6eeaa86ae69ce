// SPDX-License-Identifier: MIT
#include "http/router.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "http/limits.hpp"
#include "http/parser.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/lone_exchange.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

struct Answer {
  unsigned status = 0;
  std::string body;
  std::optional<std::string> allow{};
};

/// Routes a request that was read by the parser, for its target decides about more than the path.
Answer ask(const Router& router, std::string_view method, std::string_view target) {
  tests::LoneExchange exchange(std::string(method) + " " + std::string(target) +
                               " HTTP/1.1\r\nHost: t\r\n\r\n");
  const Response& response = exchange.answer_by(router);
  Answer answer{.status = code_of(response.status()), .body = std::string(response.body())};
  for (const Field& field : response.headers()) {
    if (field.name == "Allow") {
      answer.allow = field.value;
    }
  }
  return answer;
}

/// Answers with a text that tells which route it was, and what it was given.
Handler tell(std::string name, std::string parameter = {}) {
  return [name = std::move(name), parameter = std::move(parameter)](const Request& request,
                                                                    Response& response) {
    std::string text = name;
    if (!parameter.empty()) {
      text.append(":").append(request.param(parameter));
    }
    response.text(text);
  };
}

std::string body_of(const Router& router, std::string_view target) {
  const Answer answer = ask(router, "GET", target);
  return answer.status == 200 ? answer.body : std::to_string(answer.status);
}

TEST_CASE_FIXTURE(LiveArenas, "router: literal paths are taken literally") {
  Router router;
  router.routes().route(Method::get, "/", tell("root"));
  router.routes().route(Method::get, "/a", tell("a"));
  router.routes().route(Method::get, "/a/", tell("a slash"));
  router.routes().route(Method::get, "/a/b", tell("b"));
  CHECK(body_of(router, "/") == "root");
  CHECK(body_of(router, "/?query") == "root");
  CHECK(body_of(router, "/a") == "a");
  CHECK(body_of(router, "/a/") == "a slash");
  CHECK(body_of(router, "/a/b") == "b");
  CHECK(body_of(router, "http://t") == "root");
  for (const std::string_view target : {"/A", "//", "/a//", "/a/b/", "/a/b/c", "/ab", "/a;b"}) {
    CAPTURE(target);
    CHECK(body_of(router, target) == "404");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "router: the most specific pattern wins, segment by segment") {
  Router router;
  // Added from the least specific on: the order does not count.
  router.routes().route(Method::get, "/{*rest}", tell("rest", "rest"));
  router.routes().route(Method::get, "/{a}/{b}", tell("two", "b"));
  router.routes().route(Method::get, "/{a}", tell("one", "a"));
  router.routes().route(Method::get, "/users/{*rest}", tell("users rest", "rest"));
  router.routes().route(Method::get, "/users/{id}", tell("user", "id"));
  router.routes().route(Method::get, "/users/me", tell("me"));
  router.routes().route(Method::get, "/users/{id}/posts", tell("posts", "id"));

  CHECK(body_of(router, "/users/me") == "me");
  CHECK(body_of(router, "/users/7") == "user:7");
  CHECK(body_of(router, "/users/7/posts") == "posts:7");
  CHECK(body_of(router, "/users") == "one:users");
  CHECK(body_of(router, "/x") == "one:x");
  CHECK(body_of(router, "/x/y") == "two:y");
  CHECK(body_of(router, "/x/y/z") == "rest:x/y/z");
  CHECK(body_of(router, "/") == "rest:");
}

TEST_CASE_FIXTURE(LiveArenas, "router: it goes back where a specific branch does not match") {
  Router router;
  router.routes().route(Method::get, "/a/b/c", tell("literal"));
  router.routes().route(Method::get, "/a/{x}/d", tell("middle", "x"));
  router.routes().route(Method::get, "/{y}/b/e", tell("first", "y"));
  router.routes().route(Method::get, "/a/{*z}", tell("rest", "z"));
  CHECK(body_of(router, "/a/b/c") == "literal");
  CHECK(body_of(router, "/a/b/d") == "middle:b");
  CHECK(body_of(router, "/a/b/e") == "rest:b/e");  // "a" is more specific than "{y}".
  CHECK(body_of(router, "/q/b/e") == "first:q");
  CHECK(body_of(router, "/q/b/f") == "404");

  // What a branch gave that did not match in the end is forgotten.
  router.routes().route(Method::get, "/p/{gone}/end", tell("end", "gone"));
  router.routes().route(
      Method::get, "/{y}/{*tail}", [](const Request& request, Response& response) {
        response.text(std::string(request.param("gone")) + "|" + std::string(request.param("y")) +
                      "|" + std::string(request.param("tail")));
      });
  CHECK(body_of(router, "/p/x/other") == "|p|x/other");
}

TEST_CASE_FIXTURE(LiveArenas, "router: {name} needs something, {*name} does not") {
  Router router;
  router.routes().route(Method::get, "/users/{id}", tell("user", "id"));
  router.routes().route(Method::get, "/static/{*path}", tell("static", "path"));
  CHECK(body_of(router, "/users/") == "404");
  CHECK(body_of(router, "/users") == "404");
  CHECK(body_of(router, "/static/") == "static:");
  CHECK(body_of(router, "/static/a") == "static:a");
  CHECK(body_of(router, "/static/a/b/") == "static:a/b/");
  CHECK(body_of(router, "/static//") == "static:/");
  CHECK(body_of(router, "/static") == "404");
  CHECK(body_of(router, "/static2") == "404");
}

TEST_CASE_FIXTURE(LiveArenas, "router: a path is split before it is decoded: %2F is no separator") {
  Router router;
  router.routes().route(Method::get, "/a b", tell("literal"));
  router.routes().route(Method::get, "/users/{id}", tell("user", "id"));
  router.routes().route(Method::get, "/files/{*path}", tell("files", "path"));
  CHECK(body_of(router, "/a%20b") == "literal");
  CHECK(body_of(router, "/%61%20%62") == "literal");
  CHECK(body_of(router, "/%75sers/x") == "user:x");
  CHECK(body_of(router, "/users/a%2Fb") == "user:a/b");
  CHECK(body_of(router, "/users%2Fa") == "404");
  CHECK(body_of(router, "/users/%C3%A4%25+") == "user:\xC3\xA4%+");
  CHECK(body_of(router, "/files/a%2Fb/c%2fd") == "files:a/b/c/d");
  CHECK(body_of(router, "/users/%7Bid%7D") == "user:{id}");
}

TEST_CASE_FIXTURE(LiveArenas, "router: a malformed escape in the path is a 400") {
  Router router;
  router.routes().route(Method::get, "/users/{id}", tell("user", "id"));
  router.routes().route(Method::get, "/files/{*path}", tell("files", "path"));
  for (const std::string_view target : {"/%", "/%2", "/%zz", "/%00", "/users/%", "/users/a%0",
                                        "/users/%g0", "/files/a/b%", "/files/%00/x", "/%%20"}) {
    CAPTURE(target);
    CHECK(body_of(router, target) == "400");
  }
  CHECK(body_of(router, "/users/a?b=%") == "user:a");  // The query is the handler's.
}

TEST_CASE_FIXTURE(LiveArenas, "router: a malformed escape is a 400 wherever in the path it is") {
  Router router;
  router.routes().route(Method::get, "/users/{id}", tell("user", "id"));
  CHECK(body_of(router, "/unknown/%zz") == "400");
  CHECK(body_of(router, "/users/a/%zz") == "400");
}

TEST_CASE_FIXTURE(LiveArenas, "router: 405 lists the methods of every pattern that matches") {
  Router router;
  router.routes().route(Method::get, "/users/me", tell("me"));
  router.routes().route(Method::put, "/users/{id}", tell("user"));
  router.routes().route(Method::delete_, "/{*rest}", tell("rest"));
  router.routes().route(Method::post, "/users", tell("users"));

  const Answer answer = ask(router, "POST", "/users/me");
  CHECK(answer.status == 405);
  CHECK(answer.allow == "GET, HEAD, PUT, DELETE, OPTIONS");
  CHECK_FALSE(answer.body.empty());
  CHECK(ask(router, "POST", "/users/7").allow == "PUT, DELETE, OPTIONS");
  CHECK(ask(router, "PATCH", "/users").allow == "POST, DELETE, OPTIONS");
  CHECK(ask(router, "TRACE", "/other").allow == "DELETE, OPTIONS");

  // A method that a less specific pattern has goes there.
  CHECK(ask(router, "PUT", "/users/me").body == "user");
  CHECK(ask(router, "DELETE", "/users/me").body == "rest");
}

TEST_CASE_FIXTURE(LiveArenas, "router: OPTIONS lists the methods, unless it has a route") {
  Router router;
  router.routes().route(Method::get, "/a", tell("a"));
  router.routes().route(Method::patch, "/a", tell("a"));
  router.routes().route(Method::options, "/own", tell("own"));
  const Answer answer = ask(router, "OPTIONS", "/a");
  CHECK(answer.status == 204);
  CHECK(answer.allow == "GET, HEAD, OPTIONS, PATCH");
  CHECK(answer.body.empty());
  CHECK(ask(router, "OPTIONS", "/own").body == "own");
  CHECK(ask(router, "OPTIONS", "/missing").status == 404);
  CHECK(ask(router, "OPTIONS", "*").status == 204);
}

TEST_CASE_FIXTURE(LiveArenas, "router: every method's name fits into Allow") {
  Router router;
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    if (static_cast<Method>(i) != Method::trace) {
      router.routes().route(static_cast<Method>(i), "/all", tell("all"));
    }
  }
  CHECK(ask(router, "TRACE", "/all").allow ==
        "GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, PATCH");
}

TEST_CASE_FIXTURE(LiveArenas, "router: HEAD is answered by GET's handler, unless it has its own") {
  Router router;
  router.routes().route(Method::get, "/a", tell("get"));
  router.routes().route(Method::get, "/b", tell("get"));
  router.routes().route(Method::head, "/b", tell("head"));
  router.routes().route(Method::post, "/c", tell("post"));
  CHECK(ask(router, "HEAD", "/a").body == "get");
  CHECK(ask(router, "HEAD", "/b").body == "head");
  CHECK(ask(router, "HEAD", "/c").status == 405);
}

TEST_CASE_FIXTURE(LiveArenas, "router: all parameters of a route are given") {
  Router router;
  router.routes().route(
      Method::get, "/{a}/x/{b}/{*c}", [](const Request& request, Response& response) {
        response.text(std::string(request.param("a")) + "," + std::string(request.param("b")) +
                      "," + std::string(request.param("c")) + "," +
                      std::string(request.param("d")));
      });
  CHECK(body_of(router, "/1/x/2/3/4") == "1,2,3/4,");
}

TEST_CASE_FIXTURE(LiveArenas, "router: what the handler throws passes through") {
  Router router;
  router.routes().route(Method::get, "/",
                        [](const Request&, Response&) { throw std::runtime_error("mine"); });
  CHECK_THROWS_WITH(ask(router, "GET", "/"), "mine");
}

TEST_CASE_FIXTURE(LiveArenas, "router: malformed and doubled patterns are refused") {
  for (const std::string_view pattern :
       {"", "a", "a/b", "*", "{a}", "/{}", "/{*}", "/{a", "/a}", "/x{a}", "/{a}x", "/{a}{b}",
        "/{*a}/b", "/{*a}/", "/{a*}", "/{a{b}}", "/{**a}"}) {
    CAPTURE(pattern);
    Router router;
    CHECK_THROWS_AS(router.routes().route(Method::get, pattern, tell("x")), std::invalid_argument);
    CHECK(router.descriptions().empty());
  }

  Router router;
  router.routes().route(Method::get, "/a/{id}", tell("x"));
  CHECK_THROWS_AS(router.routes().route(Method::get, "/a/{id}", tell("x")), std::invalid_argument);
  CHECK_THROWS_AS(router.routes().route(Method::get, "/a/{name}", tell("x")),
                  std::invalid_argument);
  CHECK_THROWS_AS(router.routes().route(Method::post, "/a/{name}", tell("x")),
                  std::invalid_argument);
  CHECK_THROWS_AS(router.routes().route(Method::get, "/empty", Handler()), std::invalid_argument);
  CHECK_NOTHROW(router.routes().route(Method::post, "/a/{id}", tell("x")));
  CHECK_NOTHROW(router.routes().route(Method::get, "/b/{name}", tell("x")));
  CHECK_NOTHROW(router.routes().route(Method::get, "/a/{*rest}", tell("x")));
  CHECK_THROWS_AS(router.routes().route(Method::get, "/a/{*other}", tell("x")),
                  std::invalid_argument);
}

TEST_CASE_FIXTURE(LiveArenas, "router: patterns have at most 64 segments and 16 parameters") {
  const auto repeated = [](std::string_view segment, int count) {
    std::string pattern;
    for (int i = 0; i < count; ++i) {
      pattern.append(segment).append(segment.ends_with('}') ? "" : std::to_string(i));
    }
    return pattern;
  };
  const auto parameters = [](int count) {
    std::string pattern;
    for (int i = 0; i < count; ++i) {
      pattern += "/{p" + std::to_string(i) + "}";
    }
    return pattern;
  };
  Router router;
  CHECK_NOTHROW(router.routes().route(Method::get, repeated("/s", 64), tell("deep")));
  CHECK_THROWS_AS(router.routes().route(Method::get, repeated("/s", 65), tell("deep")),
                  std::invalid_argument);
  CHECK(body_of(router, repeated("/s", 64)) == "deep");
  CHECK(body_of(router, repeated("/s", 65)) == "404");

  CHECK_NOTHROW(router.routes().route(Method::get, parameters(16), tell("wide", "p15")));
  CHECK_THROWS_AS(router.routes().route(Method::get, parameters(17), tell("wide")),
                  std::invalid_argument);
  CHECK(body_of(router, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/last") == "wide:last");
}

TEST_CASE_FIXTURE(LiveArenas, "router: a path of thousands of segments reaches {*name} alone") {
  Router router;
  router.routes().route(Method::get, "/{a}/{b}", tell("two"));
  router.routes().route(Method::get, "/{*rest}", [](const Request& request, Response& response) {
    response.text(std::to_string(request.param("rest").size()));
  });
  std::string path;
  for (int i = 0; i < 3000; ++i) {
    path += "/x";
  }
  CHECK(body_of(router, path) == "5999");
}

TEST_CASE_FIXTURE(LiveArenas, "router: descriptions name the routes in their order") {
  Router router;
  router.routes().route(Method::post, "/b/{id}", tell("x"));
  router.routes().route(Method::get, "/", tell("x"));
  CHECK(router.descriptions() == std::vector<std::string>{"POST /b/{id}", "GET /"});
}

}  // namespace
}  // namespace stadion::http
