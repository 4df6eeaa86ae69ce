// SPDX-License-Identifier: MIT
#include "apps/serve/config.hpp"

#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace stadion::serve {
namespace {

using std::chrono::milliseconds;

/// What a key's value is put into; throws ConfigError, but for the place, which the caller adds.
using Setter = std::function<void(const toml::node& value)>;
using Keys = std::map<std::string, Setter, std::less<>>;

template <class T>
T value_of(const toml::node& node, const char* expected) {
  const auto value = node.value_exact<T>();
  if (!value.has_value()) {
    throw ConfigError(std::string("expected ") + expected);
  }
  return *value;
}

Setter into(std::size_t& target, std::int64_t min = 0, std::int64_t max = std::int64_t{1} << 40) {
  return [&target, min, max](const toml::node& node) {
    const auto value = value_of<std::int64_t>(node, "a whole number");
    if (value < min || value > max) {
      throw ConfigError("expected a number from " + std::to_string(min) + " to " +
                        std::to_string(max) + ", not " + std::to_string(value));
    }
    target = static_cast<std::size_t>(value);
  };
}

Setter into(milliseconds& target) {
  return [&target](const toml::node& node) {
    std::size_t count = 0;
    into(count, 0, std::int64_t{24} * 3600 * 1000)(node);
    target = milliseconds(count);
  };
}

Setter into(std::string& target) {
  return [&target](const toml::node& node) { target = value_of<std::string>(node, "a string"); };
}

Setter into(LogThreshold& target) {
  return [&target](const toml::node& node) {
    try {
      target = parse_log_threshold(value_of<std::string>(node, "a string"));
    } catch (const std::invalid_argument& error) {
      throw ConfigError(error.what());
    }
  };
}

Setter into(bool& target) {
  return [&target](const toml::node& node) { target = value_of<bool>(node, "true or false"); };
}

Setter into(AccessLogFormat& target) {
  return [&target](const toml::node& node) {
    const auto name = value_of<std::string>(node, "a string");
    if (name != "combined" && name != "json") {
      throw ConfigError("expected combined or json, not '" + name + "'");
    }
    target = name == "json" ? AccessLogFormat::json : AccessLogFormat::combined;
  };
}

Setter into(std::vector<std::string>& target) {
  return [&target](const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->empty()) {
      throw ConfigError("expected an array of strings");
    }
    target.clear();
    for (const toml::node& element : *array) {
      target.push_back(value_of<std::string>(element, "an array of strings"));
    }
  };
}

Keys keys_of(Config& config) {
  http::ServerOptions& server = config.server;
  http::Limits& limits = server.limits;
  http::Times& times = server.times;
  return {
      {"listen", into(config.listen)},
      {"static_directory", into(config.static_directory)},
      {"log_level", into(config.log_threshold)},
      {"access_log", into(config.access_log)},
      {"access_log_format", into(config.access_log_format)},
      {"compression", into(config.compression)},
      {"offload_threads", into(server.offload_threads, 1, 1024)},
      {"offload_queue_max", into(server.offload_queue_max, 1, 1'000'000)},
      {"serves_half_closed", into(server.serves_half_closed)},
      {"reuse_port", into(server.reuse_port)},
      {"workers", into(server.workers, 0, 1024)},
      {"connections_max", into(server.connections_max, 1, 1'000'000)},
      {"connections_per_address_max", into(server.connections_per_address_max, 0, 1'000'000)},
      {"accepts_per_second_max", into(server.accepts_per_second_max, 0, 1'000'000)},
      {"memory_bytes_high", into(server.memory_bytes_high)},
      {"memory_bytes_max", into(config.memory_bytes_max)},
      {"buffer_bytes", into(server.buffer_bytes, 2048, 16 * 1024 * 1024)},
      {"limits.head_bytes_max", into(limits.head_bytes_max, 64)},
      {"limits.target_bytes_max", into(limits.target_bytes_max, 1)},
      {"limits.fields_max", into(limits.fields_max, 1)},
      {"limits.body_bytes_max", into(limits.body_bytes_max)},
      {"limits.chunk_extension_bytes_max", into(limits.chunk_extension_bytes_max)},
      {"limits.trailer_bytes_max", into(limits.trailer_bytes_max, 2)},
      {"limits.request_memory_bytes_max", into(limits.request_memory_bytes_max)},
      {"limits.pipelined_requests_max", into(limits.pipelined_requests_max, 1)},
      {"limits.requests_per_connection_max", into(limits.requests_per_connection_max)},
      {"times.head_read_ms_max", into(times.head_read_max)},
      {"times.body_read_grace_ms", into(times.body_read_grace)},
      {"times.body_bytes_per_second_min", into(times.body_bytes_per_second_min, 1)},
      {"times.handler_ms_max", into(times.handler_max)},
      {"times.idle_ms_max", into(times.idle_max)},
      {"times.write_stalled_ms_max", into(times.write_stalled_max)},
      {"times.write_bytes_per_second_min", into(times.write_bytes_per_second_min)},
      {"times.linger_ms_max", into(times.linger_max)},
      {"times.drain_ms_max", into(times.drain_max)},
  };
}

[[noreturn]] void fail(const std::string& file_name, const toml::source_region& where,
                       const std::string& what) {
  throw ConfigError(file_name + ":" + std::to_string(where.begin.line) + ": " + what);
}

bool is_section(const Keys& keys, const std::string& name) {
  const auto next = keys.lower_bound(name + ".");
  return next != keys.end() && next->first.starts_with(name + ".");
}

void read_table(const std::string& file_name, const toml::table& table, const std::string& prefix,
                const Keys& keys) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (node.is_table() && is_section(keys, name)) {
      read_table(file_name, *node.as_table(), name + ".", keys);
      continue;
    }
    const auto known = keys.find(name);
    if (known == keys.end()) {
      fail(file_name, key.source(), name + ": unknown key");
    }
    try {
      known->second(node);
    } catch (const ConfigError& error) {
      fail(file_name, node.source(), name + ": " + error.what());
    }
  }
}

}  // namespace

Config read_config(const std::string& file_name) {
  Config config;
  try {
    read_table(file_name, toml::parse_file(file_name), "", keys_of(config));
  } catch (const toml::parse_error& error) {
    if (error.source().begin.line == 0) {
      throw ConfigError(file_name + ": " + std::string(error.description()));
    }
    fail(file_name, error.source(), std::string(error.description()));
  }
  return config;
}

LogThreshold parse_log_threshold(const std::string& name) {
  static const std::map<std::string, LogThreshold, std::less<>> thresholds{
      {"debug", LogThreshold::debug},
      {"info", LogThreshold::info},
      {"warning", LogThreshold::warning},
      {"error", LogThreshold::error},
      {"off", LogThreshold::off}};
  const auto found = thresholds.find(name);
  if (found == thresholds.end()) {
    throw std::invalid_argument("expected debug, info, warning, error or off, not '" + name + "'");
  }
  return found->second;
}

}  // namespace stadion::serve
