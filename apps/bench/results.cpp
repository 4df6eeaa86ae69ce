// SPDX-License-Identifier: MIT
#include "apps/bench/results.hpp"

#include <algorithm>

namespace stadion::bench {

void Results::add(const std::string& row, const std::string& contestant, double number) {
  std::vector<double>& numbers = numbers_[{row, contestant}];
  numbers.insert(std::upper_bound(numbers.begin(), numbers.end(), number), number);
}

const std::vector<double>* Results::find(const std::string& row,
                                         const std::string& contestant) const {
  const auto found = numbers_.find({row, contestant});
  return found == numbers_.end() ? nullptr : &found->second;
}

std::optional<double> Results::median(const std::string& row, const std::string& contestant) const {
  const auto* numbers = find(row, contestant);
  return numbers == nullptr ? std::nullopt : std::optional(median_of(*numbers));
}

std::optional<double> Results::half_range(const std::string& row,
                                          const std::string& contestant) const {
  const auto* numbers = find(row, contestant);
  if (numbers == nullptr || numbers->size() < 2 || median_of(*numbers) <= 0) {
    return std::nullopt;
  }
  return (numbers->back() - numbers->front()) / 2 / median_of(*numbers);
}

std::optional<double> Results::ratio(const std::string& row, const std::string& contestant,
                                     const std::string& to) const {
  const auto above = median(row, contestant);
  const auto below = median(row, to);
  return above && below && *below > 0 ? std::optional(*above / *below) : std::nullopt;
}

double median_of(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t middle = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

}  // namespace stadion::bench
