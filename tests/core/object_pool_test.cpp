// SPDX-License-Identifier: MIT
#include "core/object_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

TEST_CASE_FIXTURE(LiveArenas, "object pool: constructs from the arguments, and release destroys") {
  Arena arena;
  ObjectPool<std::shared_ptr<int>> pool(arena);
  const auto number = std::make_shared<int>(7);
  std::shared_ptr<int>& held = pool.acquire(number);
  CHECK(number.use_count() == 2);
  CHECK(*held == 7);
  pool.release(held);
  CHECK(number.use_count() == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "object pool: acquiring and releasing for ever does not grow the arena") {
  Arena arena;
  ObjectPool<std::string> pool(arena);
  std::vector<std::string*> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(&pool.acquire(100, 'x'));
  }
  const std::set<std::string*> first(held.begin(), held.end());
  CHECK(first.size() == 100);
  const std::size_t used = arena.bytes_used();
  for (int round = 0; round < 50; ++round) {
    for (std::string* text : held) {
      pool.release(*text);
    }
    held.clear();
    for (int i = 0; i < 100; ++i) {
      held.push_back(&pool.acquire(100, 'y'));
    }
    CHECK(std::set<std::string*>(held.begin(), held.end()) == first);
  }
  CHECK(arena.bytes_used() == used);
  for (std::string* text : held) {
    CHECK(*text == std::string(100, 'y'));
    pool.release(*text);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "object pool: random acquiring and releasing keeps every held object intact") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Arena arena;
    ObjectPool<std::string> pool(arena);
    std::vector<std::pair<std::string*, std::string>> held;
    std::size_t most_held = 0;
    std::size_t used = 0;
    for (int step = 0; step < 1000; ++step) {
      if (held.empty() || random() % 2 == 0) {
        std::string text(random() % 60, static_cast<char>('a' + random() % 26));
        held.emplace_back(&pool.acquire(text), text);
        CHECK((held.size() > most_held || arena.bytes_used() == used));
        most_held = std::max(most_held, held.size());
        used = arena.bytes_used();
      } else {
        std::swap(held[random() % held.size()], held.back());
        CHECK(*held.back().first == held.back().second);
        pool.release(*held.back().first);
        held.pop_back();
      }
    }
    for (const auto& [object, text] : held) {
      CHECK(*object == text);
      pool.release(*object);
    }
  }
}

TEST_CASE_FIXTURE(
    LiveArenas, "object pool: objects are aligned, whatever their size and the arena's position") {
  struct alignas(512) Aligned {
    char bytes[3];
  };
  Arena arena;
  ObjectPool<Aligned> aligned(arena);
  ObjectPool<char> narrow(arena);
  for (int i = 0; i < 20; ++i) {
    (void)arena.alloc(1, 1);
    CHECK(reinterpret_cast<std::uintptr_t>(&aligned.acquire()) % alignof(Aligned) == 0);
    CHECK(narrow.acquire('x') == 'x');
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "object pool: a constructor that throws costs no memory, new slot or recycled one") {
  struct Throwing {
    explicit Throwing(bool throws) {
      if (throws) {
        throw std::runtime_error("no");
      }
    }
    char bytes[100] = {};
  };
  Arena arena;
  ObjectPool<Throwing> pool(arena);
  CHECK_THROWS_AS(pool.acquire(true), std::runtime_error);
  Throwing& object = pool.acquire(false);
  const std::size_t used = arena.bytes_used();
  pool.release(object);
  for (int i = 0; i < 100; ++i) {
    CHECK_THROWS_AS(pool.acquire(true), std::runtime_error);
    pool.release(pool.acquire(false));
  }
  CHECK(arena.bytes_used() == used);
}

TEST_CASE_FIXTURE(
    LiveArenas, "object pool: out of memory raises ArenaFailed, and what was released serves on") {
  ScriptedMemory memory;
  Arena arena{ArenaOptions{.chunk_bytes = 1024}};
  ObjectPool<std::string> pool(arena);
  std::vector<std::string*> held{&pool.acquire("first")};
  memory.refuse_all();
  const auto acquire_all = [&] {
    for (int i = 0; i < 1000; ++i) {
      held.push_back(&pool.acquire("another"));
    }
  };
  CHECK_THROWS_AS(acquire_all(), ArenaFailed);
  CHECK(*held.front() == "first");
  std::string* released = held.back();
  held.pop_back();
  pool.release(*released);
  CHECK(&pool.acquire("again") == released);
  CHECK_THROWS_AS(pool.acquire("one too many"), ArenaFailed);
  memory.allow_all();
  CHECK(pool.acquire("now there is") == "now there is");
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "object pool: a constructor may acquire from the same pool, a destructor release to it") {
  struct Node {
    Node(ObjectPool<Node>& home, int depth)
        : pool(home), child(depth > 0 ? &home.acquire(home, depth - 1) : nullptr) {}
    ~Node() {
      if (child != nullptr) {
        pool.release(*child);
      }
    }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ObjectPool<Node>& pool;
    Node* child;
  };
  Arena arena;
  ObjectPool<Node> pool(arena);
  pool.release(pool.acquire(pool, 5));
  const std::size_t used = arena.bytes_used();
  for (int i = 0; i < 10; ++i) {
    pool.release(pool.acquire(pool, 5));
  }
  CHECK(arena.bytes_used() == used);
}

}  // namespace
}  // namespace stadion
