// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>

#include "core/arena.hpp"
#include "http/date.hpp"
#include "http/exchange_pool.hpp"
#include "http/metrics.hpp"
#include "http/request.hpp"
#include "http/service.hpp"
#include "net/thread_pool.hpp"
#include "net/worker.hpp"

namespace stadion::http {

/// What all sessions of one Worker share.
struct SessionContext {
  net::Worker& worker;
  net::ThreadPool& thread_pool;
  const Service& service;
  WorkerMetrics& metrics;
  ExchangePool exchanges;
  DateLine date;
  std::function<void()> close_idle{};  ///< All connections without a request.
  std::chrono::steady_clock::time_point relieved{};
  bool is_stopping = false;

  Arena blank_arena{};
  const Request blank_request{blank_arena};  ///< For when there is no memory even for that.

  /// Whether there is memory for one more request: above the mark, what can be given back is.
  bool has_memory() {
    const std::size_t high = service.options.memory_bytes_high;
    return high == 0 || Arena::process_bytes() <= high || relieve();
  }

 private:
  bool relieve();
};

}  // namespace stadion::http
