// SPDX-License-Identifier: MIT
#include "apps/serve/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::serve {
namespace {

using tests::ChildProcess;
using tests::TemporaryFolder;

/// Reads a configuration that is given as text.
class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text) : name_(folder_.path("test.toml")) {
    std::ofstream(name_) << text;
  }
  const std::string& name() const noexcept { return name_; }
  Config read() const { return read_config(name_); }
  /// What is wrong with it; empty when nothing is.
  std::string error() const {
    try {
      (void)read();
      return {};
    } catch (const ConfigError& error) {
      return error.what();
    }
  }

 private:
  TemporaryFolder folder_;
  std::string name_;
};

std::string text_of_shipped_file() {
  std::ifstream file(ChildProcess::program("STADION_CONFIG"));
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

struct Setting {
  std::string section;  ///< "[limits]", or empty.
  std::string key;
  std::string value;

  bool is_number() const { return value.find_first_not_of("0123456789") == std::string::npos; }
};

std::vector<Setting> settings_of(const std::string& text) {
  std::vector<Setting> settings;
  std::istringstream lines(text);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (std::regex_match(line, std::regex(R"(\[\w+\])"))) {
      section = line;
    } else if (std::regex_match(line, parts, std::regex(R"((\w+) = (.+))"))) {
      settings.push_back({section, parts[1], parts[2]});
    }
  }
  return settings;
}

void check_equal(const Config& left, const Config& right) {
  CHECK(left.listen == right.listen);
  CHECK(left.static_directory == right.static_directory);
  CHECK(left.log_threshold == right.log_threshold);
  CHECK(left.access_log == right.access_log);
  CHECK(left.access_log_format == right.access_log_format);
  CHECK(left.compression == right.compression);
  CHECK(left.server.offload_threads == right.server.offload_threads);
  CHECK(left.server.offload_queue_max == right.server.offload_queue_max);
  CHECK(left.server.reuse_port == right.server.reuse_port);
  CHECK(left.server.serves_half_closed == right.server.serves_half_closed);
  CHECK(left.server.workers == right.server.workers);
  CHECK(left.server.connections_max == right.server.connections_max);
  CHECK(left.server.buffer_bytes == right.server.buffer_bytes);
  CHECK(left.server.connections_per_address_max == right.server.connections_per_address_max);
  CHECK(left.server.accepts_per_second_max == right.server.accepts_per_second_max);
  CHECK(left.server.memory_bytes_high == right.server.memory_bytes_high);
  CHECK(left.memory_bytes_max == right.memory_bytes_max);

  const http::Limits& limits = left.server.limits;
  const http::Limits& other_limits = right.server.limits;
  CHECK(limits.head_bytes_max == other_limits.head_bytes_max);
  CHECK(limits.target_bytes_max == other_limits.target_bytes_max);
  CHECK(limits.fields_max == other_limits.fields_max);
  CHECK(limits.body_bytes_max == other_limits.body_bytes_max);
  CHECK(limits.chunk_extension_bytes_max == other_limits.chunk_extension_bytes_max);
  CHECK(limits.trailer_bytes_max == other_limits.trailer_bytes_max);
  CHECK(limits.request_memory_bytes_max == other_limits.request_memory_bytes_max);
  CHECK(limits.pipelined_requests_max == other_limits.pipelined_requests_max);
  CHECK(limits.requests_per_connection_max == other_limits.requests_per_connection_max);

  const http::Times& times = left.server.times;
  const http::Times& other_times = right.server.times;
  CHECK(times.head_read_max == other_times.head_read_max);
  CHECK(times.body_read_grace == other_times.body_read_grace);
  CHECK(times.body_bytes_per_second_min == other_times.body_bytes_per_second_min);
  CHECK(times.handler_max == other_times.handler_max);
  CHECK(times.idle_max == other_times.idle_max);
  CHECK(times.write_stalled_max == other_times.write_stalled_max);
  CHECK(times.write_bytes_per_second_min == other_times.write_bytes_per_second_min);
  CHECK(times.linger_max == other_times.linger_max);
  CHECK(times.drain_max == other_times.drain_max);
}

TEST_CASE("config: conf/stadion.toml says the defaults") {
  check_equal(read_config(ChildProcess::program("STADION_CONFIG")), Config{});
  check_equal(ConfigFile("").read(), Config{});
}

