// SPDX-License-Identifier: MIT
#include "http/metrics.hpp"

#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace stadion::http {
namespace {

/// The samples of a text in Prometheus' format; checks the format of each line.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> samples;
  std::set<std::string> described;
  REQUIRE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch parts;
    if (std::regex_match(line, parts, std::regex(R"(# HELP (stadion_[a-z_]+) \S.*)"))) {
      CHECK(described.insert(parts[1]).second);
    } else if (std::regex_match(
                   line, parts,
                   std::regex(R"(# TYPE (stadion_[a-z_]+) (counter|gauge|histogram))"))) {
      CHECK(described.count(parts[1]) == 1);
    } else {
      const std::regex sample(
          R"(((stadion_[a-z_]+?)(_bucket|_sum|_count)?(\{[a-z]+="[^"]+"\})?) ([0-9.]+))");
      REQUIRE(std::regex_match(line, parts, sample));
      const bool is_described =
          described.count(parts[2]) == 1 || described.count(parts[2].str() + parts[3].str()) == 1;
      CHECK(is_described);
      CHECK(samples.emplace(parts[1], std::stod(parts[5])).second);
    }
  }
  return samples;
}

TEST_CASE("metrics: responses are counted by status; codes that there are not, not at all") {
  WorkerMetrics metrics;
  metrics.record_response(Status::ok);
  metrics.record_response(Status::ok);
  metrics.record_response(Status::not_found);
  metrics.record_response(Status{100});
  metrics.record_response(Status{599});
  metrics.record_response(Status{99});
  metrics.record_response(Status{600});
  metrics.record_response(Status{0});
  metrics.record_response(Status{65535});
  ServerStatistics statistics;
  statistics.add(metrics);
  CHECK(statistics.responses() == 5);
  CHECK(statistics.responses_by_status[200 - kStatusMin] == 2);
  CHECK(statistics.responses_by_status[404 - kStatusMin] == 1);
  CHECK(statistics.responses_by_status.front() == 1);
  CHECK(statistics.responses_by_status.back() == 1);
}

TEST_CASE("metrics: the numbers of several Workers add up") {
  WorkerMetrics first;
  WorkerMetrics second;
  first.record_response(Status::ok);
  second.record_response(Status::ok);
  first.request_memory.record(1000);
  second.request_memory.record(5000);
  ServerStatistics statistics;
  statistics.add(first);
  statistics.add(second);
  CHECK(statistics.responses() == 2);
  CHECK(statistics.request_memory.sum == 6000);
  CHECK(statistics.request_memory.counts[0] == 1);
  CHECK(statistics.request_memory.counts[2] == 1);
}

TEST_CASE("metrics: the text is Prometheus', with every number") {
  WorkerMetrics metrics;
  metrics.record_response(Status::ok);
  metrics.record_response(Status::ok);
  metrics.record_response(Status::internal_server_error);
  for (const std::uint64_t bytes : {1U, 1024U, 1025U, 20'000U, 100'000'000U}) {
    metrics.request_memory.record(bytes);
  }
  ServerStatistics statistics;
  statistics.add(metrics);
  statistics.connections = {.active = 3,
                            .max_connections = 100,
                            .peak = 9,
                            .added = 10,
                            .removed = 7,
                            .refused = 2,
                            .timed_out = 1,
                            .bytes_in = 1234,
                            .bytes_out = 5678};
  statistics.workers = 4;
  statistics.uptime_seconds = 1.5;
  statistics.arenas_live = 6;
  statistics.arena_bytes_live = 70'000;

  const std::map<std::string, double> expected{
      {"stadion_http_requests_total{status=\"200\"}", 2},
      {"stadion_http_requests_total{status=\"500\"}", 1},
      {"stadion_request_memory_bytes_bucket{le=\"1024\"}", 2},
      {"stadion_request_memory_bytes_bucket{le=\"4096\"}", 3},
      {"stadion_request_memory_bytes_bucket{le=\"16384\"}", 3},
      {"stadion_request_memory_bytes_bucket{le=\"65536\"}", 4},
      {"stadion_request_memory_bytes_bucket{le=\"262144\"}", 4},
      {"stadion_request_memory_bytes_bucket{le=\"1048576\"}", 4},
      {"stadion_request_memory_bytes_bucket{le=\"4194304\"}", 4},
      {"stadion_request_memory_bytes_bucket{le=\"16777216\"}", 4},
      {"stadion_request_memory_bytes_bucket{le=\"+Inf\"}", 5},
      {"stadion_request_memory_bytes_sum", 100'022'050},
      {"stadion_request_memory_bytes_count", 5},
      {"stadion_connections", 3},
      {"stadion_connections_max", 100},
      {"stadion_connections_accepted_total", 10},
      {"stadion_connections_refused_total", 2},
      {"stadion_connections_timed_out_total", 1},
      {"stadion_bytes_received_total", 1234},
      {"stadion_bytes_sent_total", 5678},
      {"stadion_arenas_live", 6},
      {"stadion_arena_bytes", 70'000},
      {"stadion_workers", 4},
      {"stadion_uptime_seconds", 1.5},
  };
  const std::map<std::string, double> samples = samples_of(to_prometheus(statistics));
  for (const auto& sample : expected) {
    CAPTURE(sample.first);
    REQUIRE(samples.count(sample.first) == 1);
    CHECK(samples.at(sample.first) == doctest::Approx(sample.second));
  }
  CHECK(samples.size() == expected.size());
}

}  // namespace
}  // namespace stadion::http
