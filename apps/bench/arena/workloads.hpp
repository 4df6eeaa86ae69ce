// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "apps/bench/arena/sizes.hpp"

/// What one thread does with a contestant. A workload is an object whose round() performs
/// kOperations; the constructor's cost does not count. Timing, counting of instructions and counting
/// of mallocs all run these same rounds.
namespace stadion::bench {

/// The compiler must take it that somebody reads the pointer, and what it points to.
inline void keep(const void* const pointer) { benchmark::DoNotOptimize(pointer); }

inline constexpr std::size_t kSmallBytes = 64;
inline constexpr std::size_t kSmallAllocations = 1000;

/// W1: 64-byte allocations, cleared every 1,000.
template <template <std::size_t> class Contestant>
class SmallAllocations {
 public:
  static constexpr const char* kRow = "W1";
  static constexpr std::size_t kOperations = kSmallAllocations;

  [[gnu::noinline]] void round() {
    for (std::size_t i = 0; i < kSmallAllocations; ++i) {
      keep(arena_.alloc(kSmallBytes));
    }
    arena_.clear();
  }

 private:
  Contestant<kSmallAllocations> arena_;
};

/// What a request allocates, and the first byte of each written.
template <class Arena>
void fill_as_http_does(Arena& arena) {
  for (const std::size_t bytes : http_sizes()) {
    auto* memory = static_cast<char*>(arena.alloc(bytes));
    *memory = 1;
    keep(memory);
  }
}

/// W2: the arena's life in a request.
template <template <std::size_t> class Contestant>
class HttpCycle {
 public:
  static constexpr const char* kRow = "W2";
  static constexpr std::size_t kOperations = 1;

  void round() {
    Contestant<kHttpAllocations> arena;
    keep(&arena);  // Others see it, as they do in a server: its state cannot live in registers.
    fill_as_http_does(arena);
  }
};

/// W3: the same with clear() in place of making and disposal.
template <template <std::size_t> class Contestant>
class HttpCycleCleared {
 public:
  static constexpr const char* kRow = "W3";
  static constexpr std::size_t kOperations = 1;

  void round() {
    fill_as_http_does(arena_);
    arena_.clear();
  }

 private:
  Contestant<kHttpAllocations> arena_;
};

/// W6: mixed sizes and alignments.
template <template <std::size_t> class Contestant>
class MixedAllocations {
 public:
  static constexpr const char* kRow = "W6";
  static constexpr std::size_t kOperations = kMixedAllocations;

  [[gnu::noinline]] void round() {
    for (const Request& request : mixed_requests()) {
      keep(arena_.alloc(request.bytes, request.alignment));
    }
    arena_.clear();
  }

 private:
  Contestant<kMixedAllocations> arena_;
};

/// W7: eight live arenas in turn, each cleared every 1,000 allocations.
template <template <std::size_t> class Contestant>
class EightArenas {
 public:
  static constexpr const char* kRow = "W7";
  static constexpr std::size_t kOperations = 8 * kSmallAllocations;

  [[gnu::noinline]] void round() {
    for (std::size_t i = 0; i < kSmallAllocations; ++i) {
      for (auto& arena : arenas_) {
        keep(arena.alloc(kSmallBytes));
      }
    }
    for (auto& arena : arenas_) {
      arena.clear();
    }
  }

 private:
  std::array<Contestant<kSmallAllocations>, 8> arenas_;
};

/// An object with a destructor that does something, and which no compiler sees through.
struct Counted {
  static inline std::uint64_t destroyed = 0;

  Counted() = default;
  [[gnu::noinline]] ~Counted() { ++destroyed; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  std::uint64_t value = 0;
};

/// W10: objects whose destructors clear() runs, every 1,000.
template <template <std::size_t> class Contestant>
class Destructors {
 public:
  static constexpr const char* kRow = "W10";
  static constexpr std::size_t kOperations = kSmallAllocations;

  [[gnu::noinline]] void round() {
    for (std::size_t i = 0; i < kSmallAllocations; ++i) {
      keep(arena_.template make<Counted>());
    }
    arena_.clear();
  }

 private:
  Contestant<kSmallAllocations> arena_;
};

}  // namespace stadion::bench
