// SPDX-License-Identifier: MIT
#include "http/session_context.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/log.hpp"

namespace stadion::http {
namespace {

/// It looks at every connection, so not for each request.
constexpr std::chrono::milliseconds kReliefInterval{250};

}  // namespace

void SessionContext::note_pool_bytes() noexcept {
  if (pool_arena != nullptr) {
    const std::size_t bytes = pool_arena->bytes_reserved();
    pools_bytes += bytes - std::exchange(pool_bytes_noted, bytes);
  }
}

std::size_t SessionContext::requests_bytes() noexcept {
  note_pool_bytes();
  const std::size_t all = Arena::process_bytes();
  return all - std::min<std::size_t>(all, pools_bytes);
}

bool SessionContext::relieve() {
  const auto now = std::chrono::steady_clock::now();
  if (now - relieved < kReliefInterval) {
    return false;
  }
  relieved = now;
  log(LogLevel::warning, {"requests hold ", std::to_string(requests_bytes()),
                          " bytes, which is above memory_bytes_high: idle connections are closed"});
  close_idle();
  Arena::trim();
  return requests_bytes() <= service.options.memory_bytes_high;
}

}  // namespace stadion::http
