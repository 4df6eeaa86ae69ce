// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/counter.hpp"
#include "http/status.hpp"
#include "pool/socket_pool.hpp"

namespace stadion::http {

/// Upper bounds of the request-memory histogram's buckets, in bytes.
inline constexpr std::array<std::uint64_t, 8> kRequestMemoryBounds{
    1024, 4096, 16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024, 4096 * 1024, 16384 * 1024};
using RequestMemoryHistogram = Histogram<kRequestMemoryBounds.size()>;

/// What one Worker counts; any thread may read.
struct WorkerMetrics {
  std::array<Counter, kStatusMax - kStatusMin + 1> responses_by_status;
  /// Arena bytes used by each request, when it ends.
  RequestMemoryHistogram request_memory{kRequestMemoryBounds};

  void record_response(Status status) noexcept {
    if (code_of(status) >= kStatusMin && code_of(status) <= kStatusMax) {
      responses_by_status[code_of(status) - kStatusMin].increment();
    }
  }
};

/// A server's numbers at one moment, all Workers together.
struct ServerStatistics {
  std::array<std::uint64_t, kStatusMax - kStatusMin + 1> responses_by_status{};
  RequestMemoryHistogram::Snapshot request_memory;
  pool::SocketPoolStatistics connections;
  std::uint64_t workers = 0;
  double uptime_seconds = 0;
  std::uint64_t arenas_live = 0;       ///< Process-wide.
  std::uint64_t arena_bytes_live = 0;  ///< Process-wide.

  std::uint64_t responses() const noexcept;
  void add(const WorkerMetrics& metrics) noexcept;
};

/// In Prometheus' text format, version 0.0.4; every name begins with `stadion_`.
std::string to_prometheus(const ServerStatistics& statistics);

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace stadion::http
