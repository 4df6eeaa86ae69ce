// SPDX-License-Identifier: MIT
#include "apps/bench/text_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stadion::bench {
namespace {

// Characters, of which UTF-8 has one for each byte that does not continue another.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string formatted(const char* format, double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

std::string number_text(std::optional<double> number) {
  if (!number) {
    return "-";
  }
  return formatted(*number < 10 ? "%.2f" : *number < 100 ? "%.1f" : "%.0f", *number);
}

std::string aligned(const std::vector<TableLine>& lines, std::size_t words_first, bool words_last) {
  const std::size_t columns = lines.front().size();
  const auto is_words = [&](std::size_t column) {
    return column < words_first || (words_last && column + 1 == columns);
  };
  std::vector<std::size_t> widths(columns);
  for (const TableLine& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string text;
  for (const TableLine& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      const std::string space(widths[i] - width_of(line[i]), ' ');
      text += (i == 0 ? "" : "  ") + (is_words(i) ? line[i] + space : space + line[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace stadion::bench
