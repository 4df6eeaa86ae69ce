// SPDX-License-Identifier: MIT

// stadion-attack: attacks on a stadion-serve of its own, one after the other, on loopback alone, while a
// client that means no harm measures what it gets; or, to soak it, many of them by chance. Exit status: 0,
// 1 when that client got an error, or the server did not recover; 2 for a fault in the command line.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "apps/attack/attacks.hpp"
#include "apps/attack/crowd.hpp"
#include "apps/attack/program.hpp"
#include "apps/attack/soak.hpp"
#include "apps/attack/target.hpp"
#include "apps/attack/witness.hpp"
#include "apps/bench/facts.hpp"
#include "apps/bench/machine.hpp"
#include "apps/bench/server_process.hpp"
#include "apps/bench/text_table.hpp"

namespace stadion::attack {
namespace {

using Clock = std::chrono::steady_clock;
using bench::formatted;

constexpr std::chrono::milliseconds kSample{50};
constexpr std::chrono::seconds kCalm{1};
constexpr std::chrono::seconds kTimeToRecover{10};

constexpr const char* kUsage =
    "usage: stadion-attack [--seconds N] [NAME…]   (default: 5 s each, all; --list says which)\n"
    "       stadion-attack --soak MINUTES [--seed N]\n";

struct Options {
  double seconds = 5;
  double soak_minutes = 0;
  std::uint32_t seed = 1;
  bool lists = false;
  std::vector<std::string> names{};
};

Testimony witness_for(std::uint16_t port, std::chrono::duration<double> time) {
  Witness witness(port);
  std::this_thread::sleep_for(time);
  return witness.stop();
}

std::string text_of(const std::map<std::string, std::uint64_t>& answers) {
  std::string text;
  for (const auto& [answer, count] : answers) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " × " + answer;
  }
  return text.empty() ? "-" : text;
}

struct Row {
  bench::TableLine cells;
  bool is_well = false;
};

Row run(const Attack& attack, Target& target, double seconds) {
  bench::ServerProcess& server = target.process();
  const std::size_t descriptors_before = server.descriptors();
  const Testimony before = witness_for(target.port(), kCalm);

  double resident_peak = 0;
  std::size_t descriptors_peak = 0;
  const bool is_program = !attack.program.empty();
  std::optional<Crowd> crowd;
  std::optional<Program> program;
  if (is_program) {
    std::vector<std::string> command = attack.program;
    command.push_back("http://127.0.0.1:" + std::to_string(target.port()) + attack.path);
    program.emplace(command);
  } else {
    crowd.emplace(target.port(), attack.behaviour);
  }
  Witness witness(target.port());
  const double cpu_before = server.cpu_seconds();
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < std::chrono::duration<double>(seconds)) {
    std::this_thread::sleep_for(kSample);
    resident_peak = std::max(resident_peak, server.resident_bytes());
    descriptors_peak = std::max(descriptors_peak, server.descriptors());
  }
  const double cpu = server.cpu_seconds() - cpu_before;
  const Testimony during = witness.stop();
  const bool has_run = !is_program || program->stop();
  if (!is_program) {
    crowd->stop();
  }

  const Clock::time_point end = Clock::now();
  const bool has_recovered = target.rests_within(kTimeToRecover, descriptors_before);
  const double recovery = std::chrono::duration<double>(Clock::now() - end).count();
  const Testimony after = witness_for(target.port(), kCalm);
  if (!during.first_error.empty()) {
    std::fprintf(stderr, "%s: the witness was told: %s\n", attack.name.c_str(),
                 during.first_error.c_str());
  }
  return {
      .cells = {attack.name, is_program ? "to 1000" : std::to_string(crowd->connected()),
                is_program ? (has_run ? "-" : "did not run") : text_of(crowd->answers()),
                formatted("%.0f", before.p99_us), formatted("%.0f", during.p99_us),
                formatted("%.0f", after.p99_us),
                std::to_string(during.errors + after.errors) + " of " +
                    std::to_string(during.requests + after.requests),
                formatted("%.0f", 100 * cpu / seconds),
                formatted("%.1f", resident_peak / (1024 * 1024)), std::to_string(descriptors_peak),
                has_recovered ? formatted("%.1f s", recovery) : "NO"},
      .is_well = has_run && has_recovered && during.errors + after.errors == 0};
}

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--seconds" && i + 1 < arguments.size()) {
      options.seconds = std::stod(arguments[++i]);
      if (!(options.seconds >= 0.1 && options.seconds <= 600)) {
        throw std::invalid_argument("--seconds is from 0.1 to 600");
      }
    } else if (arguments[i] == "--soak" && i + 1 < arguments.size()) {
      options.soak_minutes = std::stod(arguments[++i]);
      if (!(options.soak_minutes > 0 && options.soak_minutes <= 10'000)) {
        throw std::invalid_argument("--soak is a number of minutes up to 10000");
      }
    } else if (arguments[i] == "--seed" && i + 1 < arguments.size()) {
      options.seed = static_cast<std::uint32_t>(std::stoul(arguments[++i]));
    } else if (arguments[i] == "--list") {
      options.lists = true;
    } else if (!arguments[i].starts_with("-")) {
      options.names.push_back(arguments[i]);
    } else {
      throw std::invalid_argument("does not know " + arguments[i]);
    }
  }
  return options;
}

std::vector<Attack> chosen_attacks(const Options& options) {
  const std::vector<std::string>& names = options.names;
  std::vector<Attack> attacks = all_attacks();
  for (Attack& attack : attacks_of_slowhttptest(options.seconds)) {
    attacks.push_back(std::move(attack));
  }
  for (const std::string& name : names) {
    if (std::none_of(attacks.begin(), attacks.end(),
                     [&name](const Attack& attack) { return attack.name == name; })) {
      throw std::invalid_argument("there is no attack '" + name + "'; see --list");
    }
  }
  std::erase_if(attacks, [&names](const Attack& attack) {
    return !names.empty() && std::find(names.begin(), names.end(), attack.name) == names.end();
  });
  return attacks;
}

int main(const std::vector<std::string>& arguments) {
  const Options options = read_options(arguments);
  const std::vector<Attack> attacks = chosen_attacks(options);
  if (options.lists) {
    for (const Attack& attack : attacks) {
      std::puts(attack.name.c_str());
    }
    return 0;
  }
  bench::core_count();  // Before the first pinning.
  Target target;
  if (options.soak_minutes > 0) {
    return soak(target, std::chrono::duration<double>(60 * options.soak_minutes), options.seed) ? 0
                                                                                                : 1;
  }
  std::vector<bench::TableLine> table{{"attack", "connections", "answers", "p99 µs before",
                                       "during", "after", "errors", "CPU %", "RSS MiB",
                                       "descriptors", "recovered"}};
  bool all_well = true;
  for (const Attack& attack : attacks) {
    std::fprintf(stderr, "%s …\n", attack.name.c_str());
    const Row row = run(attack, target, options.seconds);
    table.push_back(row.cells);
    all_well = all_well && row.is_well;
  }
  std::printf("%s\nserver on one core, attack and witness on another; limits:%s\n%s",
              bench::aligned(table, 1, false).c_str(), kConfig,
              bench::text_of(bench::facts_of_this_run()).c_str());
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace stadion::attack

int main(int argc, char** argv) try {
  return stadion::attack::main({argv + 1, argv + argc});
} catch (const std::logic_error& error) {
  std::fprintf(stderr, "stadion-attack: %s\n%s", error.what(), stadion::attack::kUsage);
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "stadion-attack: %s\n", error.what());
  return 1;
}
