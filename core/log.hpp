// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace stadion {

enum class LogLevel { debug, info, warning, error };

/// Receives each line that the framework logs, without its end of line. Called from any worker's
/// thread.
using LogSink = void (*)(LogLevel level, std::string_view message) noexcept;

/// Sends the framework's log somewhere else. Default is warnings and errors to stderr. From any
/// thread.
void set_log_sink(LogSink sink) noexcept;

/// Of a message that is put together from parts; the rest is left out.
inline constexpr std::size_t kLogMessageBytesMax = 2048;

void log(LogLevel level, std::string_view message) noexcept;
/// The parts are one message. Needs no memory: for those who have none to say so.
void log(LogLevel level, std::initializer_list<std::string_view> parts) noexcept;

}  // namespace stadion
