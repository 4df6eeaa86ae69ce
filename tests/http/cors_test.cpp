// SPDX-License-Identifier: MIT
#include "http/cors.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;
using namespace std::chrono_literals;

constexpr std::string_view kOrigin = "Origin";
constexpr std::string_view kMethod = "Access-Control-Request-Method";
constexpr std::string_view kHeaders = "Access-Control-Request-Headers";

/// The verdict, then each field: "pass | Vary: Origin | …".
std::string decided(const CorsPolicy& policy, Method method, std::initializer_list<Field> request) {
  Arena arena;
  Fields fields(arena);
  for (const Field& field : request) {
    fields.add(field.name, field.value);
  }
  const CorsDecision decision = policy.decide(method, fields);
  std::string text = decision.verdict == CorsVerdict::pass                ? "pass"
                     : decision.verdict == CorsVerdict::preflight_allowed ? "allowed"
                                                                          : "refused";
  for (const Field& field : decision.fields()) {
    text.append(" | ").append(field.name).append(": ").append(field.value);
  }
  return text;
}

CorsOptions listed() {
  return {.origins = {"https://b.example", "https://a.example", "http://localhost:3000"},
          .methods = {Method::get, Method::put},
          .headers = {"X-Token", "Content-Type"},
          .exposed_headers = {"X-Total", "Link"}};
}

