// SPDX-License-Identifier: MIT
#include "core/arena_resource.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

TEST_CASE_FIXTURE(LiveArenas, "resource: standard containers keep their elements in the arena") {
  Arena arena;
  ArenaResource resource(arena);
  std::pmr::vector<std::pmr::string> names(&resource);
  std::pmr::map<int, std::pmr::string> by_number(&resource);
  for (int i = 0; i < 500; ++i) {
    names.emplace_back(40, static_cast<char>('a' + i % 26));
    by_number.emplace(i, names.back());
  }
  CHECK(names[27] == std::pmr::string(40, 'b'));
  CHECK(by_number.at(26) == std::pmr::string(40, 'a'));
  CHECK(arena.bytes_used() >= 2 * 500 * 40);
  CHECK(&resource.arena() == &arena);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "resource: asks the arena for the size and alignment it was asked for") {
  Arena arena;
  ArenaResource resource(arena);
  (void)resource.allocate(1, 1);
  CHECK(arena.bytes_used() == 16);
  for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 2) {
    void* memory = resource.allocate(alignment + 1, alignment);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % alignment == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "resource: deallocation leaves the memory to the arena") {
  Arena arena;
  ArenaResource resource(arena);
  auto* text = static_cast<char*>(resource.allocate(4, 1));
  text[0] = 'x';
  const std::size_t used = arena.bytes_used();
  resource.deallocate(text, 4, 1);
  CHECK(arena.bytes_used() == used);
  CHECK(text[0] == 'x');
  CHECK(resource.allocate(4, 1) != text);
}

TEST_CASE_FIXTURE(LiveArenas, "resource: equal when the arena is the same, whatever the resource") {
  Arena arena;
  Arena other_arena;
  const ArenaResource resource(arena);
  const ArenaResource same(arena);
  const ArenaResource other(other_arena);
  CHECK(resource.is_equal(resource));
  CHECK(resource.is_equal(same));
  CHECK_FALSE(resource.is_equal(other));
  CHECK_FALSE(resource.is_equal(*std::pmr::new_delete_resource()));
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "resource: a container that moves between resources of one arena moves no element") {
  Arena arena;
  ArenaResource first(arena);
  ArenaResource second(arena);
  std::pmr::vector<int> source({1, 2, 3}, &first);
  const int* elements = source.data();
  std::pmr::vector<int> target(&second);
  target = std::move(source);
  CHECK(target.data() == elements);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "resource: out of memory raises ArenaFailed and the container is as it was") {
  ScriptedMemory memory;
  Arena arena{ArenaOptions{.limit_bytes = 4096}};
  ArenaResource resource(arena);
  std::pmr::vector<int> numbers({1, 2, 3}, &resource);
  CHECK_THROWS_AS(numbers.resize(10'000), ArenaFailed);
  CHECK(numbers == std::pmr::vector<int>({1, 2, 3}));
}

TEST_CASE_FIXTURE(LiveArenas, "resource: containers of arena memory may stay undestroyed") {
  Arena arena;
  ArenaResource resource(arena);
  void* memory = arena.alloc(sizeof(std::pmr::vector<int>));
  auto* numbers = ::new (memory) std::pmr::vector<int>(1000, 7, &resource);
  CHECK(numbers->back() == 7);
}

}  // namespace
}  // namespace stadion
