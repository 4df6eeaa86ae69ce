// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.hpp"
#include "http/method.hpp"
#include "http/middleware.hpp"
#include "http/path_index.hpp"
#include "http/request.hpp"
#include "http/route_match.hpp"
#include "http/routes.hpp"

namespace stadion::http {

/// Finds the handler for a request's method and path.
///
/// A pattern is a path whose segments are literal text, `{name}` for one segment that is not empty,
/// or, at its end, `{*name}` for whatever follows its slash: "/users/{id}", "/static/{*path}". The
/// most specific pattern wins, segment by segment: text before `{name}` before `{*name}`. A path is
/// split into segments before their escapes are decoded, so that "%2F" is no separator. Paths are
/// taken literally otherwise: "/a" and "/a/" are two.
///
/// Without a route of their own, HEAD is answered by GET's handler, and OPTIONS with the methods
/// that there are.
///
/// Threads    Routes are added before the server starts; finding is safe from any thread.
/// Limits     A pattern has at most 64 segments, 16 of them parameters.
class Router {
 public:
  Router();
  ~Router();

  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Where routes are added that are in no group.
  Routes routes() noexcept { return {*this, *groups_.front()}; }

  /// What Routes does for one of its groups. Throws std::invalid_argument for a malformed pattern or
  /// prefix, a second handler for the same method and pattern, or a pattern that differs from an
  /// earlier one in a parameter's name alone; nothing was added then.
  void add(RouteGroup& group, Method method, std::string_view pattern, Handler handler,
           const RouteOptions& options);
  void use(RouteGroup& group, Middleware middleware);
  RouteGroup& add_group(RouteGroup& parent, std::string_view prefix, const RouteOptions& options);

  /// The route for the request, whose parameters it sets; or what to answer without one: 404, 405,
  /// 204 for OPTIONS, 400 for a malformed escape in its path. Throws ArenaFailed.
  RouteMatch match(Request& request) const;

  /// "GET /users/{id}" of every route, in the order in which they were added.
  const std::vector<std::string>& descriptions() const noexcept { return descriptions_; }

 private:
  struct Node;
  struct Search;

  /// How many parameters it has.
  static std::size_t check_pattern(std::string_view pattern, const Handler& handler);
  Node& child_for(Node& node, std::string_view segment, std::string_view pattern);
  const RouteGroup& group_of(std::string_view path) const noexcept;

  std::unique_ptr<Node> root_;
  PathIndex<const Node>
      literals_;  ///< The tree's, of patterns that are text alone: most requests'.
  std::size_t parameters_max_ = 0;                   ///< Of any pattern.
  std::vector<std::unique_ptr<RouteGroup>> groups_;  ///< Each behind the one that it is in.
  std::vector<std::string> descriptions_;
};

/// The value of an Allow field, in the arena; what the server answers by itself is in it.
std::string_view allowed_methods(MethodSet methods, Arena& arena);

}  // namespace stadion::http
