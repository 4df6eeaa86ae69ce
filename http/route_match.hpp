// SPDX-License-Identifier: MIT
#pragma once

#include "http/method.hpp"
#include "http/status.hpp"

namespace stadion::http {

struct MiddlewareChain;
struct Route;

/// What the Router knows of a request. Internal to http/.
struct RouteMatch {
  const Route* route = nullptr;  ///< Null when there is none; then `status` says what to answer.
  const MiddlewareChain* chain = nullptr;
  Status status = Status::ok;
  MethodSet allowed{};  ///< With 405, and 204 for OPTIONS.
};

}  // namespace stadion::http
