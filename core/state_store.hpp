// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/arena_state.hpp"
#include "core/thread_cache.hpp"
#include "core/thread_local.hpp"

/// Where the states of all arenas are, live or waiting. Internal to core/.
namespace stadion::detail {

/// The chunks of one thread's waiting states together.
inline constexpr std::size_t kWaitingBytesMax = kThreadKeptBytesMax - kThreadCacheBytesMax;

/// The states of the arenas that one thread makes: it takes and returns them without a lock or a
/// locked instruction; other threads return them through a list of their own. When the thread ends,
/// the next one to begin takes the store over. Stores and states are never given back to the system,
/// so that any thread may look at them at any time.
class StateStore {
 public:
  /// A state of this thread's store for a new arena, fitted to its options; from now on the thread
  /// has a thread_id. Null when the system has no memory.
  static ArenaState* take(std::size_t chunk_bytes, std::size_t limit_bytes) noexcept;

  /// Whether a state may wait with a first chunk of that size.
  bool has_room_for(std::size_t bytes) const noexcept {
    return waiting_bytes_ + bytes <= waiting_bytes_max_;
  }
  void put_back(ArenaState& state) noexcept {
    if (state.waiting != nullptr) [[likely]] {
      waiting_bytes_ += state.waiting->bytes;
    }
    state.next_free = std::exchange(free_, &state);
  }
  /// From another thread than the store's; the state has no chunk.
  void put_back_from_elsewhere(ArenaState& state) noexcept;
  /// Takes the chunks from all waiting states.
  Chunk* take_chunks() noexcept;

  bool occupy() noexcept { return !occupied_.exchange(true, std::memory_order_acquire); }
  void vacate() noexcept { occupied_.store(false, std::memory_order_release); }

  template <class Visit>
  void for_each_live(Visit&& visit) const {
    for (const Block* block = blocks_.load(std::memory_order_acquire); block != nullptr;
         block = block->older) {
      for (const ArenaState& state : block->states) {
        if (state.record.id.load(std::memory_order_acquire) != 0) {
          visit(state.record);
        }
      }
    }
  }

  StateStore* older = nullptr;

 private:
  struct Block {
    static constexpr std::size_t kStates = 10;
    std::array<ArenaState, kStates> states;
    Block* older = nullptr;
  };

  static StateStore* prepare(std::size_t chunk_bytes, std::size_t limit_bytes) noexcept;
  bool refill() noexcept;

  ArenaState* free_ = nullptr;
  std::size_t waiting_bytes_ = 0;
  std::size_t waiting_bytes_max_ = 0;
  std::atomic<Block*> blocks_{nullptr};
  std::atomic<bool> occupied_{true};
  // Written by other threads.
  alignas(64) std::atomic<ArenaState*> returned_{nullptr};
};

inline STADION_HOT_THREAD_LOCAL StateStore* this_threads_store = nullptr;

inline ArenaState* StateStore::take(std::size_t chunk_bytes, std::size_t limit_bytes) noexcept {
  StateStore* store = this_threads_store;
  if (store == nullptr || store->free_ == nullptr || !store->free_->fits(chunk_bytes, limit_bytes))
      [[unlikely]] {
    store = prepare(chunk_bytes, limit_bytes);
    if (store == nullptr) {
      return nullptr;
    }
  }
  ArenaState* state = std::exchange(store->free_, store->free_->next_free);
  if (state->waiting != nullptr) [[likely]] {
    store->waiting_bytes_ -= chunk_bytes;
  }
  return state;
}

/// Before fork(), which must not meet the initialisation of a static in another thread.
void prepare_state_store_for_fork() noexcept;

/// The newest of all stores.
StateStore* newest_store() noexcept;

inline STADION_HOT_THREAD_LOCAL std::uint64_t last_arena_id = 0;
inline constexpr std::uint64_t kArenaIdsPerThread = 1 << 16;
void take_arena_ids() noexcept;

/// A number that no other call in this process answers; never 0. Each thread takes a block of them
/// at a time: a shared counter would cost every arena a contended cache line.
inline std::uint64_t next_arena_id() noexcept {
  if (last_arena_id % kArenaIdsPerThread == 0) [[unlikely]] {
    take_arena_ids();
  }
  return ++last_arena_id;
}

}  // namespace stadion::detail
