// SPDX-License-Identifier: MIT
#include "http/session_context.hpp"

#include <string>

#include "core/log.hpp"

namespace stadion::http {
namespace {

/// It looks at every connection, so not for each request.
constexpr std::chrono::milliseconds kReliefInterval{250};

}  // namespace

bool SessionContext::relieve() {
  const auto now = std::chrono::steady_clock::now();
  if (now - relieved < kReliefInterval) {
    return false;
  }
  relieved = now;
  log(LogLevel::warning,
      "the arenas hold " + std::to_string(Arena::process_bytes()) +
          " bytes, which is above memory_bytes_high: idle connections are closed");
  close_idle();
  Arena::trim();
  return Arena::process_bytes() <= service.options.memory_bytes_high;
}

}  // namespace stadion::http
