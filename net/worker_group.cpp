// SPDX-License-Identifier: MIT
#include "net/worker_group.hpp"

#include <sched.h>

#include <algorithm>

namespace stadion::net {
namespace {

std::size_t usable_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return 1;
  }
  return std::max<std::size_t>(static_cast<std::size_t>(CPU_COUNT(&allowed)), 1);
}

}  // namespace

WorkerGroup::WorkerGroup(std::size_t count, const std::string& name) {
  const std::size_t size = count == 0 ? usable_processors() : count;
  workers_.reserve(size);
  for (std::size_t index = 0; index < size; ++index) {
    workers_.push_back(std::make_unique<Worker>(name + "-" + std::to_string(index)));
  }
}

void WorkerGroup::start() {
  for (auto& worker : workers_) {
    worker->start();
  }
}

void WorkerGroup::stop() noexcept {
  for (auto& worker : workers_) {
    worker->stop();
  }
}

void WorkerGroup::join() {
  for (auto& worker : workers_) {
    worker->join();
  }
}

}  // namespace stadion::net