TEST_CASE("config: conf/stadion.toml shows every key, and each one has its effect") {
  // One other value for each key of a number; all other keys are in the next case.
  const std::vector<Setting> settings = settings_of(text_of_shipped_file());
  CHECK(settings.size() == 35);
  std::string text;
  std::string section;
  for (const Setting& setting : settings) {
    if (setting.section != section) {
      section = setting.section;
      text += section + "\n";
    }
    text += setting.key + " = " +
            (setting.is_number() ? std::to_string(std::stoll(setting.value) + 1) : setting.value) +
            "\n";
  }
  const Config other = ConfigFile(text).read();
  Config expected;
  http::ServerOptions& server = expected.server;
  for (std::size_t* number : {&server.workers,
                              &server.connections_max,
                              &server.buffer_bytes,
                              &server.offload_threads,
                              &server.offload_queue_max,
                              &server.limits.head_bytes_max,
                              &server.limits.target_bytes_max,
                              &server.limits.fields_max,
                              &server.limits.body_bytes_max,
                              &server.limits.chunk_extension_bytes_max,
                              &server.limits.trailer_bytes_max,
                              &server.limits.request_memory_bytes_max,
                              &server.limits.pipelined_requests_max,
                              &server.limits.requests_per_connection_max,
                              &server.times.body_bytes_per_second_min,
                              &server.times.write_bytes_per_second_min,
                              &server.connections_per_address_max,
                              &server.accepts_per_second_max,
                              &server.memory_bytes_high,
                              &expected.memory_bytes_max}) {
    ++*number;
  }
  for (std::chrono::milliseconds* time :
       {&server.times.head_read_max, &server.times.body_read_grace, &server.times.handler_max,
        &server.times.idle_max, &server.times.write_stalled_max, &server.times.linger_max,
        &server.times.drain_max}) {
    ++*time;
  }
  check_equal(other, expected);
}

TEST_CASE("config: the access log, and what is on or off") {
  const Config config = ConfigFile(
                            "access_log = \"/tmp/a\"\naccess_log_format = \"json\"\n"
                            "compression = false\nserves_half_closed = true\n"
                            "reuse_port = true\n")
                            .read();
  CHECK(config.access_log == "/tmp/a");
  CHECK(config.access_log_format == AccessLogFormat::json);
  CHECK_FALSE(config.compression);
  CHECK(config.server.serves_half_closed);
  CHECK(config.server.reuse_port);
}

TEST_CASE("config: addresses, directory and log level") {
  const Config config = ConfigFile(
                            "listen = [\"[::1]:0\", \"unix:/tmp/s\"]\n"
                            "static_directory = \"/srv\"\nlog_level = \"error\"\n")
                            .read();
  CHECK(config.listen == std::vector<std::string>{"[::1]:0", "unix:/tmp/s"});
  CHECK(config.static_directory == "/srv");
  CHECK(config.log_threshold == LogThreshold::error);
  for (const char* name : {"debug", "info", "warning", "error", "off"}) {
    CHECK_NOTHROW(parse_log_threshold(name));
  }
  CHECK_THROWS_AS(parse_log_threshold("loud"), std::invalid_argument);
}

TEST_CASE("config: a fault names file, line and key") {
  struct Case {
    const char* text;
    int line;
    const char* key;
  };
  const Case cases[] = {
      // Unknown keys.
      {"worker = 1\n", 1, "worker"},
      {"workers = 1\n\nlimits.body = 1\n", 3, "limits.body"},
      {"[limits]\nbody_bytes_max = 1\nbody_byte = 1\n", 3, "limits.body_byte"},
      {"[limit]\nbody_bytes_max = 1\n", 1, "limit"},
      {"\n[times]\n# x\nidle_max = 1\n", 4, "times.idle_max"},
      // Wrong types.
      {"workers = \"1\"\n", 1, "workers"},
      {"\nworkers = 1.0\n", 2, "workers"},
      {"workers = true\n", 1, "workers"},
      {"workers = [1]\n", 1, "workers"},
      {"listen = \"127.0.0.1:1\"\n", 1, "listen"},
      {"listen = []\n", 1, "listen"},
      {"listen = [\"127.0.0.1:1\", 2]\n", 1, "listen"},
      {"static_directory = 1\n", 1, "static_directory"},
      {"log_level = 1\n", 1, "log_level"},
      {"[times]\nidle_ms_max = \"1s\"\n", 2, "times.idle_ms_max"},
      {"limits = 1\n", 1, "limits"},
      {"[workers]\nx = 1\n", 1, "workers"},
      // Out of range.
      {"log_level = \"loud\"\n", 1, "log_level"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.text);
    const ConfigFile file(example.text);
    const std::string expected =
        file.name() + ":" + std::to_string(example.line) + ": " + example.key + ": ";
    CHECK(file.error().substr(0, expected.size()) == expected);
  }
}

