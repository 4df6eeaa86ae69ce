// SPDX-License-Identifier: MIT

// The document's "Debugging Memory Issues", in its own lines.

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <thread>

#include "core/arena.hpp"

namespace stadion {
namespace {

TEST_CASE("Debugging Memory Issues: Track live arenas") {
  const std::size_t before = Arena::debug_live_count();
  {
    const Arena first;
    CHECK(Arena::debug_live_count() == before + 1);
    Arena second;
    CHECK(Arena::debug_live_count() == before + 2);
    second.clear();
    CHECK(Arena::debug_live_count() == before + 2);
    second.dispose();
    CHECK(Arena::debug_live_count() == before + 1);
    second.dispose();
    CHECK(Arena::debug_live_count() == before + 1);
  }
  const std::size_t after = Arena::debug_live_count();
  CHECK(before == after);  // No arena leaks
}

TEST_CASE("Debugging Memory Issues: an arena that leaks is counted, whoever made it") {
  const std::size_t before = Arena::debug_live_count();
  std::optional<Arena> leaked;
  std::thread([&leaked] { leaked.emplace(); }).join();
  CHECK(Arena::debug_live_count() == before + 1);
  leaked.reset();
  CHECK(Arena::debug_live_count() == before);
}

TEST_CASE("Debugging Memory Issues: the bytes of live arenas are counted, too") {
  const std::size_t before = Arena::debug_live_bytes();
  Arena::trim();  // Else a new arena may have its first chunk at once.
  {
    Arena arena;
    CHECK(Arena::debug_live_bytes() == before);
    (void)arena.alloc(1'000'000);
    CHECK(Arena::debug_live_bytes() == before + arena.bytes_reserved());
    CHECK(Arena::debug_live_bytes() >= before + 1'000'000);
  }
  CHECK(Arena::debug_live_bytes() == before);
}

}  // namespace
}  // namespace stadion
