// SPDX-License-Identifier: MIT

// The document's "Arena Memory Model", "Key Benefits" and "Core API", in its own lines.

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "core/arena.hpp"
#include "core/except.hpp"
#include "core/hash_table.hpp"
#include "net/socket.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

TEST_CASE_FIXTURE(LiveArenas, "Arena Memory Model") {
  ScriptedMemory memory;
  Arena arena;

  // Allocate multiple objects
  net::Socket* sockets = static_cast<net::Socket*>(arena.alloc(100 * sizeof(net::Socket)));
  char* buffer = static_cast<char*>(arena.alloc(4096));
  auto& table = arena.make<HashTable<int, int>>(arena, 1000U);

  // They are all there, and apart.
  std::memset(static_cast<void*>(sockets), 1, 100 * sizeof(net::Socket));
  std::memset(buffer, 2, 4096);
  for (int key = 0; key < 1000; ++key) {
    table.insert_or_assign(key, key * key);
  }
  for (int key = 0; key < 1000; ++key) {
    REQUIRE(table.find(key) != nullptr);
    CHECK(*table.find(key) == key * key);
  }
  CHECK(buffer[0] == 2);
  CHECK(buffer[4095] == 2);
  CHECK(reinterpret_cast<char*>(sockets)[100 * sizeof(net::Socket) - 1] == 1);
  CHECK(memory.bytes_held() > 0);

  // All freed at once - no individual free() calls
  arena.dispose();
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "Key Benefits: No memory leaks") {
  ScriptedMemory memory;
  const std::size_t live_before = Arena::debug_live_count();
  {
    Arena arena;
    for (std::size_t bytes = 1; bytes < 1'000'000; bytes *= 3) {
      (void)arena.alloc(bytes);
    }
    CHECK(Arena::debug_live_count() == live_before + 1);
    // Everything tied to arena lifecycle
  }
  CHECK(Arena::debug_live_count() == live_before);
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "Key Benefits: Fast allocation, Cache friendly") {
  Arena arena;
  // Bump pointer allocation: each follows the last.
  char* before = static_cast<char*>(arena.alloc(64));
  for (int i = 0; i < 100; ++i) {
    char* next = static_cast<char*>(arena.alloc(64));
    CHECK(next == before + 64);
    before = next;
  }
  CHECK(arena.bytes_used() == 101 * 64);
}

TEST_CASE_FIXTURE(LiveArenas, "Core API: Creation") {
  // Create with default chunk size
  Arena arena;
  (void)arena.alloc(1);
  CHECK(arena.bytes_reserved() == kArenaChunkBytes);
  // Create with specific chunk size
  Arena small{ArenaOptions{.chunk_bytes = 4096}};
  (void)small.alloc(1);
  CHECK(small.bytes_reserved() == 4096);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "Core API: Allocation never returns NULL - raises Arena_Failed on OOM") {
  ScriptedMemory memory;
  Arena arena;
  CHECK(arena.alloc(0) != nullptr);
  CHECK(arena.alloc(100) != nullptr);
  CHECK(arena.calloc(0, 0) != nullptr);

  memory.refuse_all();
  CHECK_THROWS_AS((void)arena.alloc(1024 * 1024), ArenaFailed);
  CHECK_THROWS_AS((void)arena.calloc(1024, 1024), ArenaFailed);
  CHECK_THROWS_AS((void)arena.alloc(std::numeric_limits<std::size_t>::max()), ArenaFailed);
  memory.allow_all();
  CHECK_THROWS_AS((void)arena.calloc(std::numeric_limits<std::size_t>::max() / 2, 3), ArenaFailed);
  // It stays usable.
  CHECK(arena.alloc(1024 * 1024) != nullptr);
}

TEST_CASE_FIXTURE(LiveArenas, "Core API: Arena_calloc gives zeroed memory") {
  Arena arena;
  std::memset(arena.alloc(1024), 0xFF, 1024);
  arena.clear();
  const auto* bytes = static_cast<const unsigned char*>(arena.calloc(128, 8));
  for (int i = 0; i < 1024; ++i) {
    REQUIRE(bytes[i] == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "Core API: Convenience macros (include file/line for debugging)") {
  Arena arena;
  const std::size_t nbytes = 48;
  const std::size_t count = 12;
  void* ptr = ALLOC(arena, nbytes);
  void* arr = CALLOC(arena, count, nbytes);
  std::memset(ptr, 0xFF, nbytes);
  const std::string zeroes(count * nbytes, '\0');
  CHECK(std::memcmp(arr, zeroes.data(), zeroes.size()) == 0);

  const auto failure_of = [](auto allocate) {
    try {
      allocate();
    } catch (const ArenaFailed& failure) {
      return std::string(failure.what());
    }
    return std::string("it did not fail");
  };
  const std::size_t much = std::numeric_limits<std::size_t>::max();
  const auto here = [](int line) { return "core_api_test.cpp:" + std::to_string(line); };
  const int alloc_line = __LINE__ + 1;
  const std::string alloc_failure = failure_of([&] { (void)ALLOC(arena, much); });
  const int calloc_line = __LINE__ + 1;
  const std::string calloc_failure = failure_of([&] { (void)CALLOC(arena, 2, much); });
  CHECK_MESSAGE(alloc_failure.find(here(alloc_line)) != std::string::npos, alloc_failure);
  CHECK_MESSAGE(calloc_failure.find(here(calloc_line)) != std::string::npos, calloc_failure);
}

TEST_CASE_FIXTURE(LiveArenas, "Core API: Arena_clear resets for reuse (keeps memory)") {
  Arena arena;
  const void* first = arena.alloc(100);
  (void)arena.alloc(10'000);
  const std::size_t reserved = arena.bytes_reserved();
  arena.clear();
  CHECK(arena.bytes_used() == 0);
  CHECK(arena.bytes_reserved() == reserved);
  CHECK(arena.alloc(100) == first);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "Core API: Arena_dispose frees everything, and no pointer is left to use") {
  Arena arena;
  (void)arena.alloc(100);
  arena.dispose();
  CHECK(arena.is_disposed());
  CHECK(arena.bytes_reserved() == 0);
  // In the document the pointer is NULL from here on: the arena refuses.
  CHECK_THROWS_AS((void)arena.alloc(100), ArenaFailed);
  CHECK_THROWS_AS((void)arena.calloc(1, 1), ArenaFailed);
  CHECK(arena.try_alloc(1) == nullptr);
  arena.dispose();
}

}  // namespace
}  // namespace stadion
