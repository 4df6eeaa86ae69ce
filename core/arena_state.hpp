// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/arena_options.hpp"
#include "core/lane.hpp"
#include "core/live_arenas.hpp"
#include "core/source_location.hpp"
#include "core/thread_id.hpp"

/// What stands behind an Arena. Internal to core/.
namespace stadion::detail {

class StateStore;

/// Why an arena cannot hand out what was asked for.
struct ArenaRefusal {
  const char* reason = nullptr;
  std::size_t limit_bytes = 0;  ///< That would be passed; 0 when it is not a limit of bytes.
};

struct ArenaState;

/// What the Arena object itself holds: all that an allocation by its owner needs. Not reached over a
/// pointer, which costs a processor its best guesses (W1 of the benchmark, 0.7 ns against 2.3).
struct alignas(64) ArenaFront {
  // Read by all threads, written under exclusive access.
  ArenaState* state = nullptr;
  std::uint64_t owner = UINT64_MAX;

  // Written at each allocation: on a cache line of its own, or the other threads would wait for it.
  alignas(64) Lane owned;

  /// Of a disposed arena.
  constexpr ArenaFront() noexcept = default;
  /// Of a new arena; without a state when the system has no memory.
  ArenaFront(std::size_t chunk_bytes, std::size_t limit_bytes, SourceLocation made) noexcept;
  ArenaFront(const ArenaFront&) = delete;
  ArenaFront& operator=(const ArenaFront&) = delete;
  /// Gives the state back; what is left must not be used.
  void dispose() noexcept;

  bool owned_by_this_thread() const noexcept { return owner == thread_id; }
};

/// Of every disposed arena: nobody owns it, nothing is in it, and it is never written.
inline constinit ArenaFront disposed_front;

/// The rest. A disposed arena's state waits in the store of the thread that made it, with its first
/// chunk, for that thread's next arena: to make one is then to take it from the store.
///
/// Threads    As Arena says of the functions of the same names. The owner's thread writes
///            front->owned, other threads lanes of their own.
struct alignas(64) ArenaState {
  // Read by all threads, written under exclusive access, but for the list of lanes.
  ArenaFront* front = &disposed_front;
  /// What threads know their lanes by; a new one when these are dropped.
  std::uint64_t lanes_id = UINT64_MAX;
  std::atomic<OtherLane*> other_lanes{nullptr};
  std::size_t chunk_bytes = 0;
  std::size_t limit_bytes = 0;
  std::size_t used_max = 0;
  StateStore* home = nullptr;
  ArenaState* next_free = nullptr;
  Chunk* waiting = nullptr;  ///< The first chunk, while there is no arena.

  alignas(64) ArenaRecord record;

  /// Fits a waiting state and its chunk to other options than those of its last arena.
  void refit(std::size_t new_chunk_bytes, std::size_t new_limit_bytes) noexcept;
  bool fits(std::size_t for_chunk_bytes, std::size_t for_limit_bytes) const noexcept {
    return waiting != nullptr && waiting->bytes == for_chunk_bytes &&
           chunk_bytes == for_chunk_bytes && limit_bytes == for_limit_bytes &&
           for_chunk_bytes <= for_limit_bytes / 2;
  }
  /// The common case: nothing else, and no destructor to run.
  bool has_one_chunk() const noexcept {
    return owned().current != nullptr && owned().first->next == nullptr &&
           owned().large == nullptr && owned().obligations == nullptr &&
           newest_other_lane() == nullptr;
  }
  /// Gives back all but a first chunk that may wait with the state.
  void reduce() noexcept;
  void clear(std::size_t keep_bytes) noexcept;
  ArenaStatistics statistics() const noexcept;
  std::size_t bytes_used() const noexcept;

  Lane& owned() const noexcept { return front->owned; }
  /// Null when this thread is not the owner and has not allocated.
  Lane* this_threads_lane() noexcept;

  /// What the inline fast path leaves: another thread's allocation, or the owner's when its chunk
  /// is full.
  void* alloc_slow(std::size_t bytes, std::size_t alignment, ArenaRefusal& refusal) noexcept;

  /// Where a lane stands when nothing was allocated from it.
  LaneMark origin(const Lane& lane) const noexcept;
  void rewind(Lane& lane, const LaneMark& mark) noexcept;

 private:
  OtherLane* newest_other_lane() const noexcept {
    return other_lanes.load(std::memory_order_acquire);
  }
  template <class Visit>
  void for_each_lane(Visit&& visit) const;
  OtherLane* find_other_lane() const noexcept;
  OtherLane* make_other_lane(ArenaRefusal& refusal) noexcept;

  void* alloc_from_next_chunk(Lane& lane, std::size_t bytes, std::size_t alignment,
                              ArenaRefusal& refusal) noexcept;
  void* alloc_large(Lane& lane, std::size_t bytes, std::size_t alignment, std::size_t block_bytes,
                    ArenaRefusal& refusal) noexcept;
  Chunk* take_chunk(const Lane& lane, std::size_t preferred_bytes, std::size_t bytes,
                    ArenaRefusal& refusal) noexcept;
  Chunk* reserve_chunk(const Lane& lane, std::size_t bytes, ArenaRefusal& refusal) noexcept;
  std::size_t next_chunk_bytes(const Lane& lane) const noexcept;
  bool charge(const Lane& lane, std::size_t bytes) noexcept;
  void discharge(const Lane& lane, std::size_t bytes) noexcept;

  std::size_t bytes_used_max() const noexcept;
  void destroy_objects() noexcept;
  void drop_other_lanes() noexcept;
  void free_chunks(const Lane& lane, Chunk* list) noexcept;
  void free_large_down_to(Lane& lane, const Chunk* earlier) noexcept;
  bool free_unused(Lane& lane) noexcept;
  void free_kept_beyond(Lane& lane, std::size_t keep_bytes) noexcept;
};

/// Of every disposed arena, likewise.
inline constinit ArenaState disposed_arena;

}  // namespace stadion::detail
