// SPDX-License-Identifier: MIT
#include "http/ready_middleware.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <mutex>
#include <utility>

#include "http/basic_auth.hpp"
#include "http/request_id.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kRequestId = "X-Request-Id";

/// The address without its port; of IPv6 the network's 64 bits, which one client has all of, but for an
/// IPv4 address as a socket for both has it.
std::string_view client_of(Exchange& exchange) {
  std::string_view address = exchange.remote_address();
  address = address.substr(0, address.rfind(':'));
  if (!address.starts_with('[')) {
    return address;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  address.substr(1, address.size() - 2).copy(text.data(), text.size() - 1);
  in6_addr binary{};
  if (::inet_pton(AF_INET6, text.data(), &binary) != 1) {
    return address;
  }
  const auto* bytes = reinterpret_cast<const char*>(&binary);
  const std::string_view client =
      IN6_IS_ADDR_V4MAPPED(&binary) ? std::string_view(bytes + 12, 4) : std::string_view(bytes, 8);
  return exchange.arena().copy(client);
}

void refuse_for_now(Exchange& exchange, std::chrono::seconds retry_after) {
  exchange.fail(Status::too_many_requests, "Too many requests: come again later.\n");
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), retry_after.count()).ptr;
  exchange.response().set_header("Retry-After",
                                 {text.data(), static_cast<std::size_t>(end - text.data())});
}

void ensure_request_id(Exchange& exchange) {
  if (exchange.request_id().empty()) {
    thread_local RequestIdGenerator generator;
    const std::string_view given =
        exchange.request().header(kRequestId).value_or(std::string_view());
    exchange.set_request_id(is_valid_request_id(given) ? given : generator.next(exchange.arena()));
  }
}

}  // namespace

// The fields are added at the end, so that an error response has them, too.
Middleware cors(const CorsOptions& options) {
  const auto policy = std::make_shared<const CorsPolicy>(options);
  return {.before =
              [policy](Exchange& exchange) {
                const Request& request = exchange.request();
                switch (policy->decide(request.method(), request.headers()).verdict) {
                  case CorsVerdict::pass: return Flow::next;
                  case CorsVerdict::preflight_allowed:
                    exchange.response().status(Status::no_content);
                    return Flow::respond;
                  case CorsVerdict::preflight_refused:
                    exchange.fail(Status::forbidden, "This origin may not ask for this.\n");
                    return Flow::respond;
                }
                return Flow::next;
              },
          .after =
              [policy](Exchange& exchange) {
                const Request& request = exchange.request();
                const CorsDecision decision = policy->decide(request.method(), request.headers());
                for (const Field& field : decision.fields()) {
                  equals_ignoring_case(field.name, "vary")
                      ? exchange.response().vary(field.value)
                      : exchange.response().set_header(field.name, field.value);
                }
              }};
}

Middleware security_headers(const SecurityHeadersOptions& options) {
  const auto headers = std::make_shared<const SecurityHeaders>(options);
  return {.after = [headers](Exchange& exchange) {
    Response& response = exchange.response();
    for (const Field& field : headers->for_http()) {
      if (!response.headers().contains(field.name)) {
        response.header(field.name, field.value);
      }
    }
  }};
}

Middleware basic_auth(
    const std::string& realm,
    std::function<bool(std::string_view user, std::string_view password)> is_known) {
  Arena arena;
  const std::string challenge(basic_challenge(realm, arena));
  return {.before = [challenge, is_known = std::move(is_known)](Exchange& exchange) {
    if (const auto authorization = exchange.request().header("Authorization")) {
      const auto credentials = parse_basic_credentials(*authorization, exchange.arena());
      if (credentials.has_value() && is_known(credentials->user, credentials->password)) {
        exchange.set_user(credentials->user);
        return Flow::next;
      }
    }
    exchange.fail(Status::unauthorized, "Who are you?\n");
    exchange.response().set_header("WWW-Authenticate", challenge);
    return Flow::respond;
  }};
}

Middleware rate_limit(const RateLimiterOptions& options,
                      std::function<std::string_view(Exchange&)> key_of) {
  struct Shared {
    explicit Shared(const RateLimiterOptions& limits) : limiter(limits) {}
    std::mutex mutex;
    RateLimiter limiter;
  };
  const auto shared = std::make_shared<Shared>(options);
  if (!key_of) {
    key_of = client_of;
  }
  return {.before = [shared, key_of = std::move(key_of)](Exchange& exchange) {
    const std::string_view key = key_of(exchange);
    RateVerdict verdict;
    {
      const std::lock_guard lock(shared->mutex);
      verdict = shared->limiter.admit(key, RateLimiter::Clock::now());
    }
    if (verdict.is_allowed) {
      return Flow::next;
    }
    refuse_for_now(exchange, verdict.retry_after);
    return Flow::respond;
  }};
}

Middleware request_ids() {
  return {
      .before =
          [](Exchange& exchange) {
            ensure_request_id(exchange);
            return Flow::next;
          },
      .after =
          [](Exchange& exchange) {
            ensure_request_id(exchange);  // Refused before this middleware was asked, it has none.
            exchange.response().set_header(kRequestId, exchange.request_id());
          }};
}

Middleware time_limit(std::chrono::milliseconds time) {
  return {.before = [time](Exchange& exchange) {
    exchange.limit_time(time);
    return Flow::next;
  }};
}

}  // namespace stadion::http
