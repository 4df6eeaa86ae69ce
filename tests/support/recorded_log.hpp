// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace stadion::tests {

/// Keeps what is logged while it lives, instead of writing it to stderr. One at a time.
///
/// Threads    Any.
class RecordedLog {
 public:
  RecordedLog() {
    (void)take();
    set_log_sink(record);
  }
  ~RecordedLog() { set_log_sink(nullptr); }

  RecordedLog(const RecordedLog&) = delete;
  RecordedLog& operator=(const RecordedLog&) = delete;

  std::vector<std::pair<LogLevel, std::string>> lines() const {
    const std::lock_guard lock(mutex);
    return recorded;
  }
  /// How many lines of this level contain the text.
  std::size_t count(LogLevel level, std::string_view text) const {
    std::size_t found = 0;
    for (const auto& [line_level, line] : lines()) {
      found += line_level == level && line.find(text) != std::string::npos ? 1U : 0U;
    }
    return found;
  }

 private:
  static std::vector<std::pair<LogLevel, std::string>> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(recorded, {});
  }
  static void record(LogLevel level, std::string_view message) noexcept {
    const std::lock_guard lock(mutex);
    recorded.emplace_back(level, message);
  }

  static inline std::mutex mutex;
  static inline std::vector<std::pair<LogLevel, std::string>> recorded;
};

}  // namespace stadion::tests
