// SPDX-License-Identifier: MIT

// stadion-serve: the example HTTP server. Prints "listening on http://HOST:PORT" on stdout when it
// is ready, logs to stderr, and stops on SIGINT or SIGTERM after the requests in flight. Exit
// status: 0, 1 when it could not start, 2 for a fault in the command line or the configuration.

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "apps/serve/command_line.hpp"
#include "apps/serve/routes.hpp"
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

std::string url_of(const net::Endpoint& endpoint) {
  return endpoint.is_unix() ? endpoint.to_string() : "http://" + endpoint.to_string();
}

void serve(const Config& config) {
  if (config.memory_bytes_max > 0) {
    Arena::set_process_limit_bytes(config.memory_bytes_max);
  }
  http::Server server(config.server);
  add_routes(server, config);
  for (const std::string& endpoint : config.listen) {
    server.listen(endpoint);
  }
  server.stop_on_signals();  // Before anybody is told that the server is there.
  server.start();
  for (const net::Endpoint& endpoint : server.endpoints()) {
    std::printf("listening on %s\n", url_of(endpoint).c_str());
  }
  std::fflush(stdout);
  spdlog::info("serving with {} worker(s); stop with Ctrl-C", server.statistics().workers);
  server.wait();
  spdlog::info("stopped after {} requests", server.statistics().responses());
}

/// Does all of serve() that can go wrong without the network.
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
    serve(command_line->config);
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
