// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/arena.hpp"
#include "core/system_memory.hpp"

namespace stadion::tests {

/// Stands between the arenas and the system for one scope: counts what they ask for, and refuses on
/// command.
///
/// It begins and ends with this thread's cache of chunks empty, so that every chunk is counted.
///
/// Threads    Counts from any thread; one instance at a time, commanded by one thread.
/// Limits     A request above kRequestBytesMax is always refused: no test really asks for 64 GiB.
class ScriptedMemory {
 public:
  static constexpr std::size_t kRequestBytesMax = std::size_t{256} * 1024 * 1024;

  ScriptedMemory() noexcept {
    Arena::trim();
    calls = 0;
    refusals = 0;
    bytes = 0;
    bytes_largest_request = 0;
    allow_all();
    previous = exchange_system_memory({allocate, release});
  }
  ~ScriptedMemory() {
    Arena::trim();
    exchange_system_memory(previous);
  }

  ScriptedMemory(const ScriptedMemory&) = delete;
  ScriptedMemory& operator=(const ScriptedMemory&) = delete;

  /// Refuses the nth request from now on, counted from 1, and no other.
  void refuse_nth(std::int64_t nth) noexcept { refuse(calls + nth, calls + nth); }
  /// Refuses the nth request from now on, and all that follow.
  void refuse_from(std::int64_t nth) noexcept { refuse(calls + nth, INT64_MAX); }
  void refuse_all() noexcept { refuse_from(1); }
  void allow_all() noexcept { refuse(INT64_MAX, INT64_MAX); }

  /// How many requests there were, refused ones included.
  std::int64_t call_count() const noexcept { return calls; }
  std::int64_t refusal_count() const noexcept { return refusals; }
  /// Allocated and not released.
  std::int64_t bytes_held() const noexcept { return bytes; }
  std::size_t largest_request_bytes() const noexcept { return bytes_largest_request; }

 private:
  static void refuse(std::int64_t first, std::int64_t last) noexcept {
    first_refused = first;
    last_refused = last;
  }

  static void* allocate(std::size_t size) noexcept {
    const std::int64_t call = ++calls;
    if (size > bytes_largest_request) {
      bytes_largest_request = size;
    }
    const bool refused = (call >= first_refused && call <= last_refused) || size > kRequestBytesMax;
    void* memory = refused ? nullptr : previous.allocate(size);
    if (memory == nullptr) {
      ++refusals;
      return nullptr;
    }
    bytes += static_cast<std::int64_t>(size);
    return memory;
  }
  static void release(void* memory, std::size_t size) noexcept {
    bytes -= static_cast<std::int64_t>(size);
    previous.release(memory, size);
  }

  static inline SystemMemory previous{};
  static inline std::atomic<std::int64_t> calls{0};
  static inline std::atomic<std::int64_t> refusals{0};
  static inline std::atomic<std::int64_t> bytes{0};
  static inline std::atomic<std::size_t> bytes_largest_request{0};
  static inline std::atomic<std::int64_t> first_refused{INT64_MAX};
  static inline std::atomic<std::int64_t> last_refused{INT64_MAX};
};

}  // namespace stadion::tests
