// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace stadion::tests {

/// What a random program found: the first thing that does not hold is reported, with the step and its
/// operation; what follows from it is not.
class Verdict {
 public:
  using Report = std::function<void(const std::string& what)>;

  explicit Verdict(Report report) : report_(std::move(report)) {}

  void at_step(const char* operation) noexcept {
    ++step_;
    operation_ = operation;
  }
  void check(bool holds, const char* what) {
    if (!holds && !has_failed_) {
      has_failed_ = true;
      report_("step " + std::to_string(step_) + ", " + operation_ + ": " + what);
    }
  }

  bool has_failed() const noexcept { return has_failed_; }
  std::size_t step() const noexcept { return step_; }

 private:
  Report report_;
  bool has_failed_ = false;
  std::size_t step_ = 0;
  const char* operation_ = "begin";
};

}  // namespace stadion::tests