TEST_CASE_FIXTURE(LiveArenas, "cors: a listed origin is answered with itself, and Vary") {
  const CorsPolicy policy(listed());
  for (const std::string_view origin :
       {"https://a.example", "https://b.example", "http://localhost:3000"}) {
    CHECK(decided(policy, Method::get, {{kOrigin, origin}}) ==
          "pass | Vary: Origin | Access-Control-Allow-Origin: " + std::string(origin) +
              " | Access-Control-Expose-Headers: X-Total, Link");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "cors: where the origins are a list every response varies by it") {
  const CorsPolicy policy(listed());
  CHECK(decided(policy, Method::get, {}) == "pass | Vary: Origin");
  for (const std::string_view other :
       {"null", "", "*", "https://c.example", "https://a.example.evil.example", "https://a.exampl",
        "https://a.example:8443", "http://a.example", "https://A.example", "https://a.example/",
        "https://xa.example", "http://localhost", "https://a.example, https://b.example"}) {
    CAPTURE(other);
    CHECK(decided(policy, Method::get, {{kOrigin, other}}) == "pass | Vary: Origin");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "cors: where any origin may, all responses are the same") {
  const CorsPolicy policy({.origins = {"*"}, .exposed_headers = {"*"}});
  const std::string expected =
      "pass | Access-Control-Allow-Origin: * | Access-Control-Expose-Headers: *";
  CHECK(decided(policy, Method::get, {}) == expected);
  CHECK(decided(policy, Method::get, {{kOrigin, "https://a.example"}}) == expected);
  CHECK(decided(policy, Method::get, {{kOrigin, "null"}}) == expected);
}

TEST_CASE_FIXTURE(LiveArenas, "cors: without origins nothing is said, and no preflight passes") {
  const CorsPolicy policy({});
  CHECK(decided(policy, Method::get, {{kOrigin, "https://a.example"}}) == "pass");
  CHECK(decided(policy, Method::options, {{kOrigin, "https://a.example"}, {kMethod, "GET"}}) ==
        "refused");
}

TEST_CASE_FIXTURE(LiveArenas, "cors: a preflight that may is told all that may be") {
  const CorsPolicy policy(listed());
  const std::string expected =
      "allowed | Vary: Origin | Access-Control-Allow-Origin: https://a.example"
      " | Access-Control-Allow-Methods: GET, PUT"
      " | Access-Control-Allow-Headers: X-Token, Content-Type | Access-Control-Max-Age: 600";
  for (const std::string_view headers :
       {"", "x-token", "content-type,x-token", " X-TOKEN , ,Content-Type,"}) {
    CAPTURE(headers);
    CHECK(decided(policy, Method::options,
                  {{kOrigin, "https://a.example"}, {kMethod, "PUT"}, {kHeaders, headers}}) ==
          expected);
  }
  CHECK(decided(policy, Method::options,
                {{"origin", "https://a.example"}, {"access-control-request-method", "GET"}}) ==
        expected);
}

TEST_CASE_FIXTURE(LiveArenas, "cors: a preflight is refused for its origin, method or a header") {
  const CorsPolicy policy(listed());
  const std::string refused = "refused | Vary: Origin";
  const auto preflight = [&policy](std::string_view origin, std::string_view method,
                                   std::string_view headers) {
    return decided(policy, Method::options,
                   {{kOrigin, origin}, {kMethod, method}, {kHeaders, headers}});
  };
  CHECK(preflight("https://c.example", "GET", "") == refused);
  CHECK(preflight("https://a.example", "POST", "") == refused);
  CHECK(preflight("https://a.example", "get", "") == refused);
  CHECK(preflight("https://a.example", "", "") == refused);
  CHECK(preflight("https://a.example", "MKCOL", "") == refused);
  CHECK(preflight("https://a.example", "GET", "x-other") == refused);
  CHECK(preflight("https://a.example", "GET", "x-token, x-token2") == refused);
  CHECK(preflight("https://a.example", "GET", "authorization") == refused);
  CHECK(preflight("https://a.example", "GET", "x-token content-type") == refused);
}

TEST_CASE_FIXTURE(LiveArenas, "cors: OPTIONS is a preflight only with an origin and a method") {
  const CorsPolicy policy(listed());
  CHECK(decided(policy, Method::options, {{kMethod, "PUT"}}) == "pass | Vary: Origin");
  CHECK(decided(policy, Method::options, {{kOrigin, "https://c.example"}}) ==
        "pass | Vary: Origin");
  CHECK(decided(policy, Method::get, {{kOrigin, "https://c.example"}, {kMethod, "DELETE"}}) ==
        "pass | Vary: Origin");
}

TEST_CASE_FIXTURE(LiveArenas, "cors: credentials are allowed by name") {
  CorsOptions options = listed();
  options.credentials = true;
  const CorsPolicy policy(options);
  CHECK(decided(policy, Method::get, {{kOrigin, "https://a.example"}}) ==
        "pass | Vary: Origin | Access-Control-Allow-Origin: https://a.example"
        " | Access-Control-Allow-Credentials: true | Access-Control-Expose-Headers: X-Total, Link");
  CHECK(decided(policy, Method::options, {{kOrigin, "https://a.example"}, {kMethod, "GET"}}) ==
        "allowed | Vary: Origin | Access-Control-Allow-Origin: https://a.example"
        " | Access-Control-Allow-Credentials: true | Access-Control-Allow-Methods: GET, PUT"
        " | Access-Control-Allow-Headers: X-Token, Content-Type | Access-Control-Max-Age: 600");
  CHECK(decided(policy, Method::get, {{kOrigin, "https://c.example"}}) == "pass | Vary: Origin");
}

TEST_CASE_FIXTURE(LiveArenas, "cors: any header, but Authorization only by its name") {
  const auto preflight = [](const CorsPolicy& policy, std::string_view headers) {
    return decided(policy, Method::options,
                   {{kOrigin, "https://a.example"}, {kMethod, "GET"}, {kHeaders, headers}});
  };
  const CorsPolicy any({.origins = {"*"}, .headers = {"*"}});
  CHECK(preflight(any, "x-whatever, y") ==
        "allowed | Access-Control-Allow-Origin: * | Access-Control-Allow-Methods: GET, HEAD, POST"
        " | Access-Control-Allow-Headers: * | Access-Control-Max-Age: 600");
  CHECK(preflight(any, "authorization") == "refused");
  const CorsPolicy named({.origins = {"*"}, .headers = {"*", "Authorization"}});
  CHECK(preflight(named, "authorization, x").substr(0, 7) == "allowed");
}

TEST_CASE_FIXTURE(LiveArenas, "cors: names in a preflight: one below the limit, at it, one above") {
  const CorsPolicy policy({.origins = {"*"}, .headers = {"*"}});
  for (const std::size_t count : {99U, 100U, 101U}) {
    std::string headers;
    for (std::size_t i = 0; i < count; ++i) {
      headers += ",x";
    }
    const std::string said =
        decided(policy, Method::options, {{kOrigin, "a"}, {kMethod, "GET"}, {kHeaders, headers}});
    CHECK((said.substr(0, 7) == "allowed") == (count <= kCorsRequestHeadersMax));
  }
}

void check_refused(const CorsOptions& options, std::string_view option) {
  std::string said = "nothing";
  try {
    const CorsPolicy policy(options);
  } catch (const std::invalid_argument& refusal) {
    said = refusal.what();
  }
  CHECK_MESSAGE(said.find("CORS " + std::string(option) + ":") == 0, said);
}

TEST_CASE("cors: any origin together with credentials is refused, and says so") {
  check_refused({.origins = {"*"}, .credentials = true}, "origins");
  check_refused({.origins = {"https://a.example"}, .headers = {"*"}, .credentials = true},
                "headers");
  check_refused({.origins = {"https://a.example"}, .exposed_headers = {"*"}, .credentials = true},
                "exposed_headers");
  check_refused({.origins = {"*", "https://a.example"}}, "origins");
}

TEST_CASE("cors: an origin that no browser would send is refused") {
  for (const char* origin : {"",
                             "null",
                             "a.example",
                             "://a.example",
                             "https://",
                             "https://a.example/",
                             "https://A.example",
                             "HTTPS://a.example",
                             "https://a.example:443",
                             "http://a.example:80",
                             "https://a.example:",
                             "https://a.example:0",
                             "https://a.example:08",
                             "https://a.example:123456",
                             "https://a.example:x",
                             "https://user@a.example",
                             "https://*.example",
                             "https://a.example\r\n",
                             "https://\xC3\xA4.example",
                             "https://[::1",
                             "https://a.example https://b.example"}) {
    CAPTURE(origin);
    check_refused({.origins = {origin}}, "origins");
  }
  for (const char* origin :
       {"http://a.example:443", "https://a.example:80", "https://a.example:65535",
        "http://[::1]:3000", "http://[::1]", "http://127.0.0.1", "chrome-extension://abcdefgh",
        "https://xn--4ca.example"}) {
    CAPTURE(origin);
    CHECK_NOTHROW(CorsPolicy({.origins = {origin}}));
  }
}

TEST_CASE("cors: names, methods and ages that cannot be are refused") {
  check_refused({.headers = {"a b"}}, "headers");
  check_refused({.headers = {""}}, "headers");
  check_refused({.headers = {"a\r\nb"}}, "headers");
  check_refused({.exposed_headers = {"a,b"}}, "exposed_headers");
  check_refused({.methods = {Method::trace}}, "methods");
  check_refused({.methods = {Method::connect}}, "methods");
  check_refused({.max_age = -1s}, "max_age");
  check_refused({.max_age = kCorsAgeMax + 1s}, "max_age");
  CHECK_NOTHROW(CorsPolicy({.max_age = 0s}));
  CHECK_NOTHROW(CorsPolicy({.max_age = kCorsAgeMax - 1s}));
  CHECK_NOTHROW(CorsPolicy({.max_age = kCorsAgeMax}));
}

}  // namespace
}  // namespace stadion::http
