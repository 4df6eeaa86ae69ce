// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "apps/serve/access_log_file.hpp"
#include "http/server.hpp"

namespace stadion::serve {

enum class LogThreshold { debug, info, warning, error, off };

/// What conf/stadion.toml and the command line say; the initialisers are the defaults that the file
/// documents.
struct Config {
  std::vector<std::string> listen{"127.0.0.1:8080"};
  /// Served under /static/; empty for nothing.
  std::string static_directory;
  LogThreshold log_threshold = LogThreshold::info;
  /// A file's path, "-" for stdout, or empty for none.
  std::string access_log;
  AccessLogFormat access_log_format = AccessLogFormat::combined;
  /// Of responses, as clients accept it.
  bool compression = true;
  /// Of all arenas; what would pass it fails, and its request gets 503. 0 for no limit.
  std::size_t memory_bytes_max = std::size_t{2} << 30;
  http::ServerOptions server;
};

/// A fault in a configuration file: "conf/stadion.toml:12: limits.body_byte: unknown key".
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads a TOML file over the defaults. Unknown keys, wrong types and values out of range are
/// errors that name file, line and key.
Config read_config(const std::string& file_name);

/// "debug", "info", "warning", "error" or "off"; throws std::invalid_argument.
LogThreshold parse_log_threshold(const std::string& name);

}  // namespace stadion::serve
