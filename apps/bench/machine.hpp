// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

namespace stadion::bench {

/// How many cores this process may use.
std::size_t core_count();
/// Puts this thread on the `index`-th of those cores, or on the first if there are not so many.
void pin_this_thread(std::size_t index);
/// Puts this thread on any of them.
void unpin_this_thread();
/// "Intel(R) …, 2 cores"
std::string describe_machine();

/// A field of /proc/self/status, "VmRSS" or "VmHWM", in bytes.
std::size_t memory_bytes(const char* field);
/// Makes VmHWM start again from VmRSS, where the system allows it.
void reset_peak_memory();

/// Waits actively for another core, but lets others run when it takes long: there may be one core.
class SpinWait {
 public:
  void once() noexcept;

 private:
  unsigned turns_ = 0;
};

/// A std::barrier that never sleeps, for what would drown in the cost of waking up.
class SpinBarrier {
 public:
  explicit SpinBarrier(unsigned threads) noexcept : threads_(threads) {}
  void arrive_and_wait() noexcept;

 private:
  const unsigned threads_;
  std::atomic<unsigned> arrived_{0};
  std::atomic<unsigned> round_{0};
};

}  // namespace stadion::bench
