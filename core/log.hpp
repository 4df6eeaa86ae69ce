// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace stadion {

enum class LogLevel { debug, info, warning, error };

/// Receives each line that the framework logs, without its end of line. Called from any worker's
/// thread.
using LogSink = void (*)(LogLevel level, std::string_view message) noexcept;

/// Sends the framework's log somewhere else. Default is warnings and errors to stderr. From any
/// thread.
void set_log_sink(LogSink sink) noexcept;

void log(LogLevel level, std::string_view message) noexcept;

}  // namespace stadion
