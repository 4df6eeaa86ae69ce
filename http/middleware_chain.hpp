// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "core/task.hpp"
#include "http/handler.hpp"
#include "http/middleware.hpp"

namespace stadion::http {

/// The middleware of a group and of those that it is in, outermost first. Internal to http/.
struct MiddlewareChain {
  std::vector<std::function<Flow(Exchange&)>> before;
  std::vector<std::function<Task<>(Exchange&, Next)>> around;
  std::vector<std::function<void(Exchange&)>> after;  ///< Innermost first.

  void add(const Middleware& middleware);

  Flow run_before(Exchange& exchange) const;
  void run_after(Exchange& exchange) const;
};

}  // namespace stadion::http
