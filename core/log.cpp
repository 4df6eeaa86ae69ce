// SPDX-License-Identifier: MIT
#include "core/log.hpp"

#include <array>
#include <atomic>
#include <cstdio>

namespace stadion {
namespace {

void log_to_stderr(LogLevel level, std::string_view message) noexcept {
  if (level < LogLevel::warning) {
    return;
  }
  const char* name = level == LogLevel::warning ? "warning" : "error";
  std::fprintf(stderr, "stadion: %s: %.*s\n", name, static_cast<int>(message.size()),
               message.data());
}

constinit std::atomic<LogSink> current_sink{log_to_stderr};

}  // namespace

void set_log_sink(LogSink sink) noexcept {
  current_sink.store(sink != nullptr ? sink : log_to_stderr);
}

void log(LogLevel level, std::string_view message) noexcept { current_sink.load()(level, message); }

void log(LogLevel level, std::initializer_list<std::string_view> parts) noexcept {
  std::array<char, kLogMessageBytesMax> text;  // NOLINT(*-member-init): as far as it is written to.
  std::size_t size = 0;
  for (const std::string_view part : parts) {
    size += part.copy(text.data() + size, text.size() - size);
  }
  log(level, std::string_view(text.data(), size));
}

}  // namespace stadion
