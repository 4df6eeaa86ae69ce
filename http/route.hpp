// SPDX-License-Identifier: MIT
#pragma once

#include "http/handler.hpp"
#include "http/middleware_chain.hpp"

namespace stadion::http {

/// What is done for one method and pattern. Internal to http/.
struct Route {
  Handler handler;
  RouteOptions options;
  const MiddlewareChain* chain = nullptr;
};

}  // namespace stadion::http
