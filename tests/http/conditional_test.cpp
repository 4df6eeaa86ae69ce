// SPDX-License-Identifier: MIT
#include "http/conditional.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/date.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/lone_exchange.hpp"

namespace stadion::http {

// Named in what a failed check says.
static doctest::String toString(Precondition precondition) {
  switch (precondition) {
    case Precondition::proceed: return "proceed";
    case Precondition::not_modified: return "not_modified";
    case Precondition::failed: return "failed";
  }
  return "none of them";
}

namespace {

using tests::LiveArenas;

constexpr Precondition kProceed = Precondition::proceed;
constexpr Precondition kNotModified = Precondition::not_modified;
constexpr Precondition kFailed = Precondition::failed;

constexpr std::time_t kModified = 784111777;
constexpr std::string_view kThen = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

const Validators kBoth{.entity_tag = EntityTag{.opaque = "v1"}, .last_modified = kModified};
const Validators kWeakTag{.entity_tag = EntityTag{.opaque = "v1", .is_weak = true}};
const Validators kNone{};

using Lines = std::vector<Field>;

Precondition evaluate(Method method, const Lines& lines, const Validators& validators = kBoth) {
  Arena arena;
  Fields fields(arena);
  for (const Field& line : lines) {
    fields.add(line.name, line.value);
  }
  return evaluate_preconditions(method, fields, validators);
}

bool range_holds(const Lines& lines, const Validators& validators = kBoth) {
  Arena arena;
  Fields fields(arena);
  for (const Field& line : lines) {
    fields.add(line.name, line.value);
  }
  return if_range_holds(fields, validators);
}

std::string describe(const Lines& lines) {
  std::string text;
  for (const Field& line : lines) {
    text.append(line.name).append(": ").append(line.value).append("; ");
  }
  return text;
}

/// What the same fields mean for a method that reads and for one that writes.
struct Case {
  Lines lines;
  Precondition read;
  Precondition write;
};

void check_all(std::initializer_list<Case> cases, const Validators& validators = kBoth) {
  for (const Case& one : cases) {
    const std::string lines = describe(one.lines);
    CAPTURE(lines);
    for (const Method method : {Method::get, Method::head}) {
      CHECK(evaluate(method, one.lines, validators) == one.read);
    }
    for (const Method method : {Method::post, Method::put, Method::patch, Method::delete_}) {
      CHECK(evaluate(method, one.lines, validators) == one.write);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: one field alone [RFC 9110 §13.1]") {
  check_all({
      {{}, kProceed, kProceed},
      {{{"Range", "bytes=0-1"}}, kProceed, kProceed},

      {{{"If-Match", "\"v1\""}}, kProceed, kProceed},
      {{{"if-match", "\"v0\", \"v1\""}}, kProceed, kProceed},
      {{{"If-Match", "*"}}, kProceed, kProceed},
      {{{"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-Match", "W/\"v1\""}}, kFailed, kFailed},
      {{{"If-Match", "v1"}}, kFailed, kFailed},
      {{{"If-Match", ""}}, kFailed, kFailed},

      {{{"If-None-Match", "\"v1\""}}, kNotModified, kFailed},
      {{{"IF-NONE-MATCH", "\"v0\", \"v1\""}}, kNotModified, kFailed},
      {{{"If-None-Match", "W/\"v1\""}}, kNotModified, kFailed},
      {{{"If-None-Match", "*"}}, kNotModified, kFailed},
      {{{"If-None-Match", "\"v0\""}}, kProceed, kProceed},
      {{{"If-None-Match", "v1"}}, kProceed, kProceed},
      {{{"If-None-Match", ""}}, kProceed, kProceed},

      {{{"If-Unmodified-Since", kBefore}}, kFailed, kFailed},
      {{{"If-Unmodified-Since", kThen}}, kProceed, kProceed},
      {{{"If-Unmodified-Since", kAfter}}, kProceed, kProceed},

      {{{"If-Modified-Since", kBefore}}, kProceed, kProceed},
      {{{"If-Modified-Since", kThen}}, kNotModified, kProceed},
      {{{"If-Modified-Since", kAfter}}, kNotModified, kProceed},
      {{{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, kNotModified, kProceed},
      {{{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}, kNotModified, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: a malformed date is as none [RFC 9110 §13.1.3]") {
  for (const std::string_view date :
       {"", "0", "yesterday", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37"}) {
    check_all({
        {{{"If-Modified-Since", date}}, kProceed, kProceed},
        {{{"If-Unmodified-Since", date}}, kProceed, kProceed},
    });
  }
  check_all({
      {{{"If-Modified-Since", kAfter}, {"If-Modified-Since", kAfter}}, kProceed, kProceed},
      {{{"If-Unmodified-Since", kBefore}, {"If-Unmodified-Since", kBefore}}, kProceed, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: several lines of one name are one list") {
  check_all({
      {{{"If-Match", "\"v0\""}, {"if-match", "\"v1\""}}, kProceed, kProceed},
      {{{"If-Match", "\"v1\""}, {"If-Match", "\"v0\""}}, kProceed, kProceed},
      {{{"If-Match", "\"v0\""}, {"If-Match", "\"v2\""}}, kFailed, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"if-none-match", "\"v1\""}}, kNotModified, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"If-None-Match", "\"v2\""}}, kProceed, kProceed},
      {{{"If-None-Match", "\"v"}, {"If-None-Match", "\"v1\""}}, kNotModified, kFailed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Match before If-Unmodified-Since [§13.2.2]") {
  check_all({
      {{{"If-Unmodified-Since", kBefore}, {"If-Match", "\"v1\""}}, kProceed, kProceed},
      {{{"If-Unmodified-Since", kAfter}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-Unmodified-Since", kBefore}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-Unmodified-Since", kAfter}, {"If-Match", "\"v1\""}}, kProceed, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Match before If-None-Match [§13.2.2]") {
  check_all({
      {{{"If-None-Match", "\"v1\""}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-None-Match", "\"v1\""}, {"If-Match", "\"v1\""}}, kNotModified, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"If-Match", "\"v1\""}}, kProceed, kProceed},
      {{{"If-None-Match", "*"}, {"If-Match", "*"}}, kNotModified, kFailed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Match before If-Modified-Since [§13.2.2]") {
  check_all({
      {{{"If-Modified-Since", kAfter}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-Modified-Since", kBefore}, {"If-Match", "\"v0\""}}, kFailed, kFailed},
      {{{"If-Modified-Since", kAfter}, {"If-Match", "\"v1\""}}, kNotModified, kProceed},
      {{{"If-Modified-Since", kBefore}, {"If-Match", "\"v1\""}}, kProceed, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Unmodified-Since before If-None-Match [§13.2.2]") {
  check_all({
      {{{"If-None-Match", "\"v1\""}, {"If-Unmodified-Since", kBefore}}, kFailed, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"If-Unmodified-Since", kBefore}}, kFailed, kFailed},
      {{{"If-None-Match", "\"v1\""}, {"If-Unmodified-Since", kAfter}}, kNotModified, kFailed},
      {{{"If-None-Match", "\"v0\""}, {"If-Unmodified-Since", kAfter}}, kProceed, kProceed},
      {{{"If-None-Match", "\"v1\""}, {"If-Unmodified-Since", "?"}}, kNotModified, kFailed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Unmodified-Since before If-Modified-Since") {
  check_all({
      {{{"If-Modified-Since", kAfter}, {"If-Unmodified-Since", kBefore}}, kFailed, kFailed},
      {{{"If-Modified-Since", kBefore}, {"If-Unmodified-Since", kBefore}}, kFailed, kFailed},
      {{{"If-Modified-Since", kAfter}, {"If-Unmodified-Since", kAfter}}, kNotModified, kProceed},
      {{{"If-Modified-Since", kBefore}, {"If-Unmodified-Since", kAfter}}, kProceed, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-None-Match before If-Modified-Since [§13.2.2]") {
  check_all({
      {{{"If-Modified-Since", kAfter}, {"If-None-Match", "\"v0\""}}, kProceed, kProceed},
      {{{"If-Modified-Since", kAfter}, {"If-None-Match", "v1"}}, kProceed, kProceed},
      {{{"If-Modified-Since", kBefore}, {"If-None-Match", "\"v1\""}}, kNotModified, kFailed},
      {{{"If-Modified-Since", kAfter}, {"If-None-Match", "\"v1\""}}, kNotModified, kFailed},
      {{{"If-Modified-Since", kBefore}, {"If-None-Match", "\"v0\""}}, kProceed, kProceed},
  });
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: a weak entity tag is none for If-Match") {
  check_all(
      {
          {{{"If-Match", "\"v1\""}}, kFailed, kFailed},
          {{{"If-Match", "W/\"v1\""}}, kFailed, kFailed},
          {{{"If-Match", "*"}}, kProceed, kProceed},
          {{{"If-None-Match", "\"v1\""}}, kNotModified, kFailed},
          {{{"If-None-Match", "W/\"v1\""}}, kNotModified, kFailed},
      },
      kWeakTag);
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: without validators only a star matches") {
  check_all(
      {
          {{{"If-Match", "\"\""}}, kFailed, kFailed},
          {{{"If-Match", "*"}}, kProceed, kProceed},
          {{{"If-None-Match", "\"\""}}, kProceed, kProceed},
          {{{"If-None-Match", "*"}}, kNotModified, kFailed},
          {{{"If-Modified-Since", kAfter}}, kProceed, kProceed},
          {{{"If-Unmodified-Since", kBefore}}, kProceed, kProceed},
      },
      kNone);
}

TEST_CASE("conditional: methods that select nothing have no preconditions [RFC 9110 §13.2.1]") {
  for (const Method method : {Method::connect, Method::options, Method::trace}) {
    CHECK(evaluate(method, {{"If-Match", "\"v0\""}}) == kProceed);
    CHECK(evaluate(method, {{"If-None-Match", "*"}}) == kProceed);
    CHECK(evaluate(method, {{"If-Unmodified-Since", kBefore}}) == kProceed);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: If-Range names just this state [RFC 9110 §13.1.5]") {
  CHECK(range_holds({}));
  CHECK(range_holds({}, kNone));
  CHECK(range_holds({{"if-range", "\"v1\""}}));
  CHECK(range_holds({{"If-Range", kThen}}));
  CHECK(range_holds({{"If-Range", "Sunday, 06-Nov-94 08:49:37 GMT"}}));
  for (const std::string_view value :
       {"\"v0\"", "W/\"v1\"", "*", "v1", "", "\"v1\", \"v1\"", "\"v0\", \"v1\""}) {
    CAPTURE(value);
    CHECK_FALSE(range_holds({{"If-Range", value}}));
  }
  CHECK_FALSE(range_holds({{"If-Range", kBefore}}));
  CHECK_FALSE(range_holds({{"If-Range", kAfter}}));
  CHECK_FALSE(range_holds({{"If-Range", "\"v1\""}, {"If-Range", "\"v1\""}}));
  CHECK_FALSE(range_holds({{"If-Range", "\"v1\""}}, kWeakTag));
  CHECK_FALSE(range_holds({{"If-Range", "W/\"v1\""}}, kWeakTag));
  CHECK_FALSE(range_holds({{"If-Range", kThen}}, kWeakTag));
  CHECK_FALSE(range_holds({{"If-Range", "\"\""}}, kNone));
  CHECK_FALSE(range_holds({{"If-Range", kThen}}, kNone));
}

std::string request_of(std::string_view method, std::string_view lines) {
  return std::string(method) + " / HTTP/1.1\r\nHost: t\r\n" + std::string(lines) + "\r\n";
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: a read that goes on has the validators") {
  tests::LoneExchange exchange(request_of("GET", "If-None-Match: \"v0\"\r\n"));
  Response& response = exchange->response();
  response.header("ETag", "\"old\"").text("the body");
  CHECK_FALSE(answer_preconditions(exchange->request(), response, kBoth));
  CHECK(response.status() == Status::ok);
  CHECK(response.body() == "the body");
  CHECK(response.headers().size() == 2);
  CHECK(response.headers().find("ETag") == "\"v1\"");
  CHECK(response.headers().find("Last-Modified") == kThen);
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: 304 has the validators, what was set before, no body") {
  for (const std::string_view method : {"GET", "HEAD"}) {
    tests::LoneExchange exchange(request_of(method, "If-None-Match: \"v1\"\r\n"));
    Response& response = exchange->response();
    response.header("Cache-Control", "no-cache").text("the body");
    CHECK(answer_preconditions(exchange->request(), response, kBoth));
    CHECK(response.status() == Status::not_modified);
    CHECK(response.body().empty());
    CHECK(response.content_type().empty());
    CHECK(response.headers().find("ETag") == "\"v1\"");
    CHECK(response.headers().find("Last-Modified") == kThen);
    CHECK(response.headers().find("Cache-Control") == "no-cache");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: 412 tells a writer the state that is") {
  tests::LoneExchange exchange(request_of("DELETE", "If-Match: \"v0\"\r\n"));
  Response& response = exchange->response();
  CHECK(answer_preconditions(exchange->request(), response, kWeakTag));
  CHECK(response.status() == Status::precondition_failed);
  CHECK(response.body() == "Precondition failed.\n");
  CHECK(response.content_type() == "text/plain; charset=utf-8");
  CHECK(response.headers().find("ETag") == "W/\"v1\"");
  CHECK_FALSE(response.headers().contains("Last-Modified"));
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: a write that goes on has not the old validators") {
  tests::LoneExchange exchange(request_of("DELETE", "If-Match: \"v1\"\r\n"));
  CHECK_FALSE(answer_preconditions(exchange->request(), exchange->response(), kBoth));
  CHECK(exchange->response().status() == Status::ok);
  CHECK(exchange->response().headers().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: no validators, no fields") {
  tests::LoneExchange exchange(request_of("GET", ""));
  CHECK_FALSE(answer_preconditions(exchange->request(), exchange->response(), kNone));
  CHECK(exchange->response().headers().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: Last-Modified is never to come [RFC 9110 §8.8.2.1]") {
  tests::LoneExchange exchange(request_of("GET", ""));
  const std::time_t now = std::time(nullptr);
  CHECK_FALSE(answer_preconditions(exchange->request(), exchange->response(),
                                   {.last_modified = now + 3600}));
  const auto field = exchange->response().headers().find("Last-Modified");
  REQUIRE(field);
  const auto sent = parse_http_date(*field);
  REQUIRE(sent);
  CHECK(*sent >= now);
  CHECK(*sent <= std::time(nullptr));
}

TEST_CASE_FIXTURE(LiveArenas, "conditional: an entity tag that none can have is refused") {
  tests::LoneExchange exchange(request_of("GET", ""));
  const Validators validators{.entity_tag = EntityTag{.opaque = "a\r\nb"}};
  CHECK_THROWS_AS(answer_preconditions(exchange->request(), exchange->response(), validators),
                  std::invalid_argument);
}

}  // namespace
}  // namespace stadion::http
