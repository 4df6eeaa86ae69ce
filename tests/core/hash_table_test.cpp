// SPDX-License-Identifier: MIT
#include "core/hash_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {

namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

/// A key whose hash is what the test says: collisions and clusters on command.
struct ChosenKey {
  std::uint64_t hash;
  int id;
  bool operator==(const ChosenKey&) const = default;
};

struct StdHashOfChosenKey {
  std::size_t operator()(const ChosenKey& key) const noexcept {
    return static_cast<std::size_t>(key.id);
  }
};

}  // namespace

template <>
struct Hash<ChosenKey> {
  std::uint64_t operator()(const ChosenKey& key, HashSeed /*seed*/) const noexcept {
    return key.hash;
  }
};

namespace {

/// Takes all that is left of the arena's chunk, so that the next allocation needs the system.
void exhaust(Arena& arena, ScriptedMemory& memory) {
  memory.refuse_all();
  while (arena.try_alloc(1, 1) != nullptr) {
  }
}

/// The table and the model hold the same entries.
template <class Table, class Model>
bool same(Table& table, const Model& model) {
  std::size_t visited = 0;
  bool equal = table.size() == model.size() && table.empty() == model.empty();
  table.for_each([&](const auto& key, const auto& value) {
    ++visited;
    const auto found = model.find(key);
    equal = equal && found != model.end() && found->second == value;
  });
  for (const auto& [key, value] : model) {
    const auto* found = std::as_const(table).find(key);
    equal = equal && found != nullptr && *found == value && table.contains(key);
  }
  return equal && visited == model.size();
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: a new one is empty and takes no memory until it must") {
  Arena arena;
  HashTable<int, int> table(arena);
  CHECK(table.empty());
  CHECK(table.size() == 0);
  CHECK(table.capacity() == 0);
  CHECK(table.find(1) == nullptr);
  CHECK_FALSE(table.contains(1));
  CHECK_FALSE(table.erase(1));
  table.clear();
  table.for_each([](const int&, int&) { FAIL_CHECK("there is nothing to visit"); });
  CHECK(arena.bytes_used() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: try_emplace keeps what is there, insert_or_assign replaces it") {
  Arena arena;
  HashTable<std::string, std::string> table(arena);
  const auto [first, first_is_new] = table.try_emplace("key", 3U, 'a');
  CHECK(first_is_new);
  CHECK(first == "aaa");
  const auto [second, second_is_new] = table.try_emplace("key", 3U, 'b');
  CHECK_FALSE(second_is_new);
  CHECK(&second == &first);
  CHECK(second == "aaa");
  CHECK(table.insert_or_assign("key", "replaced") == "replaced");
  CHECK(*table.find("key") == "replaced");
  CHECK(table.insert_or_assign("other", "new") == "new");
  CHECK(table.size() == 2);
  *table.find("key") = "written through the pointer";
  CHECK(*std::as_const(table).find("key") == "written through the pointer");
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: what try_emplace does not need it leaves alone") {
  Arena arena;
  HashTable<int, std::unique_ptr<int>> table(arena);
  table.try_emplace(1, std::make_unique<int>(10));
  auto spare = std::make_unique<int>(20);
  CHECK_FALSE(table.try_emplace(1, std::move(spare)).second);
  REQUIRE(spare != nullptr);
  CHECK(*spare == 20);
  table.insert_or_assign(1, std::move(spare));
  CHECK(**table.find(1) == 20);
}

TEST_CASE_FIXTURE(
    LiveArenas, "hash table: one given its expected size does not grow before it holds that many") {
  for (std::size_t expected = 1; expected <= 300; ++expected) {
    CAPTURE(expected);
    Arena arena;
    HashTable<std::size_t, std::size_t> table(arena, expected);
    CHECK(table.capacity() >= expected);
    const std::size_t used = arena.bytes_used();
    for (std::size_t key = 0; key < expected; ++key) {
      table.try_emplace(key, key);
    }
    CHECK(arena.bytes_used() == used);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: grows when its capacity is full, and not one entry earlier") {
  Arena arena;
  HashTable<int, int> table(arena, 1);
  for (int growth = 0; growth < 8; ++growth) {
    const std::size_t capacity = table.capacity();
    for (int key = static_cast<int>(table.size()); table.size() < capacity; ++key) {
      table.try_emplace(key, -key);
    }
    CHECK(table.capacity() == capacity);
    const int next = static_cast<int>(table.size());
    table.try_emplace(next, -next);
    CHECK(table.capacity() == 2 * capacity);
    for (int key = 0; key <= next; ++key) {
      REQUIRE(table.find(key) != nullptr);
      CHECK(*table.find(key) == -key);
    }
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "hash table: replacing and erasing for ever does not grow a table that is not full") {
  Arena arena;
  HashTable<int, int> table(arena, 100);
  const std::size_t used = arena.bytes_used();
  for (int key = 0; key < 10'000; ++key) {
    table.try_emplace(key, key);
    CHECK(table.erase(key - 50) == (key >= 50));
  }
  CHECK(table.size() == 50);
  CHECK(arena.bytes_used() == used);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: an expected size that cannot be represented raises ArenaFailed") {
  ScriptedMemory memory;
  Arena arena;
  using Table = HashTable<std::uint64_t, std::uint64_t>;
  // Refused for their size, or by the system; none may wrap round to a small one.
  for (int bit = 32; bit < 64; ++bit) {
    CAPTURE(bit);
    CHECK_THROWS_AS(Table(arena, std::size_t{1} << bit), ArenaFailed);
    CHECK_THROWS_AS(Table(arena, (std::size_t{1} << bit) - 1), ArenaFailed);
  }
  CHECK_THROWS_AS(Table(arena, std::numeric_limits<std::size_t>::max()), ArenaFailed);
  CHECK(arena.make<int>(7) == 7);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "hash table: no memory for growth raises ArenaFailed and leaves the table as it was") {
  ScriptedMemory memory;
  Arena arena;
  HashTable<std::string, std::string> table(arena);
  std::unordered_map<std::string, std::string> model;
  std::size_t growths_refused = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "a key too long for the string's own buffer " + std::to_string(i);
    if (table.size() == table.capacity()) {
      const std::size_t capacity = table.capacity();
      exhaust(arena, memory);
      CHECK_THROWS_AS(table.try_emplace(key, "value"), ArenaFailed);
      CHECK_THROWS_AS(table.insert_or_assign(key, "value"), ArenaFailed);
      CHECK(table.capacity() == capacity);
      CHECK_FALSE(table.contains(key));
      CHECK(same(table, model));
      memory.allow_all();
      ++growths_refused;
    }
    table.try_emplace(key, std::to_string(i));
    model.emplace(key, std::to_string(i));
  }
  CHECK(growths_refused >= 5);
  CHECK(same(table, model));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: a full table without memory still finds, replaces and erases") {
  ScriptedMemory memory;
  Arena arena;
  HashTable<int, int> table(arena, 1);
  for (int key = 0; table.size() < table.capacity(); ++key) {
    table.try_emplace(key, key);
  }
  exhaust(arena, memory);
  CHECK(table.insert_or_assign(0, 100) == 100);
  CHECK_FALSE(table.try_emplace(1, 100).second);
  CHECK(table.erase(2));
  CHECK(table.try_emplace(1000, 7).second);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: a key or value whose construction throws is not in the table") {
  struct Throwing {
    explicit Throwing(bool throws) {
      if (throws) {
        throw std::runtime_error("no");
      }
    }
    std::string text = "a text too long for the string's own buffer";
  };
  Arena arena;
  HashTable<std::string, Throwing> table(arena);
  for (int i = 0; i < 100; ++i) {
    const std::string key = "a key too long for the string's own buffer " + std::to_string(i);
    CHECK_THROWS_AS(table.try_emplace(key, true), std::runtime_error);
    CHECK_FALSE(table.contains(key));
    CHECK(table.size() == static_cast<std::size_t>(i));
    table.try_emplace(key, false);
    CHECK(table.contains(key));
  }
}

/// Counts its living instances, to see that each is destroyed once.
struct Living {
  explicit Living(int n) : number(n) { ++count; }
  Living(Living&& other) noexcept : number(other.number) { ++count; }
  Living& operator=(Living&& other) noexcept = default;
  Living(const Living&) = delete;
  Living& operator=(const Living&) = delete;
  ~Living() { --count; }

  static inline int count = 0;
  int number;
};

TEST_CASE_FIXTURE(
    LiveArenas,
    "hash table: every value is destroyed once, by erase, clear, growth or the table's end") {
  Arena arena;
  {
    HashTable<int, Living> table(arena);
    for (int key = 0; key < 200; ++key) {
      table.try_emplace(key, key);
      CHECK(Living::count == key + 1);
    }
    for (int key = 0; key < 200; key += 2) {
      table.erase(key);
    }
    CHECK(Living::count == 100);
    table.insert_or_assign(1, Living(-1));
    CHECK(Living::count == 100);
    table.clear();
    CHECK(Living::count == 0);
    CHECK(table.empty());
    CHECK_FALSE(table.contains(1));
    const std::size_t used = arena.bytes_used();
    for (int key = 0; key < 200; ++key) {
      table.try_emplace(key, key);
    }
    CHECK(arena.bytes_used() == used);
    CHECK(table.find(77)->number == 77);
  }
  CHECK(Living::count == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: one made in an arena ends with it") {
  Arena arena;
  auto& table = arena.make<HashTable<std::string_view, Living>>(arena, 10U);
  table.try_emplace(arena.copy("key"), 1);
  CHECK(Living::count == 1);
  arena.dispose();
  CHECK(Living::count == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: text keys are compared by content, whoever owns the bytes") {
  Arena arena;
  HashTable<std::string_view, int> table(arena);
  std::string key = "Content-Length";
  table.try_emplace(arena.copy(key), 1);
  key[0] = 'X';
  CHECK(table.contains("Content-Length"));
  CHECK_FALSE(table.contains(key));
  table.try_emplace("", 2);
  CHECK(*table.find(std::string_view{}) == 2);
  table.try_emplace(std::string_view("a\0b", 3), 3);
  CHECK_FALSE(table.contains("a"));
  CHECK(*table.find(std::string_view("a\0b", 3)) == 3);
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: over-aligned values are aligned") {
  struct alignas(256) Wide {
    int number;
  };
  Arena arena;
  (void)arena.alloc(1, 1);
  HashTable<int, Wide> table(arena);
  for (int key = 0; key < 100; ++key) {
    table.try_emplace(key, Wide{key});
    CHECK(reinterpret_cast<std::uintptr_t>(table.find(key)) % 256 == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: for_each may change values, and sees every entry once") {
  Arena arena;
  HashTable<int, int> table(arena);
  for (int key = 0; key < 100; ++key) {
    table.try_emplace(key, key);
  }
  table.for_each([](const int&, int& value) { value += 1000; });
  std::vector<int> values;
  table.for_each([&](const int& key, const int& value) {
    CHECK(value == key + 1000);
    values.push_back(value);
  });
  std::sort(values.begin(), values.end());
  CHECK(values.size() == 100);
  CHECK(std::unique(values.begin(), values.end()) == values.end());
}

std::vector<int> keys_in_order(HashSeed seed) {
  Arena arena;
  HashTable<int, int> table(arena, 64, seed);
  for (int key = 0; key < 64; ++key) {
    table.try_emplace(key << 20, key);
  }
  std::vector<int> order;
  table.for_each([&order](const int& key, const int&) { order.push_back(key); });
  return order;
}

TEST_CASE_FIXTURE(
    LiveArenas, "hash table: keys equal in their low bits are laid out by the secret seed alone") {
  CHECK(keys_in_order({1, 2}) == keys_in_order({1, 2}));
  CHECK(keys_in_order({1, 2}) != keys_in_order({1, 3}));
  CHECK(keys_in_order({1, 2}) != keys_in_order({2, 2}));
  CHECK(keys_in_order({0, 0}) == keys_in_order({0, 0}));
}

/// Random operations on a table and on the model, with keys from `key_of(random number)`.
template <class Key, class Value, class StdHash, class KeyOf, class ValueOf>
void run_program(std::uint64_t seed, int steps, std::size_t expected, KeyOf&& key_of,
                 ValueOf&& value_of) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Arena arena;
  HashTable<Key, Value> table(arena, expected);
  std::unordered_map<Key, Value, StdHash> model;
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    const Key key = key_of(random);
    const Value value = value_of(random);
    switch (random() % 10) {
      case 0:
      case 1:
      case 2:
      case 3:
        CHECK(table.try_emplace(key, value).second == model.try_emplace(key, value).second);
        break;
      case 4:
      case 5:
        CHECK(table.insert_or_assign(key, value) == value);
        model.insert_or_assign(key, value);
        break;
      case 6:
      case 7:
      case 8: CHECK(table.erase(key) == (model.erase(key) == 1)); break;
      default:
        CHECK(table.contains(key) == (model.count(key) == 1));
        if (random() % 50 == 0) {
          table.clear();
          model.clear();
        }
    }
    if (steps < 300 || step % 16 == 0) {
      CHECK(same(table, model));
    }
  }
  CHECK(same(table, model));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: random programs agree with std::unordered_map, with numbers") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::uint64_t key_count = seed * seed;
    run_program<std::uint64_t, std::uint64_t, std::hash<std::uint64_t>>(
        seed, 600, seed % 3 * 10, [&](auto& random) { return random() % key_count << 32; },
        [](auto& random) { return random(); });
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "hash table: random programs agree with std::unordered_map, with strings") {
  const auto text = [](auto& random) {
    const std::uint64_t number = random() % 150;
    return std::string(number % 40, 'x') + std::to_string(number);
  };
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    run_program<std::string, std::string, std::hash<std::string>>(seed, 500, 0, text, text);
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "hash table: erasing from clusters that wrap round the table's end loses no entry") {
  // At most 6 keys, in 8 slots: homes 6, 7 and 0 make clusters across the end. A hash of 0 is among
  // them.
  const auto key = [](auto& random) {
    static constexpr std::uint64_t kHomes[] = {6, 7, 7, 0, 0, 5};
    const int id = static_cast<int>(random() % 6);
    return ChosenKey{kHomes[id] + (id % 2 == 0 ? 0 : 64), id};
  };
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    run_program<ChosenKey, std::string, StdHashOfChosenKey>(
        seed, 150, 1, key, [](auto& random) { return std::to_string(random()); });
  }
}

TEST_CASE_FIXTURE(LiveArenas, "hash table: keys whose whole hash is equal are still told apart") {
  for (const std::uint64_t hash : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    CAPTURE(hash);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      run_program<ChosenKey, int, StdHashOfChosenKey>(
          seed, 250, 0,
          [hash](auto& random) {
            return ChosenKey{hash, static_cast<int>(random() % 40)};
          },
          [](auto& random) { return static_cast<int>(random() % 1000); });
    }
  }
}

}  // namespace
}  // namespace stadion
