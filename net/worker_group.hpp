// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/worker.hpp"

namespace stadion::net {

/// Several Workers that start and stop together.
///
/// Threads    Those of Worker.
class WorkerGroup {
 public:
  /// `count` of 0 means one per processor that this process may use.
  explicit WorkerGroup(std::size_t count, const std::string& name = "worker");

  void start();
  void stop() noexcept;
  void join();

  std::size_t size() const noexcept { return workers_.size(); }
  Worker& operator[](std::size_t index) noexcept { return *workers_[index]; }

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace stadion::net
