// SPDX-License-Identifier: MIT
#include "apps/bench/http/exact_figures.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "apps/bench/http/measure.hpp"
#include "apps/bench/text_table.hpp"

namespace stadion::bench {
namespace {

constexpr double kWorsePart = 0.05;
constexpr double kWorseAtLeast = 0.01;

bool is_worse(double kept, double counted) {
  return counted > kept + std::max(kept * kWorsePart, kWorseAtLeast);
}

}  // namespace

ExactFigures count_exact_figures() {
  const Contestant stadion = contestant_named("stadion");
  const Contestant coroutine = contestant_named("stadion, coroutine");
  const Work many{.target = "/plaintext", .body = "Hello, World!"};
  const Work one{.target = "/plaintext", .body = "Hello, World!", .connections = 1};
  const Work pipelined{.target = "/plaintext", .body = "Hello, World!", .pipeline = 16};
  const Work json{.target = "/json"};

  Measurement measurement;
  ExactFigures figures;
  const auto count_all = [&](const std::string& what, const Contestant& contestant,
                             const Work& work) {
    std::fprintf(stderr, "bench: counting %s\n", what.c_str());
    figures["instructions/request:" + what] = measurement.instructions(contestant, work);
    figures["system-calls/request:" + what] = measurement.system_calls(contestant, work);
    figures["mallocs/request:" + what] = measurement.allocations(contestant, work).calls;
  };
  count_all("64-connections", stadion, many);
  count_all("1-connection", stadion, one);
  count_all("16-pipelined", stadion, pipelined);
  count_all("coroutine", coroutine, many);
  if (stadion.does_answer("/json")) {
    count_all("json", stadion, json);
  }
  figures["mallocs/connection"] = measurement.allocations_per_connection(stadion);
  return figures;
}

ExactFigures read_figures(const std::filesystem::path& file) {
  std::ifstream text(file);
  if (!text) {
    throw std::runtime_error("cannot read " + file.string());
  }
  ExactFigures figures;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    std::istringstream words(line);
    std::string name;
    double number = 0;
    if (!(words >> name >> number)) {
      throw std::runtime_error(file.string() + ": not \"NAME NUMBER\": " + line);
    }
    figures[name] = number;
  }
  return figures;
}

void write_figures(const std::filesystem::path& file, const ExactFigures& figures) {
  std::ofstream text(file);
  text << "# Written by ./dev bench --check --update. Counted, not timed; see exact_figures.hpp.\n";
  for (const auto& [name, number] : figures) {
    text << name << ' ' << formatted("%.4g", number) << '\n';
  }
  if (!text.flush()) {
    throw std::runtime_error("cannot write " + file.string());
  }
}

std::string compare_figures(const ExactFigures& kept, const ExactFigures& counted) {
  std::string worse;
  for (const auto& [name, number] : counted) {
    const auto before = kept.find(name);
    if (before == kept.end()) {
      worse += name + ": nothing is kept to compare it with\n";
    } else if (is_worse(before->second, number)) {
      worse +=
          name + ": " + number_text(number) + ", and was " + number_text(before->second) + "\n";
    }
  }
  for (const auto& [name, number] : kept) {
    if (!counted.contains(name)) {
      worse += name + ": was " + number_text(number) + ", and is not counted any more\n";
    }
  }
  return worse;
}

std::string table_of(const ExactFigures& kept, const ExactFigures& counted) {
  std::vector<TableLine> lines = {{"", "kept", "now"}};
  for (const auto& [name, number] : counted) {
    const auto before = kept.find(name);
    lines.push_back(
        {name, before == kept.end() ? "-" : number_text(before->second), number_text(number)});
  }
  return aligned(lines, 1, false);
}

}  // namespace stadion::bench
