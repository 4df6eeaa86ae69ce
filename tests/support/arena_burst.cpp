// SPDX-License-Identifier: MIT
#include "tests/support/arena_burst.hpp"

#include <random>

#include "core/arena_scope.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/witness.hpp"

namespace stadion::tests {
namespace {

class Burst {
 public:
  Burst(Arena& arena, std::size_t arena_index, std::uint32_t seed)
      : arena_(arena), arena_index_(arena_index), random_(seed) {}

  BurstOutcome run() {
    for (std::size_t steps = 4 + pick(28); steps > 0; --steps) {
      step();
    }
    check_contents(outcome_.blocks);
    return std::move(outcome_);
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::size_t pick_bytes() { return pick(pick(16) == 0 ? 100'000 : 300); }

  void require(bool holds, const char* what) {
    if (!holds && outcome_.complaint == nullptr) {
      outcome_.complaint = what;
    }
  }

  void step() {
    const std::size_t operation = pick(20);
    if (operation < 12) {
      allocate(arena_, outcome_.blocks);
    } else if (operation < 15) {
      make_object();
    } else if (operation < 17) {
      use_scope();
    } else if (operation < 19) {
      use_arena_of_its_own();
    } else {
      look();
    }
  }

  void allocate(Arena& arena, std::vector<ModelBlock>& blocks) {
    ModelBlock block;
    block.bytes = pick_bytes();
    block.pattern = static_cast<unsigned char>(1 + pick(255));
    const std::size_t alignment = std::size_t{1} << pick(8);
    block.begin = static_cast<unsigned char*>(arena.try_alloc(block.bytes, alignment));
    if (block.begin == nullptr) {
      ++outcome_.refusal_count;
      return;
    }
    require(reinterpret_cast<std::uintptr_t>(block.begin) % alignment == 0, "not aligned");
    fill(block.begin, block.bytes, block.pattern);
    blocks.push_back(block);
  }

  void make_object() {
    try {
      arena_.make<Witness<24>>(WitnessOrders{.arena = &arena_, .arena_index = arena_index_});
    } catch (const ArenaFailed&) {
      ++outcome_.refusal_count;
    }
  }

  void use_scope() {
    const ArenaScope scope(arena_);
    std::vector<ModelBlock> blocks;
    for (std::size_t count = pick(6); count > 0; --count) {
      allocate(arena_, blocks);
      make_object();
    }
    check_contents(blocks);
  }

  void use_arena_of_its_own() {
    Arena own({.chunk_bytes = std::size_t{1} << (10 + pick(8))});
    for (std::size_t rounds = 1 + pick(2); rounds > 0; --rounds) {
      std::vector<ModelBlock> blocks;
      for (std::size_t count = pick(12); count > 0; --count) {
        allocate(own, blocks);
      }
      check_contents(blocks);
      own.clear(pick(2) == 0 ? kArenaKeptBytesMax : 0);
      require(own.bytes_used() == 0, "clear() left something in use");
    }
  }

  void look() {
    require(Arena::debug_live_count() > 0 || arena_.is_disposed(), "no arena is live");
    (void)Arena::debug_live_bytes();
    (void)arena_.bytes_reserved();
    for (const LiveArena& live : Arena::debug_live()) {
      require(live.id != 0, "an arena that is not live is listed");
    }
    if (pick(3) == 0) {
      Arena::trim();
    }
  }

  void check_contents(const std::vector<ModelBlock>& blocks) {
    for (const ModelBlock& block : blocks) {
      require(is_filled(block.begin, block.bytes, block.pattern), "a block was overwritten");
    }
  }

  Arena& arena_;
  const std::size_t arena_index_;
  std::minstd_rand random_;
  BurstOutcome outcome_;
};

}  // namespace

BurstOutcome burst(Arena& arena, std::size_t arena_index, std::uint32_t seed) {
  return Burst(arena, arena_index, seed).run();
}

}  // namespace stadion::tests
