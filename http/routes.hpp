// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <utility>

#include "http/handler.hpp"
#include "http/method.hpp"
#include "http/middleware.hpp"

namespace stadion::http {

class Router;
struct RouteGroup;

/// Where routes and middleware are added: a server's own, or a group of them with a prefix.
///
///     auto api = server.group("/api");
///     api.use(cors({.origins = {"https://example.org"}}));
///     api.get("/users/{id}", show_user);
///     api.post("/photos", take_photo, {.body = BodyMode::streamed, .body_bytes_max = 10 << 20});
///
/// Lifetime   That of its server; it may be copied.
/// Threads    One, before the server starts.
/// Throws     std::invalid_argument, as Router says.
class Routes {
 public:
  /// Adds a handler for a pattern such as "/users/{id}"; see Router. In a group, the pattern is what
  /// follows the group's prefix, and may be empty.
  Routes& route(Method method, std::string_view pattern, Handler handler,
                const RouteOptions& options = {});
  Routes& get(std::string_view pattern, Handler handler, const RouteOptions& options = {}) {
    return route(Method::get, pattern, std::move(handler), options);
  }
  Routes& post(std::string_view pattern, Handler handler, const RouteOptions& options = {}) {
    return route(Method::post, pattern, std::move(handler), options);
  }
  Routes& put(std::string_view pattern, Handler handler, const RouteOptions& options = {}) {
    return route(Method::put, pattern, std::move(handler), options);
  }
  Routes& patch(std::string_view pattern, Handler handler, const RouteOptions& options = {}) {
    return route(Method::patch, pattern, std::move(handler), options);
  }
  Routes& del(std::string_view pattern, Handler handler, const RouteOptions& options = {}) {
    return route(Method::delete_, pattern, std::move(handler), options);
  }

  /// Puts middleware around all that is here, whether it was added before or after, groups included.
  Routes& use(Middleware middleware);

  /// The routes whose paths begin with this prefix, "/api", and, where a route of theirs does not say
  /// otherwise, these options.
  Routes group(std::string_view prefix, const RouteOptions& options = {});

 protected:
  Routes(Router& router, RouteGroup& group) noexcept : router_(&router), group_(&group) {}

 private:
  friend class Router;

  Router* router_;
  RouteGroup* group_;
};

}  // namespace stadion::http
