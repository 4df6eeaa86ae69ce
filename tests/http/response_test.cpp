// SPDX-License-Identifier: MIT
#include "http/response.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "response: 200 without a body until it says otherwise") {
  Arena arena;
  const Response response(arena);
  CHECK(response.status() == Status::ok);
  CHECK(response.headers().empty());
  CHECK(response.content_type().empty());
  CHECK(response.body().empty());
  CHECK(response.content_length() == 0);
  CHECK(response.producer() == nullptr);
  CHECK_FALSE(response.closes_connection());
  CHECK(&response.arena() == &arena);
}

TEST_CASE_FIXTURE(LiveArenas, "response: text, html, json and bytes are copied, with their type") {
  Arena arena;
  Response response(arena);
  std::string body = "the body";
  response.status(Status::created).text(body);
  CHECK(response.status() == Status::created);
  CHECK(response.content_type() == "text/plain; charset=utf-8");
  response.html(body);
  CHECK(response.content_type() == "text/html; charset=utf-8");
  response.json(body);
  CHECK(response.content_type() == "application/json");
  std::string type = "a/b";
  response.bytes(body, type);
  body.assign(body.size(), '~');
  type.assign(type.size(), '~');
  CHECK(response.body() == "the body");
  CHECK(response.content_type() == "a/b");
  CHECK(response.content_length() == 8);
}

TEST_CASE_FIXTURE(LiveArenas, "response: a body by reference is not copied") {
  Arena arena;
  Response response(arena);
  const std::string body = "the body";
  response.body_by_reference(body, "a/b");
  CHECK(response.body().data() == body.data());
  CHECK(response.content_length() == body.size());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: header fields are copied, and may be several of one name") {
  Arena arena;
  Response response(arena);
  std::string name = "X-Name";
  std::string value = "value";
  response.header(name, value).header("x-name", "").header("Set-Cookie", "a=b; c");
  name.assign(name.size(), '~');
  value.assign(value.size(), '~');
  CHECK(response.headers().size() == 3);
  CHECK(response.headers().find("x-name") == "value");
  CHECK(response.headers().find("set-cookie") == "a=b; c");
}

TEST_CASE_FIXTURE(LiveArenas, "response: Content-Type as a header is the body's, once") {
  Arena arena;
  Response response(arena);
  response.text("x").header("content-TYPE", "a/b");
  CHECK(response.content_type() == "a/b");
  CHECK(response.headers().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "response: what would break or forge a response is refused") {
  Arena arena;
  Response response(arena);
  const std::array bad_values{std::string("a\r\nSet-Cookie: b"),
                              std::string("a\nb"),
                              std::string("a\rb"),
                              std::string("a\0b", 3),
                              std::string("a\x7F"),
                              std::string("\x1B[0m")};
  for (const std::string& value : bad_values) {
    CAPTURE(value);
    CHECK_THROWS_AS(response.header("X", value), std::invalid_argument);
    CHECK_THROWS_AS(response.header("Content-Type", value), std::invalid_argument);
    CHECK_THROWS_AS(response.redirect(value), std::invalid_argument);
    CHECK_THROWS_AS(response.bytes("x", value), std::invalid_argument);
    CHECK_THROWS_AS(response.body_by_reference("x", value), std::invalid_argument);
    CHECK_THROWS_AS(response.stream(value, [](BodyWriter&) { return false; }),
                    std::invalid_argument);
  }
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a:"), std::string("a\r\nb"),
        std::string("a\0", 2), std::string("\xC3\xA4")}) {
    CAPTURE(name);
    CHECK_THROWS_AS(response.header(name, "x"), std::invalid_argument);
  }
  CHECK(response.headers().size() == 0);
  CHECK(response.content_type().empty());
  CHECK(response.producer() == nullptr);
}

TEST_CASE_FIXTURE(LiveArenas, "response: the server's own fields cannot be set") {
  Arena arena;
  Response response(arena);
  for (const std::string_view name : {"Connection", "connection", "Content-Length",
                                      "CONTENT-LENGTH", "Date", "Transfer-Encoding"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(response.header(name, "1"), std::invalid_argument);
  }
  CHECK(response.headers().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "response: a redirect is 302 unless said otherwise") {
  Arena arena;
  Response response(arena);
  response.redirect("/elsewhere");
  CHECK(response.status() == Status::found);
  CHECK(response.headers().find("Location") == "/elsewhere");
  Response other(arena);
  other.redirect("/p", Status::permanent_redirect);
  CHECK(other.status() == Status::permanent_redirect);
}

TEST_CASE_FIXTURE(LiveArenas, "response: a stream has a producer, and a length if one was given") {
  Arena arena;
  Response response(arena);
  auto owned = std::make_unique<std::string>("moved in");  // What can only be moved will do.
  response.stream("text/plain", [owned = std::move(owned)](BodyWriter& out) {
    out.write(*owned);
    return false;
  });
  REQUIRE(response.producer() != nullptr);
  CHECK_FALSE(response.content_length().has_value());
  std::array<char, 100> room{};
  BodyWriter out(room);
  CHECK_FALSE(response.producer()->produce(out));
  CHECK(std::string_view(room.data(), out.written()) == "moved in");

  response.stream("text/plain", 5, [](BodyWriter&) { return true; });
  CHECK(response.content_length() == 5);
  response.text("no stream any more");
  CHECK(response.producer() == nullptr);
  CHECK(response.content_length() == 18);
}

TEST_CASE_FIXTURE(LiveArenas, "response: a producer is destroyed with its request's arena") {
  static int destroyed;
  destroyed = 0;
  struct Counted {
    Counted() = default;
    Counted(Counted&& other) noexcept { other.is_moved = true; }
    ~Counted() { destroyed += is_moved ? 0 : 1; }
    bool operator()(BodyWriter&) { return false; }
    bool is_moved = false;
  };
  {
    Arena arena;
    Response response(arena);
    response.stream("a/b", Counted());
    response.text("replaced");
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "response: fail() replaces all that was said, and needs no memory") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024, .limit_bytes = 1024}};
  Response response(arena);
  response.status(Status::created).header("X", "y").close_connection();
  response.stream("a/b", 100, [](BodyWriter&) { return true; });
  while (arena.try_alloc(1, 1) != nullptr) {
  }
  response.fail(Status::service_unavailable, "why\n");
  CHECK(response.status() == Status::service_unavailable);
  CHECK(response.headers().empty());
  CHECK(response.producer() == nullptr);
  CHECK(response.body() == "why\n");
  CHECK(response.content_length() == 4);
  CHECK(response.content_type() == "text/plain; charset=utf-8");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: without memory its functions throw, and it stays as it was") {
  Arena arena{ArenaOptions{.limit_bytes = 0}};
  Response response(arena);
  response.body_by_reference("static", "");
  CHECK_THROWS_AS(response.text("copied"), ArenaFailed);
  CHECK_THROWS_AS(response.header("X", "y"), ArenaFailed);
  CHECK(response.body() == "static");
  CHECK(response.headers().empty());
}

}  // namespace
}  // namespace stadion::http
