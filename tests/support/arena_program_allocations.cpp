// SPDX-License-Identifier: MIT
// The operations that allocate.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "core/chunk.hpp"
#include "tests/support/arena_burst.hpp"
#include "tests/support/arena_program.hpp"
#include "tests/support/pattern.hpp"

namespace stadion::tests {
namespace {

/// Where arithmetic on sizes goes wrong, if it does.
constexpr std::size_t kExtremeBytes[] = {SIZE_MAX,
                                         SIZE_MAX - 15,
                                         SIZE_MAX - 16,
                                         SIZE_MAX - 4096,
                                         SIZE_MAX / 2,
                                         SIZE_MAX / 2 + 1,
                                         kArenaAllocationBytesMax - 1,
                                         kArenaAllocationBytesMax,
                                         kArenaAllocationBytesMax + 1,
                                         ScriptedMemory::kRequestBytesMax};

std::size_t product(std::size_t count, std::size_t bytes) noexcept {
  std::size_t total = 0;
  return __builtin_mul_overflow(count, bytes, &total) ? SIZE_MAX : total;
}

}  // namespace

std::size_t ArenaProgram::pick_bytes() {
  const std::size_t kind = choices_.pick(32);
  if (kind == 0) {
    return 0;
  }
  if (kind == 31) {
    return kExtremeBytes[choices_.pick(std::size(kExtremeBytes))];
  }
  return choices_.pick(kind < 20 ? 256 : kind < 28 ? 4096 : kind < 30 ? 65536 : 3 << 20);
}

std::size_t ArenaProgram::pick_alignment() {
  const std::size_t kind = choices_.pick(16);
  if (kind < 8) {
    return alignof(std::max_align_t);
  }
  return std::size_t{1} << choices_.pick(kind < 15 ? 13 : 16);
}

WitnessOrders ArenaProgram::pick_orders() {
  const std::size_t kind = choices_.pick(16);
  return {.arena = &*place().arena,
          .arena_index = index_,
          .descendants = kind < 4 ? static_cast<unsigned>(kind) : 0,
          .makes_another = kind == 4 || kind == 1,
          .refuses_to_live = kind == 5};
}

// --- Allocating -------------------------------------------------------------------------------

bool ArenaProgram::must_refuse(std::size_t bytes, std::size_t alignment) const {
  return bytes > kArenaAllocationBytesMax || alignment > kArenaAlignmentMax ||
         places_[index_].arena->is_disposed();
}

bool ArenaProgram::may_refuse(std::size_t bytes, std::size_t alignment) const {
  if (must_refuse(bytes, alignment) || memory_.refusal_count() != refusals_before_) {
    return true;
  }
  const std::size_t needed = detail::chunk_bytes_for(sizeof(detail::Chunk) + alignment + bytes);
  const std::size_t limit = places_[index_].model.limit_bytes();
  const std::size_t reserved = places_[index_].arena->bytes_reserved();
  return needed > limit - std::min(limit, reserved) ||
         needed > process_limit_ - std::min(process_limit_, Arena::process_bytes());
}

void* ArenaProgram::attempt(std::size_t bytes, std::size_t alignment,
                            const std::function<void*()>& allocate) {
  place().model.ask(thread_number());
  const std::size_t used = place().arena->bytes_used();
  void* memory = nullptr;
  on_thread([&allocate, &memory] {
    try {
      memory = allocate();
    } catch (const ArenaFailed&) {
      memory = nullptr;
    }
  });
  if (memory == nullptr) {
    verdict_.check(may_refuse(bytes, alignment), "refused without a reason");
    verdict_.check(place().arena->bytes_used() == used, "refused, but used something");
  } else {
    verdict_.check(!must_refuse(bytes, alignment), "allocated what is to be refused");
  }
  return memory;
}

void ArenaProgram::allocate() {
  const std::size_t bytes = pick_bytes();
  const std::size_t alignment = pick_alignment();
  trace("alloc(", bytes, ", ", alignment, ")");
  Arena& arena = *place().arena;
  if (void* memory = attempt(bytes, alignment, [&] { return arena.alloc(bytes, alignment); })) {
    place().model.add_block(thread_number(), memory, bytes, alignment);
  }
}

void ArenaProgram::try_allocate() {
  const std::size_t bytes = pick_bytes();
  const std::size_t alignment = pick_alignment();
  trace("try_alloc(", bytes, ", ", alignment, ")");
  Arena& arena = *place().arena;
  if (void* memory = attempt(bytes, alignment, [&] { return arena.try_alloc(bytes, alignment); })) {
    place().model.add_block(thread_number(), memory, bytes, alignment);
  }
}

void ArenaProgram::allocate_zeroed() {
  const std::size_t count = choices_.pick(9);
  const std::size_t bytes = pick_bytes();
  const std::size_t total = product(count, bytes);
  trace("calloc(", count, ", ", bytes, ")");
  Arena& arena = *place().arena;
  constexpr std::size_t kAlignment = alignof(std::max_align_t);
  if (void* memory = attempt(total, kAlignment, [&] { return arena.calloc(count, bytes); })) {
    verdict_.check(is_all(static_cast<unsigned char*>(memory), total, 0), "not zeroed");
    place().model.add_block(thread_number(), memory, total, kAlignment);
  }
}

void ArenaProgram::make_array() {
  const std::size_t bytes = pick_bytes();
  const std::size_t count = choices_.one_in(16) ? bytes : bytes / sizeof(std::uint64_t);
  const std::size_t total = product(count, sizeof(std::uint64_t));
  trace("make_array<std::uint64_t>(", count, ")");
  Arena& arena = *place().arena;
  const auto make = [&]() -> void* { return arena.make_array<std::uint64_t>(count).data(); };
  if (void* memory = attempt(total, alignof(std::uint64_t), make)) {
    verdict_.check(is_all(static_cast<unsigned char*>(memory), total, 0), "not value-initialised");
    place().model.add_block(thread_number(), memory, total, alignof(std::uint64_t));
  }
}

void ArenaProgram::copy_text() {
  static const std::string text(100'000, 'c');
  const std::string_view some = std::string_view(text).substr(0, 1 + pick_bytes() % text.size());
  trace("copy(", some.size(), " bytes)");
  Arena& arena = *place().arena;
  const auto copy = [&]() -> void* { return const_cast<char*>(arena.copy(some).data()); };
  if (void* memory = attempt(some.size(), 1, copy)) {
    verdict_.check(std::memcmp(memory, some.data(), some.size()) == 0, "the copy differs");
    place().model.add_block(thread_number(), memory, some.size(), 1);
  }
}

template <std::size_t kBytes, std::size_t kAlignment>
void ArenaProgram::make_witness(const WitnessOrders& orders) {
  using Object = Witness<kBytes, kAlignment>;
  trace("make<Witness<", kBytes, ", ", kAlignment, ">>, descendants ", orders.descendants,
        orders.makes_another ? ", makes another" : "", orders.refuses_to_live ? ", throws" : "");
  void* const refused_to_live = this;  // Anything but null: the arena has not refused.
  void* memory = attempt(sizeof(Object) * 2, kAlignment, [&]() -> void* {
    try {
      return &orders.arena->make<Object>(orders);
    } catch (const WitnessRefusesToLive&) {
      return refused_to_live;
    }
  });
  if (memory == refused_to_live) {
    place().model.forget_last(thread_number());
  }
}

void ArenaProgram::make_object() {
  const WitnessOrders orders = pick_orders();
  constexpr std::size_t kUsual = alignof(std::max_align_t);
  switch (choices_.pick(10)) {
    case 0: return make_witness<200, kUsual>(orders);
    case 1: return make_witness<8, 64>(orders);
    case 2: return make_witness<100, kArenaAlignmentMax>(orders);
    case 3: return make_witness<5000, kUsual>(orders);
    case 4: return make_witness<70'000, kUsual>(orders);
    default: return make_witness<8, kUsual>(orders);
  }
}

void ArenaProgram::extend() {
  const ModelBlock* block = place().model.last_block(thread_number());
  if (block == nullptr) {
    return;
  }
  const std::size_t kind = choices_.pick(8);
  const std::size_t bytes = kind < 3   ? choices_.pick(block->bytes + 1)
                            : kind < 7 ? block->bytes + choices_.pick(1024)
                                       : SIZE_MAX - choices_.pick(64);
  trace("extend(…, ", block->bytes, ", ", bytes, ")");
  bool is_extended = false;
  on_thread([&] { is_extended = place().arena->extend(block->begin, block->bytes, bytes); });
  // A small one never has a chunk of its own, in which it could not be extended; and one of zero
  // bytes, or from before a scope, never can.
  const bool must = bytes <= block->bytes && block->bytes > 0 && block->bytes <= 256 &&
                    block->alignment <= 64 && place().scopes[thread_].empty();
  verdict_.check(is_extended || !must, "extend() did not shrink the last block");
  if (is_extended) {
    place().model.extend(*block, bytes);
  }
}

void ArenaProgram::allocate_together() {
  const auto seed = static_cast<std::uint32_t>(choices_.pick(65536));
  trace("all threads at once, seed ", seed);
  std::array<BurstOutcome, Crew::kSize> outcomes;
  std::array<std::vector<WitnessEvent>, Crew::kSize> events;
  crew_.run_together([&](std::size_t thread) {
    const auto own_seed = static_cast<std::uint32_t>(seed * Crew::kSize + thread + 1);
    outcomes[thread] = burst(*place().arena, index_, own_seed);
    events[thread] = std::exchange(witness_events, {});
  });
  const bool may_refuse = place().arena->is_disposed() || process_limit_ != kArenaNoLimit ||
                          place().model.limit_bytes() != kArenaNoLimit ||
                          memory_.refusal_count() != refusals_before_;
  for (std::size_t thread = 0; thread < Crew::kSize; ++thread) {
    const BurstOutcome& outcome = outcomes[thread];
    const std::uint64_t number = crew_.number(thread);
    verdict_.check(outcome.complaint == nullptr, outcome.complaint);
    verdict_.check(outcome.refusal_count == 0 || may_refuse, "refused without a reason");
    place().model.ask(number);
    place().model.replay(number, events[thread]);
    for (const ModelBlock& block : outcome.blocks) {
      place().model.add_filled_block(number, block);
    }
    place().model.forget_last(number);  // An object may have come after it.
  }
}

}  // namespace stadion::tests
