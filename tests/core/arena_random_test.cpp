// SPDX-License-Identifier: MIT
// Random programs of arena operations against a simple model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

/// Runs random operations on an arena, and knows what must be in its memory.
class Program {
 public:
  Program(std::uint64_t seed, ScriptedMemory& memory) : random_(seed), memory_(memory) {
    begin_arena();
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      run_step();
      CHECK(arena_->bytes_used() <= arena_->bytes_reserved());
      CHECK(arena_->bytes_reserved() <= limit_bytes_);
    }
    end_arena();
  }

 private:
  struct Block {
    std::size_t bytes;
    unsigned char pattern;
  };

  /// Tells the model, and writes over its own bytes, when it is destroyed.
  struct Object {
    Object(std::vector<int>& destroyed, int id) : destroyed_ids(destroyed), number(id) {}
    ~Object() { destroyed_ids.push_back(number); }
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    std::vector<int>& destroyed_ids;
    int number;
  };

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  /// Mostly small, sometimes large: a uniform number of bits.
  std::size_t pick_bytes() { return pick(std::size_t{1} << pick(pick(20) == 0 ? 21 : 13)); }
  std::size_t pick_alignment() { return std::size_t{1} << pick(13); }

  void begin_arena() {
    limit_bytes_ = pick(3) == 0 ? 1024 + pick(2'000'000) : kArenaNoLimit;
    arena_.emplace(
        ArenaOptions{.chunk_bytes = std::size_t{1} << pick(21), .limit_bytes = limit_bytes_});
  }

  void end_arena() {
    check_and_forget([this] { arena_->dispose(); });
    CHECK(arena_->bytes_reserved() == 0);
    CHECK(arena_->try_alloc(1) == nullptr);
  }

  void run_step() {
    if (pick(15) == 0) {
      memory_.refuse_nth(static_cast<std::int64_t>(1 + pick(3)));
    }
    const std::size_t operation = pick(100);
    if (operation < 2) {
      end_arena();
      begin_arena();
    } else if (operation < 6) {
      check_and_forget([this] { arena_->clear(); });
      CHECK(arena_->bytes_used() == 0);
    } else {
      try {
        allocate(operation);
      } catch (const ArenaFailed&) {
        // Refused by the script or by the limit: all that there was must still be there.
      }
    }
  }

  void allocate(std::size_t operation) {
    const std::size_t bytes = pick_bytes();
    if (operation < 40) {
      const std::size_t alignment = pick_alignment();
      add(arena_->alloc(bytes, alignment), bytes, alignment);
    } else if (operation < 50) {
      const std::size_t alignment = pick_alignment();
      if (void* memory = arena_->try_alloc(bytes, alignment)) {
        add(memory, bytes, alignment);
      }
    } else if (operation < 65) {
      const std::size_t count = 1 + pick(8);
      add_zeroed(arena_->calloc(count, bytes), count * bytes);
    } else if (operation < 75) {
      add_zeroed(arena_->make_array<char>(bytes).data(), bytes);
    } else if (operation < 85) {
      add_copy(std::string(bytes, 'c'));
    } else {
      auto& object = arena_->make<Object>(destroyed_, next_id_);
      alive_.push_back(next_id_++);
      objects_.push_back(&object);
      check_room_for(&object, sizeof object);
      blocks_[reinterpret_cast<std::uintptr_t>(&object)] = {sizeof object, 0};
    }
  }

  void add(void* memory, std::size_t bytes, std::size_t alignment) {
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % alignment == 0);
    check_room_for(memory, bytes);
    const auto pattern = static_cast<unsigned char>(1 + pick(255));
    std::memset(memory, pattern, bytes);
    blocks_[reinterpret_cast<std::uintptr_t>(memory)] = {bytes, pattern};
  }

  void add_zeroed(void* memory, std::size_t bytes) {
    const auto* first = static_cast<const char*>(memory);
    CHECK(std::all_of(first, first + bytes, [](char byte) { return byte == 0; }));
    add(memory, bytes, 1);
  }

  void add_copy(const std::string& text) {
    const std::string_view copy = arena_->copy(text);
    CHECK(copy == text);
    if (!copy.empty()) {
      add(const_cast<char*>(copy.data()), copy.size(), 1);
    }
  }

  void check_room_for(const void* memory, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const auto after = blocks_.lower_bound(begin);
    CHECK((after == blocks_.end() || begin + std::max<std::size_t>(bytes, 1) <= after->first));
    if (after != blocks_.begin()) {
      const auto before = std::prev(after);
      CHECK(before->first + std::max<std::size_t>(before->second.bytes, 1) <= begin);
    }
  }

  /// All that was written is still there; the release then runs exactly the destructors owed, in
  /// reverse order.
  template <class Release>
  void check_and_forget(Release&& release) {
    for (const auto& [begin, block] : blocks_) {
      const auto* first = reinterpret_cast<const unsigned char*>(begin);
      const unsigned char pattern = block.pattern;
      CHECK((pattern == 0 || std::all_of(first, first + block.bytes, [pattern](unsigned char byte) {
               return byte == pattern;
             })));
    }
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      CHECK(objects_[i]->number == alive_[i]);
    }
    CHECK(destroyed_.empty());
    release();
    std::reverse(alive_.begin(), alive_.end());
    CHECK(destroyed_ == alive_);
    blocks_.clear();
    objects_.clear();
    alive_.clear();
    destroyed_.clear();
  }

  std::mt19937_64 random_;
  ScriptedMemory& memory_;
  std::optional<Arena> arena_;
  std::size_t limit_bytes_ = 0;
  std::map<std::uintptr_t, Block> blocks_;  ///< By address; pattern 0 for objects.
  std::vector<const Object*> objects_;
  std::vector<int> alive_;
  std::vector<int> destroyed_;
  int next_id_ = 0;
};

TEST_CASE_FIXTURE(LiveArenas,
                  "random programs: no overlap, aligned, intact, and every destructor once") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    ScriptedMemory memory;
    Program(seed, memory).run(250);
    Arena::trim();
    CHECK(memory.bytes_held() == 0);
  }
}

}  // namespace
}  // namespace stadion
