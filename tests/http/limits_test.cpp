// SPDX-License-Identifier: MIT
#include "http/limits.hpp"

#include <doctest/doctest.h>

#include <chrono>

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

  const Times times;
  CHECK(times.head_read_max == 10s);
  CHECK(times.body_read_grace == 10s);
  CHECK(times.body_bytes_per_second_min == 1024);
  CHECK(times.idle_max == 60s);
  CHECK(times.write_stalled_max == 30s);
  CHECK(times.linger_max == 2s);
  CHECK(times.drain_max == 30s);
}

}  // namespace
}  // namespace stadion::http
