// SPDX-License-Identifier: MIT
#include "http/session_context.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>

#include "core/arena.hpp"
#include "http/service.hpp"
#include "net/thread_pool.hpp"
#include "net/worker.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;
using tests::RecordedLog;

/// A session context without sessions, whose mark is moved about what the arenas hold.
class MemoryMark : LiveArenas {
 protected:
  MemoryMark() {
    context.close_idle = [this] {
      ++reliefs;
      given_back.reset();
    };
    CHECK(arena.alloc(1'000'000) != nullptr);
    Arena::trim();  // From here on what the arenas hold does not change by itself.
  }

  bool has_memory_with_mark_at(std::size_t bytes) {
    service.options.memory_bytes_high = bytes;
    context.relieved = {};  // As if the last relief were long ago.
    return context.has_memory();
  }
  std::size_t log_lines() const { return log.count(LogLevel::warning, "memory_bytes_high"); }

  RecordedLog log;
  Arena arena;
  Service service{ServerOptions{}};
  net::Worker worker;
  net::ThreadPool thread_pool;
  WorkerMetrics metrics;
  SessionContext context{.worker = worker,
                         .thread_pool = thread_pool,
                         .service = service,
                         .metrics = metrics,
                         .exchanges = ExchangePool(arena),
                         .date = {}};
  std::size_t reliefs = 0;
  std::optional<Arena> given_back;  ///< By the connections that are closed.
};

TEST_CASE_FIXTURE(MemoryMark, "memory mark: one below what the arenas hold, at it, and one above") {
  const std::size_t held = Arena::process_bytes();
  CHECK(has_memory_with_mark_at(held + 1));
  CHECK(has_memory_with_mark_at(held));
  CHECK(reliefs == 0);
  CHECK_FALSE(has_memory_with_mark_at(held - 1));
  CHECK(reliefs == 1);
  CHECK(log_lines() == 1);
  CHECK(has_memory_with_mark_at(0));  // No mark.
  CHECK(has_memory_with_mark_at(held));
  CHECK(reliefs == 1);
}

TEST_CASE_FIXTURE(MemoryMark, "memory mark: relief is enough when the arenas come down to it") {
  for (const std::size_t above : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(above);
    const std::size_t before = Arena::process_bytes();
    given_back.emplace();
    CHECK(given_back->alloc(10'000'000) != nullptr);
    CHECK(has_memory_with_mark_at(before - above) == (above == 0));
    CHECK(Arena::process_bytes() == before);
    CHECK(reliefs == 1 + above);
  }
}

TEST_CASE_FIXTURE(MemoryMark, "memory mark: there is no relief so soon after the last") {
  using Clock = std::chrono::steady_clock;
  service.options.memory_bytes_high = Arena::process_bytes() - 1;
  context.relieved = Clock::now() + std::chrono::hours(1);  // However slow the test is.
  CHECK_FALSE(context.has_memory());
  CHECK(reliefs == 0);
  context.relieved = Clock::now() - std::chrono::milliseconds(250);
  CHECK_FALSE(context.has_memory());
  CHECK(reliefs == 1);
}

}  // namespace
}  // namespace stadion::http
