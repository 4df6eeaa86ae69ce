// SPDX-License-Identifier: MIT
#include "core/log.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/finally.hpp"

namespace stadion {
namespace {

std::mutex lines_mutex;
std::vector<std::pair<LogLevel, std::string>> lines;

void record_line(LogLevel level, std::string_view message) noexcept {
  const std::lock_guard lock(lines_mutex);
  lines.emplace_back(level, message);
}

/// What the call writes to the process's stderr.
template <class Call>
std::string stderr_of(Call&& call) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const int real_stderr = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  call();
  std::fflush(stderr);
  dup2(real_stderr, STDERR_FILENO);
  close(real_stderr);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text.push_back(static_cast<char>(c));
  }
  std::fclose(file);
  return text;
}

void log_at_every_level() {
  log(LogLevel::debug, "one");
  log(LogLevel::info, "two");
  log(LogLevel::warning, "three");
  log(LogLevel::error, "four");
}

TEST_CASE("log: parts make one message, of 2,048 bytes at the most") {
  set_log_sink(record_line);
  const auto reset = finally([] { set_log_sink(nullptr); });
  for (const std::size_t bytes :
       {kLogMessageBytesMax - 1, kLogMessageBytesMax, kLogMessageBytesMax + 1}) {
    lines.clear();
    const std::string long_part(bytes - 4, 'x');
    log(LogLevel::error, {"a", "", "bc", long_part, "d"});
    REQUIRE(lines.size() == 1);
    CHECK(lines.front().second == ("abc" + long_part + "d").substr(0, kLogMessageBytesMax));
  }
}

TEST_CASE("log: by default warnings and errors go to stderr, a line each, and nothing else does") {
  set_log_sink(nullptr);
  CHECK(stderr_of(log_at_every_level) == "stadion: warning: three\nstadion: error: four\n");
}

TEST_CASE("log: the default sink writes no more than the view holds") {
  const std::string_view part = std::string_view("message and more").substr(0, 7);
  CHECK(stderr_of([part] { log(LogLevel::error, part); }) == "stadion: error: message\n");
  CHECK(stderr_of([] { log(LogLevel::error, std::string_view{}); }) == "stadion: error: \n");
  CHECK(stderr_of([] { log(LogLevel::error, "100 %s %n"); }) == "stadion: error: 100 %s %n\n");
}

TEST_CASE("log: a sink of one's own receives every level, until null restores the default") {
  const auto restore = finally([] { set_log_sink(nullptr); });
  lines.clear();
  set_log_sink(record_line);
  CHECK(stderr_of(log_at_every_level).empty());
  const std::vector<std::pair<LogLevel, std::string>> expected{{LogLevel::debug, "one"},
                                                               {LogLevel::info, "two"},
                                                               {LogLevel::warning, "three"},
                                                               {LogLevel::error, "four"}};
  CHECK(lines == expected);
  set_log_sink(nullptr);
  CHECK(stderr_of([] { log(LogLevel::warning, "back"); }) == "stadion: warning: back\n");
  CHECK(lines == expected);
}

TEST_CASE("log: the sink may be exchanged while other threads log, and no line is lost") {
  static std::atomic<int> first_count;
  static std::atomic<int> second_count;
  first_count = 0;
  second_count = 0;
  const LogSink first = [](LogLevel, std::string_view) noexcept { ++first_count; };
  const LogSink second = [](LogLevel, std::string_view) noexcept { ++second_count; };
  const auto restore = finally([] { set_log_sink(nullptr); });
  set_log_sink(first);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) {
        log(LogLevel::info, "line");
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    set_log_sink(i % 2 == 0 ? second : first);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(first_count + second_count == 3 * 500);
}

}  // namespace
}  // namespace stadion
