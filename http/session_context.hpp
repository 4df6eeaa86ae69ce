// SPDX-License-Identifier: MIT
#pragma once

#include "http/date.hpp"
#include "http/exchange_pool.hpp"
#include "http/metrics.hpp"
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
  bool is_stopping = false;
};

}  // namespace stadion::http
