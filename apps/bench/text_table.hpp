// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stadion::bench {

using TableLine = std::vector<std::string>;

/// The number by a format of printf's for a double.
std::string formatted(const char* format, double number);
/// With three digits or so; "-" where there is none.
std::string number_text(std::optional<double> number);

/// Lines of as many cells each, in columns: words begin at the left of theirs, numbers end at the
/// right. Words are what the first `words_first` columns hold, and, if `words_last`, the last.
std::string aligned(const std::vector<TableLine>& lines, std::size_t words_first, bool words_last);

}  // namespace stadion::bench
