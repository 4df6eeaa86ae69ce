// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/method.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace stadion::http {

/// Answers a request. Called on the connection's Worker, so several run at a time when there are
/// several Workers. An exception becomes a 500 (an ArenaFailed a 503) in place of what the response
/// said so far.
using Handler = std::function<void(const Request& request, Response& response)>;

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
class Router {
 public:
  Router();
  ~Router();

  /// Throws std::invalid_argument for a malformed pattern, a second handler for the same method and
  /// pattern, or a pattern that differs from an earlier one in a parameter's name alone.
  void add(Method method, std::string_view pattern, Handler handler);

  /// Runs the handler for the request, or answers 404, 405, OPTIONS, or 400 for a malformed escape
  /// in its path. What the handler throws passes through. Sets the request's parameters.
  void route(Request& request, Response& response) const;

  /// "GET /users/{id}" of every route, in the order in which they were added.
  const std::vector<std::string>& descriptions() const noexcept { return descriptions_; }

 private:
  struct Node;
  struct Search;

  Node& child_for(Node& node, std::string_view segment, std::string_view pattern);

  std::unique_ptr<Node> root_;
  std::vector<std::string> descriptions_;
};

}  // namespace stadion::http
