// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stadion::bench {

/// What was measured: for each row and contestant one number per repetition.
class Results {
 public:
  void add(const std::string& row, const std::string& contestant, double number);

  std::optional<double> median(const std::string& row, const std::string& contestant) const;
  /// Half the distance from the smallest to the largest, as a part of the median; nothing for a
  /// single number.
  std::optional<double> half_range(const std::string& row, const std::string& contestant) const;
  /// The ratio of two contestants' medians.
  std::optional<double> ratio(const std::string& row, const std::string& contestant,
                              const std::string& to) const;

 private:
  const std::vector<double>* find(const std::string& row, const std::string& contestant) const;

  std::map<std::pair<std::string, std::string>, std::vector<double>> numbers_;  // Sorted each.
};

double median_of(std::vector<double> numbers);

}  // namespace stadion::bench
