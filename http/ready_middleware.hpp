// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "http/cors.hpp"
#include "http/middleware.hpp"
#include "http/rate_limiter.hpp"
#include "http/security_headers.hpp"

/// Middleware that most services want some of:
///
///     server.use(request_ids()).use(security_headers());
///     auto api = server.group("/api");
///     api.use(cors({.origins = {"https://app.example"}})).use(rate_limit({.burst = 50}));
///
/// Threads    Each may be used by several groups, and servers.
/// Throws     When made: std::invalid_argument for options that make no sense.
namespace stadion::http {

/// Lets pages of other origins in; see CorsPolicy. Answers preflights itself: 204, or 403.
Middleware cors(const CorsOptions& options);

/// Adds the fields that make browsers careful; see SecurityHeaders. A field that the handler has set
/// stays. Strict-Transport-Security is left out: this server speaks no TLS.
Middleware security_headers(const SecurityHeadersOptions& options = {});

/// Asks for a user and password (RFC 7617): 401 unless `is_known(user, password)`, which should
/// compare with equal_in_constant_time(). The user is then Exchange::user(). Passwords come in clear
/// text: only behind TLS. Throws std::invalid_argument for a realm that can't be quoted.
Middleware basic_auth(
    const std::string& realm,
    std::function<bool(std::string_view user, std::string_view password)> is_known);

/// Holds each client to a rate: 429 with Retry-After beyond it. A client is what `key_of` says, by
/// default its address, of IPv6 the first 64 bits. Behind a proxy all clients have one: then take
/// the key from a field that the proxy sets. One rate for all Workers together; see RateLimiter.
Middleware rate_limit(const RateLimiterOptions& options = {},
                      std::function<std::string_view(Exchange&)> key_of = {});

/// Gives each request its Exchange::request_id(), and the response the field X-Request-Id: the one
/// that came with the request where it is_valid_request_id(), else a new one.
Middleware request_ids();

/// Gives handlers so much time to begin their response, in place of Times::handler_max: 503 beyond.
Middleware time_limit(std::chrono::milliseconds time);

}  // namespace stadion::http
