// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include <doctest/doctest.h>

#include "http/exchange.hpp"
#include "http/parser.hpp"
#include "http/service.hpp"
#include "http/session_context.hpp"
#include "net/thread_pool.hpp"
#include "net/worker.hpp"

namespace stadion::tests {

/// An exchange without a connection: its request is read from text, its handler a function.
class LoneExchange {
 public:
  explicit LoneExchange(std::string_view text, http::ServerOptions options = {})
      : service_(options), parser_(service_.options.limits), exchange_(context_) {
    parser_.begin(exchange_.arena());
    while (!text.empty()) {
      const http::Parser::Progress progress = parser_.feed(text);
      REQUIRE(progress.state != http::Parser::State::failed);
      text.remove_prefix(progress.consumed);
    }
    REQUIRE(parser_.request() != nullptr);
    exchange_.set_request(*parser_.request());
  }

  http::Exchange& operator*() noexcept { return exchange_; }
  http::Exchange* operator->() noexcept { return &exchange_; }
  /// Has the router's function answer, without what stands around it.
  http::Response& answer_by(const http::Router& router) {
    http::answer(exchange_, router.match(*parser_.request()));
    return exchange_.response();
  }

 private:
  http::Service service_;
  net::Worker worker_;
  net::ThreadPool thread_pool_;
  Arena arena_;
  http::WorkerMetrics metrics_;
  http::SessionContext context_{.worker = worker_,
                                .thread_pool = thread_pool_,
                                .service = service_,
                                .metrics = metrics_,
                                .exchanges = http::ExchangePool(arena_),
                                .date = {}};
  http::Parser parser_;
  http::Exchange exchange_;
};

}  // namespace stadion::tests
