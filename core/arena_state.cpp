// SPDX-License-Identifier: MIT
#include "core/arena_state.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/depot.hpp"
#include "core/known_lanes.hpp"
#include "core/state_store.hpp"
#include "core/system_memory.hpp"
#include "core/thread_cache.hpp"

namespace stadion::detail {
namespace {

/// After so many chunks of one size the next is twice as large, up to the largest size that is
/// recycled: a large arena has few chunks, a small one is small.
constexpr std::size_t kChunksBeforeGrowth = 4;
/// Other threads than the owner start smaller: there may be many, each with little to allocate.
constexpr std::size_t kOtherLaneChunkBytes = 4096;

/// Without a locked instruction: for a counter that has one writer.
void add(std::atomic<std::size_t>& counter, std::size_t change) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

/// Answers how many bytes they were.
std::size_t release_chunks(Chunk* list) noexcept {
  std::size_t bytes = 0;
  while (list != nullptr) {
    Chunk* chunk = list;
    list = chunk->next;
    bytes += chunk->bytes;
    take_back(chunk, chunk->begin(), chunk->capacity());
    release_chunk(chunk);
  }
  return bytes;
}

}  // namespace

ArenaFront::ArenaFront(std::size_t chunk_bytes, std::size_t limit_bytes,
                       SourceLocation made) noexcept
    : state(StateStore::take(chunk_bytes, limit_bytes)),
      owner(thread_id),
      owned(state != nullptr ? state->waiting : nullptr) {
  if (state != nullptr) [[likely]] {
    state->front = this;
    state->lanes_id = next_arena_id();
    state->record.made(state->lanes_id, owner, made);
  }
}

void ArenaFront::dispose() noexcept {
  STADION_ASSERT(owned.scope_count == 0);
  StateStore* store = this_threads_store;
  if (state->has_one_chunk() && state->home == store && store->has_room_for(owned.first->bytes))
      [[likely]] {
    owned.restart();
  } else {
    state->reduce();
  }
  state->used_max = 0;
  state->waiting = owned.first;
  state->record.disposed();
  if (state->home == store) [[likely]] {
    store->put_back(*state);
  } else {
    state->home->put_back_from_elsewhere(*state);
  }
}

void ArenaState::refit(std::size_t new_chunk_bytes, std::size_t new_limit_bytes) noexcept {
  // Of a tight limit nothing is spent before it is known which thread allocates.
  if (waiting != nullptr &&
      (waiting->bytes != new_chunk_bytes || new_chunk_bytes > new_limit_bytes / 2)) {
    release_chunk(std::exchange(waiting, nullptr));
  }
  chunk_bytes = new_chunk_bytes;
  limit_bytes = new_limit_bytes;
  const std::size_t bytes = waiting != nullptr ? chunk_bytes : 0;
  const bool is_limited = limit_bytes != kArenaNoLimit;
  record.owner_bytes.store(is_limited ? 0 : bytes, std::memory_order_relaxed);
  record.shared_bytes.store(is_limited ? bytes : 0, std::memory_order_relaxed);
}

void ArenaState::reduce() noexcept {
  destroy_objects();
  drop_other_lanes();
  free_large_down_to(owned(), nullptr);
  const bool may_wait = home == this_threads_store && owned().first != nullptr &&
                        home->has_room_for(owned().first->bytes);
  rewind(owned(), may_wait ? origin(owned()) : LaneMark{});
  free_kept_beyond(owned(), 0);
  owned().used_max = 0;
}

void ArenaState::clear(std::size_t keep_bytes) noexcept {
  STADION_ASSERT(owned().scope_count == 0);
  if (has_one_chunk() && owned().first->bytes <= keep_bytes) [[likely]] {
    used_max = std::max(used_max, owned().bytes_used_max());
    owned().restart();
  } else {
    destroy_objects();
    used_max = bytes_used_max();
    drop_other_lanes();
    const bool keeps_first = owned().first != nullptr && owned().first->bytes <= keep_bytes;
    rewind(owned(), keeps_first ? origin(owned()) : LaneMark{});
    free_kept_beyond(owned(), keep_bytes);
    owned().used_max = 0;
  }
}

template <class Visit>
void ArenaState::for_each_lane(Visit&& visit) const {
  visit(std::as_const(owned()));
  for (const OtherLane* lane = newest_other_lane(); lane != nullptr; lane = lane->older) {
    visit(*lane);
  }
}

ArenaStatistics ArenaState::statistics() const noexcept {
  ArenaStatistics statistics;
  statistics.bytes_used_max = bytes_used_max();
  statistics.bytes_reserved = record.bytes();
  for_each_lane([&statistics](const Lane& lane) {
    std::size_t bytes = 0;
    for (const Chunk* chunk = lane.first; chunk != nullptr; chunk = chunk->next) {
      ++statistics.chunks;
    }
    for (const Chunk* chunk = lane.first; chunk != lane.kept(); chunk = chunk->next) {
      bytes += chunk->bytes;
    }
    for (const Chunk* chunk = lane.large; chunk != nullptr; chunk = chunk->next) {
      bytes += chunk->bytes;
      ++statistics.chunks;
    }
    const std::size_t used = lane.bytes_used();
    statistics.bytes_used += used;
    statistics.bytes_wasted += bytes - used - (lane.end - lane.position);
    statistics.lanes += static_cast<std::size_t>(lane.first != nullptr || lane.large != nullptr);
  });
  return statistics;
}

std::size_t ArenaState::bytes_used() const noexcept {
  std::size_t bytes = 0;
  for_each_lane([&bytes](const Lane& lane) { bytes += lane.bytes_used(); });
  return bytes;
}

std::size_t ArenaState::bytes_used_max() const noexcept {
  std::size_t bytes = 0;
  for_each_lane([&bytes](const Lane& lane) { bytes += lane.bytes_used_max(); });
  return std::max(used_max, bytes);
}

Lane* ArenaState::this_threads_lane() noexcept {
  return front->owned_by_this_thread() ? &owned() : find_other_lane();
}

OtherLane* ArenaState::find_other_lane() const noexcept {
  KnownLane& known = known_lane(lanes_id);
  if (known.lanes_id == lanes_id) {
    return known.lane;
  }
  for (OtherLane* lane = newest_other_lane(); lane != nullptr; lane = lane->older) {
    if (lane->thread == thread_id) {
      known = {lanes_id, lane};
      return lane;
    }
  }
  return nullptr;
}

OtherLane* ArenaState::make_other_lane(ArenaRefusal& refusal) noexcept {
  static_assert(alignof(OtherLane) <= kSystemMemoryAlignment);
  constexpr std::size_t kBytes = sizeof(Chunk) + alignof(OtherLane) + sizeof(OtherLane);
  Lane block;
  Chunk* chunk = take_chunk(block, next_chunk_bytes(block), chunk_bytes_for(kBytes), refusal);
  if (chunk == nullptr) {
    return nullptr;
  }
  block.append(*chunk);
  block.open(*chunk);
  void* memory = block.bump(sizeof(OtherLane), alignof(OtherLane));
  auto* lane = ::new (memory) OtherLane(other_lanes.load(std::memory_order_relaxed));
  static_cast<Lane&>(*lane) = block;
  lane->bytes_before -= block.bytes_used();  // Its own bytes were not handed out.
  lane->origin = lane->mark();
  while (!other_lanes.compare_exchange_weak(lane->older, lane, std::memory_order_release,
                                            std::memory_order_relaxed)) {
  }
  known_lane(lanes_id) = {lanes_id, lane};
  return lane;
}

void* ArenaState::alloc_slow(std::size_t bytes, std::size_t alignment,
                             ArenaRefusal& refusal) noexcept {
  if (this == &disposed_arena) {
    refusal = {"the arena was disposed"};
    return nullptr;
  }
  if (alignment > kArenaAlignmentMax) {
    refusal = {"an alignment is at most 4096"};
    return nullptr;
  }
  bytes += static_cast<std::size_t>(bytes == 0);
  Lane* lane = this_threads_lane();
  if (lane == nullptr) {
    lane = make_other_lane(refusal);
    if (lane == nullptr) {
      return nullptr;
    }
  }
  if (void* memory = lane->bump(bytes, alignment)) {
    return memory;
  }
  if (bytes > kArenaAllocationBytesMax) {
    refusal = {"one allocation is at most 64 GiB"};
    return nullptr;
  }
  return alloc_from_next_chunk(*lane, bytes, alignment, refusal);
}

void* ArenaState::alloc_from_next_chunk(Lane& lane, std::size_t bytes, std::size_t alignment,
                                        ArenaRefusal& refusal) noexcept {
  const std::size_t gap = alignment > alignof(Chunk) ? alignment - alignof(Chunk) : 0;
  const std::size_t needed_bytes = sizeof(Chunk) + gap + bytes;
  const std::size_t preferred_bytes = next_chunk_bytes(lane);
  // A large block gets a chunk of its own, and the current one stays in use for what comes after.
  if (needed_bytes > (lane.current != nullptr ? preferred_bytes / 2 : preferred_bytes)) {
    return alloc_large(lane, bytes, alignment, chunk_bytes_for(needed_bytes), refusal);
  }
  Chunk* chunk = lane.kept();
  if (chunk == nullptr || chunk->bytes < needed_bytes) {
    chunk = take_chunk(lane, preferred_bytes, chunk_bytes_for(needed_bytes), refusal);
    if (chunk == nullptr && free_unused(lane)) {
      chunk = take_chunk(lane, preferred_bytes, chunk_bytes_for(needed_bytes), refusal);
    }
    if (chunk == nullptr) {
      return nullptr;
    }
    lane.append(*chunk);
  }
  lane.open(*chunk);
  return lane.bump(bytes, alignment);
}

void* ArenaState::alloc_large(Lane& lane, std::size_t bytes, std::size_t alignment,
                              std::size_t block_bytes, ArenaRefusal& refusal) noexcept {
  Chunk* chunk = reserve_chunk(lane, block_bytes, refusal);
  if (chunk == nullptr && free_unused(lane)) {
    chunk = reserve_chunk(lane, block_bytes, refusal);
  }
  if (chunk == nullptr) {
    return nullptr;
  }
  chunk->next = lane.large;
  lane.large = chunk;
  ++lane.blocks_in_use;
  Lane block;
  block.open(*chunk);
  void* memory = block.bump(bytes, alignment);
  lane.bytes_before += block.bytes_used();
  return memory;
}

// One of the preferred size or, memory or budget being short, a smaller one that will do.
Chunk* ArenaState::take_chunk(const Lane& lane, std::size_t preferred_bytes, std::size_t bytes,
                              ArenaRefusal& refusal) noexcept {
  for (; preferred_bytes > bytes; preferred_bytes /= 2) {
    if (Chunk* chunk = reserve_chunk(lane, preferred_bytes, refusal)) {
      return chunk;
    }
  }
  return reserve_chunk(lane, bytes, refusal);
}

Chunk* ArenaState::reserve_chunk(const Lane& lane, std::size_t bytes,
                                 ArenaRefusal& refusal) noexcept {
  if (!charge(lane, bytes)) {
    refusal = {"over the arena's limit_bytes", limit_bytes};
    return nullptr;
  }
  auto why = ChunkRefusal::system;
  Chunk* chunk = acquire_chunk(bytes, why);
  if (chunk == nullptr) {
    discharge(lane, bytes);
    refusal = why == ChunkRefusal::system
                  ? ArenaRefusal{"the system has no memory"}
                  : ArenaRefusal{"over the process limit", process_limit_bytes()};
  }
  return chunk;
}

std::size_t ArenaState::next_chunk_bytes(const Lane& lane) const noexcept {
  const std::size_t first_bytes =
      &lane == &owned() ? chunk_bytes : std::min(chunk_bytes, kOtherLaneChunkBytes);
  const std::size_t doublings = std::min<std::size_t>(lane.blocks_in_use / kChunksBeforeGrowth, 11);
  return std::min(first_bytes << doublings, kRecycledChunkBytesMax);
}

bool ArenaState::charge(const Lane& lane, std::size_t bytes) noexcept {
  if (limit_bytes == kArenaNoLimit) {
    if (&lane == &owned()) {
      add(record.owner_bytes, bytes);
    } else {
      record.shared_bytes.fetch_add(bytes, std::memory_order_relaxed);
    }
    return true;
  }
  // Counted only when it fits: a request that fails must not take room from another thread's.
  std::size_t before = record.shared_bytes.load(std::memory_order_relaxed);
  do {
    if (before > limit_bytes || bytes > limit_bytes - before) {
      return false;
    }
  } while (!record.shared_bytes.compare_exchange_weak(before, before + bytes,
                                                      std::memory_order_relaxed));
  return true;
}

void ArenaState::discharge(const Lane& lane, std::size_t bytes) noexcept {
  if (limit_bytes == kArenaNoLimit && &lane == &owned()) {
    add(record.owner_bytes, ~bytes + 1);
  } else {
    record.shared_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  }
}

// A destructor may itself make objects in this arena, on the lane of the thread that runs it now.
void ArenaState::destroy_objects() noexcept {
  bool again = true;
  while (again) {
    for (OtherLane* lane = newest_other_lane(); lane != nullptr; lane = lane->older) {
      lane->destroy_down_to(nullptr);
    }
    owned().destroy_down_to(nullptr);
    again = false;
    for (const OtherLane* lane = newest_other_lane(); lane != nullptr; lane = lane->older) {
      again = again || lane->obligations != nullptr;
    }
  }
}

void ArenaState::drop_other_lanes() noexcept {
  OtherLane* lane = newest_other_lane();
  if (lane == nullptr) {
    return;
  }
  other_lanes.store(nullptr, std::memory_order_relaxed);
  lanes_id = next_arena_id();
  while (lane != nullptr) {
    STADION_ASSERT(lane->scope_count == 0);
    free_large_down_to(*lane, nullptr);
    Chunk* chunks = lane->first;
    lane = lane->older;  // It lives in its first chunk.
    free_chunks(Lane{}, chunks);
  }
}

void ArenaState::free_chunks(const Lane& lane, Chunk* list) noexcept {
  discharge(lane, release_chunks(list));
}

void ArenaState::free_large_down_to(Lane& lane, const Chunk* earlier) noexcept {
  while (lane.large != earlier) {
    Chunk* chunk = lane.large;
    lane.large = chunk->next;
    chunk->next = nullptr;
    free_chunks(lane, chunk);
  }
}

// What clear() kept and nothing was allocated from since, for what does not fit beside it. Answers
// whether there was any.
bool ArenaState::free_unused(Lane& lane) noexcept {
  const bool is_empty =
      &lane == &owned() && lane.first != nullptr && lane.bytes_used() == 0 && lane.scope_count == 0;
  if (is_empty) {
    lane.rewind(LaneMark{});
  }
  const bool has_some = lane.kept() != nullptr;
  free_kept_beyond(lane, 0);
  return has_some;
}

// Of the chunks that are not in use, those that bring the lane's bytes above the number.
void ArenaState::free_kept_beyond(Lane& lane, std::size_t keep_bytes) noexcept {
  Chunk** at = &lane.first;
  std::size_t bytes = 0;
  bool in_use = lane.current != nullptr;
  while (*at != nullptr && (in_use || bytes + (*at)->bytes <= keep_bytes)) {
    in_use = in_use && *at != lane.current;
    bytes += (*at)->bytes;
    at = &(*at)->next;
  }
  Chunk* surplus = std::exchange(*at, nullptr);
  if (surplus != nullptr) {
    free_chunks(lane, surplus);
  }
}

LaneMark ArenaState::origin(const Lane& lane) const noexcept {
  if (&lane != &owned()) {
    return static_cast<const OtherLane&>(lane).origin;
  }
  LaneMark mark;
  if (owned().first != nullptr) {
    mark.current = owned().first;
    mark.position = reinterpret_cast<std::uintptr_t>(owned().first->begin());
    mark.blocks_in_use = 1;
  }
  return mark;
}

void ArenaState::rewind(Lane& lane, const LaneMark& mark) noexcept {
  lane.destroy_down_to(mark.obligations);
  free_large_down_to(lane, mark.large);
  lane.rewind(mark);
}

}  // namespace stadion::detail
