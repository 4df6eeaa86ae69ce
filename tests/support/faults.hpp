// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stadion::tests {

/// What can be made to fail: operator new, and system calls.
enum class Call : std::uint8_t {
  allocation,
  accept,
  epoll_ctl,
  epoll_wait,
  fstat,
  open,
  pread,
  recv,
  send,
  sendfile,
  setsockopt,
};
inline constexpr std::size_t kCallKinds = static_cast<std::size_t>(Call::setsockopt) + 1;

/// Instead of an errno: the call does what it should, but for a single byte.
inline constexpr int kShort = -1;

/// Makes the nth call of a kind fail, and those behind it up to the last, for one scope; of the threads
/// that began while none was in force, and of none else. `first` counts from 1; with a `last` below it
/// none fails.
///
/// Requires   The program is linked with faults.cpp and the options that go with it
///            (tests/CMakeLists.txt).
/// Threads    One instance at a time.
class Faults {
 public:
  /// `error` is an errno, or kShort where bytes are counted; it is left aside for allocations.
  Faults(Call call, std::int64_t first, std::int64_t last, int error) noexcept;
  ~Faults();

  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// How many calls failed, or were short.
  static std::int64_t count() noexcept;
  /// How many calls of any kind were made, be it the one that fails or not.
  static std::int64_t made(Call call) noexcept;
  /// The calling thread's calls are none of its business, from here on.
  static void spare_this_thread() noexcept;
};

}  // namespace stadion::tests
