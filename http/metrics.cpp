// SPDX-License-Identifier: MIT
#include "http/metrics.hpp"

#include <numeric>
#include <string_view>

namespace stadion::http {
namespace {

class PrometheusText {
 public:
  void describe(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  template <class Number>
  void sample(std::string_view name, Number value) {
    text_.append(name).append(" ").append(std::to_string(value)).append("\n");
  }
  template <class Number>
  void metric(std::string_view name, std::string_view type, std::string_view help, Number value) {
    describe(name, type, help);
    sample(name, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void put_responses(PrometheusText& text, const ServerStatistics& statistics) {
  text.describe("stadion_http_requests_total", "counter", "Requests answered, by status code.");
  for (std::size_t i = 0; i < statistics.responses_by_status.size(); ++i) {
    if (statistics.responses_by_status[i] > 0) {
      text.sample("stadion_http_requests_total{status=\"" + std::to_string(kStatusMin + i) + "\"}",
                  statistics.responses_by_status[i]);
    }
  }
}

void put_request_memory(PrometheusText& text, const RequestMemoryHistogram::Snapshot& histogram) {
  text.describe("stadion_request_memory_bytes", "histogram", "Arena bytes that a request used.");
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < kRequestMemoryBounds.size(); ++i) {
    cumulative += histogram.counts[i];
    text.sample("stadion_request_memory_bytes_bucket{le=\"" +
                    std::to_string(kRequestMemoryBounds[i]) + "\"}",
                cumulative);
  }
  cumulative += histogram.counts.back();
  text.sample("stadion_request_memory_bytes_bucket{le=\"+Inf\"}", cumulative);
  text.sample("stadion_request_memory_bytes_sum", histogram.sum);
  text.sample("stadion_request_memory_bytes_count", cumulative);
}

void put_connections(PrometheusText& text, const pool::SocketPoolStatistics& pool) {
  text.metric("stadion_connections", "gauge", "Open connections.", pool.active);
  text.metric("stadion_connections_max", "gauge", "Connections that there may be.",
              pool.max_connections);
  text.metric("stadion_connections_accepted_total", "counter", "Connections taken.", pool.added);
  text.metric("stadion_connections_refused_total", "counter",
              "Connections closed at once: the pool was full, or their client had too many.",
              pool.refused);
  text.metric("stadion_connections_timed_out_total", "counter",
              "Connections closed for their slowness.", pool.timed_out);
  text.metric("stadion_bytes_received_total", "counter", "Bytes read from connections.",
              pool.bytes_in);
  text.metric("stadion_bytes_sent_total", "counter", "Bytes written to connections.",
              pool.bytes_out);
}

}  // namespace

std::uint64_t ServerStatistics::responses() const noexcept {
  return std::accumulate(responses_by_status.begin(), responses_by_status.end(), std::uint64_t{0});
}

void ServerStatistics::add(const WorkerMetrics& metrics) noexcept {
  for (std::size_t i = 0; i < responses_by_status.size(); ++i) {
    responses_by_status[i] += metrics.responses_by_status[i].value();
  }
  request_memory += metrics.request_memory.snapshot();
}

std::string to_prometheus(const ServerStatistics& statistics) {
  PrometheusText text;
  put_responses(text, statistics);
  put_request_memory(text, statistics.request_memory);
  put_connections(text, statistics.connections);
  text.metric("stadion_arenas_live", "gauge", "Arenas made and not disposed.",
              statistics.arenas_live);
  text.metric("stadion_arena_bytes", "gauge", "Bytes of all chunks of live arenas.",
              statistics.arena_bytes_live);
  text.metric("stadion_workers", "gauge", "Threads that serve connections.", statistics.workers);
  text.metric("stadion_uptime_seconds", "gauge", "Since the server started.",
              statistics.uptime_seconds);
  return text.take();
}

}  // namespace stadion::http
