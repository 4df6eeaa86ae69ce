// SPDX-License-Identifier: MIT
#include "apps/serve/command_line.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace stadion::serve {

std::optional<CommandLine> read_command_line(int argc, const char* const* argv, int& exit_status) {
  CLI::App app("stadion-serve: the example HTTP server of Stadion");
  std::string config_file;
  std::vector<std::string> listen;
  std::string static_directory;
  std::string log_level;
  std::size_t workers = 0;
  CommandLine command_line;
  app.add_option("--config", config_file, "Read this TOML file; see conf/stadion.toml")
      ->type_name("FILE");
  app.add_option("--listen", listen, "Listen here, port 0 for any; may be repeated")
      ->type_name("HOST:PORT");
  const auto* workers_option =
      app.add_option("--workers", workers,
                     "Threads that serve connections; 0 for one per processor")
          ->check(CLI::Range(0, 1024))
          ->type_name("N");
  const auto* static_option =
      app.add_option("--static", static_directory, "Serve this directory's files under /static/")
          ->type_name("DIR");
  app.add_option("--log-level", log_level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->type_name("L");
  app.add_flag("--check-config", command_line.check_config, "Check the configuration, and exit");
  app.set_version_flag("--version", std::string("stadion-serve ") + STADION_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    exit_status = app.exit(end) == 0 ? 0 : 2;
    return std::nullopt;
  }

  Config& config = command_line.config;
  if (!config_file.empty()) {
    config = read_config(config_file);
  }
  if (!listen.empty()) {
    config.listen = listen;
  }
  if (workers_option->count() > 0) {
    config.server.workers = workers;
  }
  if (static_option->count() > 0) {
    config.static_directory = static_directory;
  }
  if (!log_level.empty()) {
    config.log_threshold = parse_log_threshold(log_level);
  }
  return command_line;
}

}  // namespace stadion::serve
