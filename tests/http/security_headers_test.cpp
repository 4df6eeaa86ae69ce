// SPDX-License-Identifier: MIT
#include "http/security_headers.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace stadion::http {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kYear{31'536'000};

std::string text_of(std::span<const Field> fields) {
  std::string text;
  for (const Field& field : fields) {
    CHECK(is_token(field.name));
    CHECK(is_field_value(field.value));
    text.append(field.name).append(": ").append(field.value).append("\n");
  }
  return text;
}

/// The value of a field over TLS, or "none".
std::string value_of(const SecurityHeadersOptions& options, std::string_view name) {
  const SecurityHeaders headers(options);
  for (const Field& field : headers.for_https()) {
    if (field.name == name) {
      return std::string(field.value);
    }
  }
  return "none";
}

std::string refusal(const SecurityHeadersOptions& options) {
  try {
    const SecurityHeaders headers(options);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "none";
}

void check_refused(const SecurityHeadersOptions& options, std::string_view option) {
  CHECK(refusal(options).find("security headers: " + std::string(option) + " ") == 0);
}

TEST_CASE("security headers: the default is careful, and asks nobody to use HTTPS alone") {
  const SecurityHeaders headers;
  CHECK(text_of(headers.for_http()) ==
        "X-Content-Type-Options: nosniff\n"
        "Referrer-Policy: strict-origin-when-cross-origin\n"
        "Content-Security-Policy: frame-ancestors 'none'\n"
        "X-Frame-Options: DENY\n");
  CHECK(text_of(headers.for_https()) == text_of(headers.for_http()));
}

TEST_CASE("security headers: each can be left out") {
  const SecurityHeaders headers(
      {.no_sniff = false, .referrer_policy = "", .framed_by = FramedBy::anybody});
  CHECK(headers.for_https().empty());
  CHECK(headers.for_http().empty());
}

TEST_CASE("security headers: Strict-Transport-Security over TLS alone [RFC 6797 §7.2]") {
  const SecurityHeaders headers({.strict_transport_security = StrictTransportSecurity{}});
  CHECK(text_of(headers.for_https()) ==
        text_of(headers.for_http()) + "Strict-Transport-Security: max-age=31536000\n");
  CHECK(text_of(headers.for_http()).find("Strict-Transport") == std::string::npos);
}

TEST_CASE("security headers: Strict-Transport-Security in its forms, and its limits") {
  const auto strict = [](StrictTransportSecurity strict_transport_security) {
    return SecurityHeadersOptions{.strict_transport_security = strict_transport_security};
  };
  const std::string_view name = "Strict-Transport-Security";
  CHECK(value_of(strict({.max_age = 0s}), name) == "max-age=0");
  CHECK(value_of(strict({.max_age = 60s, .include_subdomains = true}), name) ==
        "max-age=60; includeSubDomains");
  CHECK(value_of(strict({.include_subdomains = true, .preload = true}), name) ==
        "max-age=31536000; includeSubDomains; preload");
  CHECK(value_of(strict({.max_age = 2 * kYear}), name) == "max-age=63072000");
  const std::string_view option = "strict_transport_security";
  check_refused(strict({.max_age = -1s}), option);
  check_refused(strict({.max_age = 2 * kYear + 1s}), option);
  check_refused(strict({.preload = true}), option);
  check_refused(strict({.max_age = kYear - 1s, .include_subdomains = true, .preload = true}),
                option);
}

TEST_CASE("security headers: framing says the same in both fields") {
  const SecurityHeadersOptions same{.framed_by = FramedBy::same_origin};
  CHECK(value_of(same, "X-Frame-Options") == "SAMEORIGIN");
  CHECK(value_of(same, "Content-Security-Policy") == "frame-ancestors 'self'");
  const SecurityHeadersOptions anybody{.framed_by = FramedBy::anybody};
  CHECK(value_of(anybody, "X-Frame-Options") == "none");
  CHECK(value_of(anybody, "Content-Security-Policy") == "none");
}

TEST_CASE("security headers: a policy of one's own gets frame-ancestors beside it") {
  const auto policy = [](std::string_view text, FramedBy framed_by) {
    return value_of({.framed_by = framed_by, .content_security_policy = std::string(text)},
                    "Content-Security-Policy");
  };
  CHECK(policy("default-src 'self'", FramedBy::nobody) ==
        "default-src 'self'; frame-ancestors 'none'");
  CHECK(policy(" default-src 'self'; img-src *; ", FramedBy::same_origin) ==
        "default-src 'self'; img-src *; frame-ancestors 'self'");
  CHECK(policy("img-src *; frame-ancestors https://a.example", FramedBy::anybody) ==
        "img-src *; frame-ancestors https://a.example");
  CHECK(policy("report-uri /frame-ancestors", FramedBy::nobody) ==
        "report-uri /frame-ancestors; frame-ancestors 'none'");
}

TEST_CASE("security headers: a policy that cannot be is refused") {
  for (const std::string_view text :
       {"a\r\nSet-Cookie: b", "a\nb", "img-src a, b", "\xC3\xA4", "\x7F", "frame-ancestors *",
        "img-src *;  FRAME-ancestors\t*", "frame-ancestors"}) {
    CAPTURE(text);
    check_refused({.content_security_policy = std::string(text)}, "content_security_policy");
  }
  check_refused({.content_security_policy = std::string("a\0", 2)}, "content_security_policy");
}

TEST_CASE("security headers: a referrer policy is one of the standard's, or a list of them") {
  const std::string_view name = "Referrer-Policy";
  CHECK(value_of({.referrer_policy = "no-referrer"}, name) == "no-referrer");
  CHECK(value_of({.referrer_policy = "no-referrer, same-origin"}, name) ==
        "no-referrer, same-origin");
  for (const char* policy : {"none", "no-referer", "No-Referrer", "no-referrer same-origin",
                             "no-referrer\r\nX: y", "no-referrer, other"}) {
    CAPTURE(policy);
    check_refused({.referrer_policy = policy}, "referrer_policy");
  }
}

}  // namespace
}  // namespace stadion::http
