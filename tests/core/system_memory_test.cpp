// SPDX-License-Identifier: MIT
#include "core/system_memory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "core/arena.hpp"
#include "core/finally.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

/// A source that knows every block it gave, and counts what is released wrongly.
struct Ledger {
  static inline std::mutex mutex;
  static inline std::map<void*, std::size_t> blocks;
  static inline std::size_t blocks_given = 0;
  static inline std::size_t wrong_releases = 0;
  static inline std::size_t wrong_sizes = 0;

  static void* allocate(std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex);
    wrong_sizes += static_cast<std::size_t>(bytes % kSystemMemoryAlignment != 0);
    void* memory = std::aligned_alloc(kSystemMemoryAlignment, bytes);
    blocks[memory] = bytes;
    ++blocks_given;
    return memory;
  }
  static void release(void* memory, std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex);
    const auto block = blocks.find(memory);
    if (block == blocks.end() || block->second != bytes) {
      ++wrong_releases;
      return;
    }
    // Fails under AddressSanitizer when a part of the block is given back poisoned.
    std::memset(memory, 0, bytes);
    blocks.erase(block);
    std::free(memory);
  }
};

TEST_CASE("system memory: the default source gives aligned memory and takes it back") {
  for (const std::size_t bytes :
       {std::size_t{1024}, std::size_t{64 * 1024}, std::size_t{3 * 1024 * 1024}}) {
    void* memory = detail::system_allocate(bytes);
    REQUIRE(memory != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % kSystemMemoryAlignment == 0);
    std::memset(memory, 1, bytes);
    detail::system_release(memory, bytes);
  }
}

TEST_CASE("system memory: an exchange answers the source that was in place") {
  const SystemMemory original = exchange_system_memory({Ledger::allocate, Ledger::release});
  const SystemMemory ledger = exchange_system_memory(original);
  CHECK((ledger.allocate == Ledger::allocate));
  CHECK((ledger.release == Ledger::release));
  const SystemMemory again = exchange_system_memory(original);
  CHECK((again.allocate == original.allocate));
  CHECK((again.release == original.release));
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "system memory: arenas of all threads give each block back once, whole and in its size") {
  Arena::trim();
  const SystemMemory original = exchange_system_memory({Ledger::allocate, Ledger::release});
  const auto restore = finally([&original] { exchange_system_memory(original); });
  const auto use_arenas = [] {
    for (std::size_t i = 0; i < 8; ++i) {
      Arena arena{ArenaOptions{.chunk_bytes = std::size_t{1} << (10 + i)}};
      for (std::size_t bytes = 1; bytes < 3'000'000; bytes = bytes * 3 + i) {
        (void)arena.alloc(bytes, std::size_t{1} << i % 13);
      }
      arena.clear();
      (void)arena.alloc(1000);
    }
  };
  std::thread other(use_arenas);
  use_arenas();
  other.join();
  Arena::trim();
  CHECK(Ledger::blocks_given > 0);
  CHECK(Ledger::blocks.empty());
  CHECK(Ledger::wrong_releases == 0);
  CHECK(Ledger::wrong_sizes == 0);
}

}  // namespace
}  // namespace stadion
