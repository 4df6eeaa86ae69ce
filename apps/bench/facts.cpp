// SPDX-License-Identifier: MIT
#include "apps/bench/facts.hpp"

#include <array>
#include <ctime>

#include "apps/bench/json_text.hpp"
#include "apps/bench/machine.hpp"

namespace stadion::bench {
namespace {

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &utc);
  return text.data();
}

std::string compiler() {
#ifdef __clang__
  const std::string name = "clang ";
#else
  const std::string name = "g++ ";
#endif
  return name + __VERSION__ + ", " + STADION_BENCH_BUILD_TYPE;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

}  // namespace

Facts facts_of_this_run() { return {describe_machine(), date_now(), compiler(), {}, {}}; }

std::string text_of(const Facts& facts) {
  std::string text;
  text += "machine   " + facts.machine + "\n";
  text += "date      " + facts.date + "\n";
  text += "compiler  " + facts.compiler + "\n";
  text += "versions  " + joined(facts.versions) + "\n";
  for (const std::string& skipped : facts.skipped) {
    text += "skipped   " + skipped + "\n";
  }
  return text;
}

std::vector<std::string> json_members_of(const Facts& facts) {
  return {json_member("machine", json_quoted(facts.machine)),
          json_member("date", json_quoted(facts.date)),
          json_member("compiler", json_quoted(facts.compiler)),
          json_member("versions", json_strings(facts.versions)),
          json_member("skipped", json_strings(facts.skipped))};
}

}  // namespace stadion::bench
