// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace stadion::tests {

/// Writes its number into a record when it is destroyed.
class Recorded {
 public:
  Recorded(std::vector<int>& record, int number) : record_(&record), number_(number) {}
  ~Recorded() { record_->push_back(number_); }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;

 private:
  std::vector<int>* record_;
  int number_;
};

}  // namespace stadion::tests
