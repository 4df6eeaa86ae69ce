// SPDX-License-Identifier: MIT
#include "apps/bench/machine.hpp"

#include <pthread.h>
#include <sched.h>

#include <fstream>
#include <thread>
#include <vector>

namespace stadion::bench {
namespace {

// Read once, before the first pinning narrows it.
const std::vector<int>& allowed_cores() {
  static const std::vector<int> cores = [] {
    std::vector<int> allowed;
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<std::size_t>(core), &set)) {
        allowed.push_back(core);
      }
    }
    return allowed;
  }();
  return cores;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown processor";
}

void put_this_thread_on(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    CPU_SET(static_cast<std::size_t>(core), &set);
  }
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

}  // namespace

std::size_t core_count() { return allowed_cores().size(); }

void pin_this_thread(std::size_t index) {
  const std::vector<int>& cores = allowed_cores();
  put_this_thread_on({cores[index < cores.size() ? index : 0]});
}

void unpin_this_thread() { put_this_thread_on(allowed_cores()); }

std::string describe_machine() {
  return cpu_model() + ", " + std::to_string(core_count()) + " core(s)";
}

std::size_t memory_bytes(const char* field) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::size_t kib = 0;
    if (word == std::string(field) + ":" && file >> kib) {
      return kib * 1024;
    }
  }
  return 0;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

void SpinWait::once() noexcept {
  constexpr unsigned kTurnsBeforeYield = 1000;
  if (++turns_ >= kTurnsBeforeYield) {
    std::this_thread::yield();
    return;
  }
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

void SpinBarrier::arrive_and_wait() noexcept {
  const unsigned round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (SpinWait wait; round_.load(std::memory_order_acquire) == round;) {
    wait.once();
  }
}

}  // namespace stadion::bench