struct Range {
  std::string section;
  std::string key;
  std::int64_t min;
  std::int64_t max;

  ConfigFile file_with(std::int64_t value) const {
    return ConfigFile(section + "\n" + key + " = " + std::to_string(value) + "\n");
  }
  std::string name() const {
    return section.empty() ? key : section.substr(1, section.size() - 2) + "." + key;
  }
};

const std::vector<Range>& ranges() {
  constexpr std::int64_t kSizeMax = std::int64_t{1} << 40;
  constexpr std::int64_t kDayInMs = std::int64_t{24} * 3600 * 1000;
  static const std::vector<Range> ranges{
      {"", "offload_threads", 1, 1024},
      {"", "offload_queue_max", 1, 1'000'000},
      {"", "workers", 0, 1024},
      {"", "connections_max", 1, 1'000'000},
      {"", "connections_per_address_max", 0, 1'000'000},
      {"", "accepts_per_second_max", 0, 1'000'000},
      {"", "memory_bytes_high", 0, kSizeMax},
      {"", "memory_bytes_max", 0, kSizeMax},
      {"", "buffer_bytes", 2048, std::int64_t{16} * 1024 * 1024},
      {"[limits]", "head_bytes_max", 64, kSizeMax},
      {"[limits]", "target_bytes_max", 1, kSizeMax},
      {"[limits]", "fields_max", 1, kSizeMax},
      {"[limits]", "body_bytes_max", 0, kSizeMax},
      {"[limits]", "chunk_extension_bytes_max", 0, kSizeMax},
      {"[limits]", "trailer_bytes_max", 2, kSizeMax},
      {"[limits]", "request_memory_bytes_max", 0, kSizeMax},
      {"[limits]", "pipelined_requests_max", 1, kSizeMax},
      {"[limits]", "requests_per_connection_max", 0, kSizeMax},
      {"[times]", "head_read_ms_max", 0, kDayInMs},
      {"[times]", "body_read_grace_ms", 0, kDayInMs},
      {"[times]", "body_bytes_per_second_min", 1, kSizeMax},
      {"[times]", "handler_ms_max", 0, kDayInMs},
      {"[times]", "idle_ms_max", 0, kDayInMs},
      {"[times]", "write_stalled_ms_max", 0, kDayInMs},
      {"[times]", "write_bytes_per_second_min", 0, kSizeMax},
      {"[times]", "linger_ms_max", 0, kDayInMs},
      {"[times]", "drain_ms_max", 0, kDayInMs},
  };
  return ranges;
}

TEST_CASE("config: each number is taken from its lower bound to its upper one") {
  for (const Range& range : ranges()) {
    for (const std::int64_t value : {range.min, range.max}) {
      CAPTURE(range.key);
      CAPTURE(value);
      CHECK(range.file_with(value).error().empty());
    }
  }
}

TEST_CASE("config: each number beyond a bound is refused, with file, line, key and range") {
  for (const Range& range : ranges()) {
    for (const std::int64_t value : {range.min - 1, range.max + 1}) {
      const ConfigFile file = range.file_with(value);
      CHECK(file.error() == file.name() + ":2: " + range.name() + ": expected a number from " +
                                std::to_string(range.min) + " to " + std::to_string(range.max) +
                                ", not " + std::to_string(value));
    }
  }
}

TEST_CASE("config: the numbers of conf/stadion.toml are those whose bounds are tested") {
  std::size_t shown = 0;
  for (const Setting& setting : settings_of(text_of_shipped_file())) {
    if (setting.is_number()) {
      CAPTURE(setting.key);
      CHECK(std::count_if(ranges().begin(), ranges().end(), [&setting](const Range& range) {
              return range.section == setting.section && range.key == setting.key;
            }) == 1);
      ++shown;
    }
  }
  CHECK(shown == ranges().size());
}

TEST_CASE("config: a syntax error names file and line, a missing file the file") {
  for (const char* text : {"workers = 1\nlisten = [\n", "workers = 1\nworkers = 2\n",
                           "workers = 1\n= 3\n", "workers = 1\n[limits\n"}) {
    CAPTURE(text);
    const ConfigFile file(text);
    const std::string error = file.error();
    CHECK(error.find(file.name() + ":") == 0);
    CHECK(std::regex_search(error, std::regex(":[23]: ")));
  }
  const TemporaryFolder folder;
  try {
    (void)read_config(folder.path("missing.toml"));
    FAIL("a file that is not there is read");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()).find(folder.path("missing.toml")) == 0);
  }
}

}  // namespace
}  // namespace stadion::serve
