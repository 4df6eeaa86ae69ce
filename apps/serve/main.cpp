// SPDX-License-Identifier: MIT

// stadion-serve: the example HTTP server. Prints "listening on http://HOST:PORT" on stdout when it
// is ready, logs to stderr, reads its configuration again on SIGHUP, and stops on SIGINT or SIGTERM
// after the requests in flight. Exit status: 0, 1 when it could not start, 2 for a fault in the command
// line or the configuration.

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "apps/serve/command_line.hpp"
#include "apps/serve/reloadable_server.hpp"
#include "apps/serve/routes.hpp"
#include "core/arena.hpp"
#include "core/log.hpp"

namespace stadion::serve {
namespace {

spdlog::level::level_enum spdlog_level(LogThreshold threshold) {
  switch (threshold) {
    case LogThreshold::debug: return spdlog::level::debug;
    case LogThreshold::info: return spdlog::level::info;
    case LogThreshold::warning: return spdlog::level::warn;
    case LogThreshold::error: return spdlog::level::err;
    case LogThreshold::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

void log_with_spdlog(LogLevel level, std::string_view message) noexcept {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                  spdlog::level::warn, spdlog::level::err};
  spdlog::log(levels[static_cast<int>(level)], "{}", message);
}

void set_up_log(LogThreshold threshold) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("stadion"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog_level(threshold));
  set_log_sink(log_with_spdlog);
}

/// As many file descriptors as the system allows: each connection is one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void apply_to_process(const Config& config, std::size_t workers) {
  spdlog::set_level(spdlog_level(config.log_threshold));
  Arena::set_process_limit_bytes(config.memory_bytes_max == 0 ? kArenaNoLimit
                                                              : config.memory_bytes_max);
  rlimit descriptors{};
  const std::size_t connections = config.server.connections_max * workers;
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && connections > descriptors.rlim_cur) {
    spdlog::warn("{} connections are allowed, but only {} file descriptors (RLIMIT_NOFILE)",
                 connections, descriptors.rlim_cur);
  }
}

/// Does all of ReloadableServer that can go wrong without the network.
void check(const Config& config) {
  http::Server server(config.server);
  add_routes(server, config);
  for (const std::string& endpoint : config.listen) {
    net::Endpoint::parse(endpoint);
  }
}

}  // namespace
}  // namespace stadion::serve

int main(int argc, char** argv) {
  using namespace stadion::serve;
  try {
    int exit_status = 0;
    const auto command_line = read_command_line(argc, argv, exit_status);
    if (!command_line.has_value()) {
      return exit_status;
    }
    set_up_log(command_line->config.log_threshold);
    if (command_line->check_config) {
      check(command_line->config);
      std::puts("the configuration is valid");
      return 0;
    }
    std::signal(SIGPIPE, SIG_IGN);  // That nobody reads the log any more is no reason to end.
    raise_descriptor_limit();
    ReloadableServer([&] { return read_command_line(argc, argv, exit_status).value().config; },
                     apply_to_process)
        .run();
    return 0;
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "stadion-serve: %s\n", error.what());
    return 2;
  } catch (const std::invalid_argument& error) {  // A value that only the server could judge.
    std::fprintf(stderr, "stadion-serve: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stadion-serve: %s\n", error.what());
    return 1;
  }
}
