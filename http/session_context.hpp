// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
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
  const Arena* pool_arena = nullptr;  ///< That of the Worker's connections and their buffers.
  std::size_t pool_bytes_noted = 0;

  Arena blank_arena{};
  const Request blank_request{blank_arena};  ///< For when there is no memory even for that.

  ~SessionContext() { pools_bytes -= pool_bytes_noted; }

  /// Whether there is memory for one more request: above the mark, what can be given back is. What the
  /// pools hold does not count: they never give it back, and connections_max bounds it.
  bool has_memory() {
    const std::size_t high = service.options.memory_bytes_high;
    return high == 0 || Arena::process_bytes() <= high || requests_bytes() <= high || relieve();
  }
  /// Has the other Workers know how much this one's pool holds.
  void note_pool_bytes() noexcept;

 private:
  static inline std::atomic<std::size_t> pools_bytes{0};  ///< Of all in the process.

  std::size_t requests_bytes() noexcept;
  bool relieve();
};

}  // namespace stadion::http
