// SPDX-License-Identifier: MIT
#include "http/limits.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "http/server_options.hpp"

namespace stadion::http {
namespace {

using namespace std::chrono_literals;

TEST_CASE("limits: the defaults are those that are documented") {
  const Limits limits;
  CHECK(limits.head_bytes_max == 16 * 1024);
  CHECK(limits.target_bytes_max == 8 * 1024);
  CHECK(limits.fields_max == 100);
  CHECK(limits.body_bytes_max == 1024 * 1024);
  CHECK(limits.chunk_extension_bytes_max == 1024);
  CHECK(limits.trailer_bytes_max == 4 * 1024);
  CHECK(limits.request_memory_bytes_max == 8 * 1024 * 1024);
  CHECK(limits.pipelined_requests_max == 64);
  CHECK(limits.requests_per_connection_max == 0);

  const Times times;
  CHECK(times.head_read_max == 10s);
  CHECK(times.body_read_grace == 10s);
  CHECK(times.body_bytes_per_second_min == 1024);
  CHECK(times.handler_max == 60s);
  CHECK(times.idle_max == 60s);
  CHECK(times.write_stalled_max == 30s);
  CHECK(times.write_bytes_per_second_min == 1024);
  CHECK(times.linger_max == 2s);
  CHECK(times.drain_max == 30s);

  const ServerOptions options;
  CHECK(options.connections_max == 10'000);
  CHECK(options.connections_per_address_max == 0);
  CHECK(options.accepts_per_second_max == 0);
  CHECK(options.memory_bytes_high == 1024 * 1024 * 1024);
  CHECK(options.buffer_bytes == 16 * 1024);
}

}  // namespace
}  // namespace stadion::http
