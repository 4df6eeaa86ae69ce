// SPDX-License-Identifier: MIT
#include "http/middleware_chain.hpp"

namespace stadion::http {

void MiddlewareChain::add(const Middleware& middleware) {
  if (middleware.before) {
    before.push_back(middleware.before);
  }
  if (middleware.around) {
    around.push_back(middleware.around);
  }
  if (middleware.after) {
    after.insert(after.begin(), middleware.after);
  }
}

Flow MiddlewareChain::run_before(Exchange& exchange) const {
  for (const auto& function : before) {
    if (function(exchange) == Flow::respond) {
      return Flow::respond;
    }
  }
  return Flow::next;
}

void MiddlewareChain::run_after(Exchange& exchange) const {
  for (const auto& function : after) {
    function(exchange);
  }
}

}  // namespace stadion::http
