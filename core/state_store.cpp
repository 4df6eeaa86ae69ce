// SPDX-License-Identifier: MIT
#include "core/state_store.hpp"

#include <new>

#include "core/depot.hpp"
#include "core/end_of_thread.hpp"

namespace stadion::detail {
namespace {

constinit std::atomic<StateStore*> stores{nullptr};
constinit std::atomic<std::uint64_t> id_blocks{0};
constinit std::atomic<std::uint64_t> last_thread_id{0};

/// Whether this thread has given its store away: its end may not be heard of once more.
constinit thread_local bool has_vacated = false;

void vacate_store(void* /*unused*/) noexcept {
  has_vacated = true;
  depot_store(this_threads_store->take_chunks());
  this_threads_store->vacate();
  this_threads_store = nullptr;
}

const EndOfThread& end_of_thread() noexcept {
  static const EndOfThread instance(vacate_store);
  return instance;
}

StateStore* vacant_or_new_store() noexcept {
  for (StateStore* store = newest_store(); store != nullptr; store = store->older) {
    if (store->occupy()) {
      return store;
    }
  }
  auto* store = new (std::nothrow) StateStore;
  if (store != nullptr) {
    store->older = newest_store();
    while (!stores.compare_exchange_weak(store->older, store, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
  }
  return store;
}

}  // namespace

void StateStore::put_back_from_elsewhere(ArenaState& state) noexcept {
  state.next_free = returned_.load(std::memory_order_relaxed);
  while (!returned_.compare_exchange_weak(state.next_free, &state, std::memory_order_release,
                                          std::memory_order_relaxed)) {
  }
}

Chunk* StateStore::take_chunks() noexcept {
  Chunk* taken = nullptr;
  for (ArenaState* state = free_; state != nullptr; state = state->next_free) {
    if (Chunk* chunk = std::exchange(state->waiting, nullptr)) {
      chunk->next = taken;
      taken = chunk;
    }
  }
  waiting_bytes_ = 0;
  return taken;
}

bool StateStore::refill() noexcept {
  free_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (free_ != nullptr) {
    return true;
  }
  auto* block = new (std::nothrow) Block;
  if (block == nullptr) {
    return false;
  }
  for (ArenaState& state : block->states) {
    state.home = this;
    put_back(state);
  }
  block->older = blocks_.load(std::memory_order_relaxed);
  blocks_.store(block, std::memory_order_release);
  return true;
}

StateStore* newest_store() noexcept { return stores.load(std::memory_order_acquire); }

/// Sees to it that this thread has a store whose next state fits.
StateStore* StateStore::prepare(std::size_t chunk_bytes, std::size_t limit_bytes) noexcept {
  if (this_threads_store == nullptr) {
    this_threads_store = vacant_or_new_store();
    if (this_threads_store == nullptr) {
      return nullptr;
    }
    // Where the thread's end may go unheard, no chunk waits: it would be lost with the store.
    const bool is_heard = end_of_thread().await() && !has_vacated;
    this_threads_store->waiting_bytes_max_ = is_heard ? kWaitingBytesMax : 0;
    (void)this_thread_id();
  }
  StateStore& store = *this_threads_store;
  if (store.free_ == nullptr && !store.refill()) {
    return nullptr;
  }
  ArenaState& next = *store.free_;
  const std::size_t bytes_before = next.waiting != nullptr ? next.waiting->bytes : 0;
  next.refit(chunk_bytes, limit_bytes);
  if (next.waiting == nullptr) {
    store.waiting_bytes_ -= bytes_before;
  }
  return &store;
}

void prepare_state_store_for_fork() noexcept { (void)end_of_thread(); }

void take_arena_ids() noexcept {
  last_arena_id = id_blocks.fetch_add(1, std::memory_order_relaxed) * kArenaIdsPerThread;
}

std::uint64_t assign_thread_id() noexcept {
  thread_id = last_thread_id.fetch_add(1, std::memory_order_relaxed) + 1;
  return thread_id;
}

}  // namespace stadion::detail
