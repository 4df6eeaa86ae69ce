// SPDX-License-Identifier: MIT
#include "core/arena.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstdio>

#include "core/arena_scope.hpp"
#include "core/depot.hpp"
#include "core/known_lanes.hpp"
#include "core/state_store.hpp"
#include "core/thread_cache.hpp"

namespace stadion {
namespace {

/// Of a path in ArenaFailed's text.
constexpr std::size_t kPathBytesMax = 72;

void lock_for_fork() noexcept {
  detail::prepare_thread_cache_for_fork();
  detail::prepare_state_store_for_fork();
  detail::depot_lock();
  detail::live_arenas_lock();
}

void unlock_after_fork() noexcept {
  detail::live_arenas_unlock();
  detail::depot_unlock();
}

[[maybe_unused]] const int fork_is_prepared =
    pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);

}  // namespace

ArenaFailed::ArenaFailed(std::size_t bytes, detail::ArenaRefusal refusal,
                         SourceLocation where) noexcept {
  std::size_t used = 0;
  const auto append = [&used](int written) {
    used = std::min(used + static_cast<std::size_t>(std::max(written, 0)), sizeof text_ - 1);
  };
  append(std::snprintf(text_, sizeof text_, "arena: cannot allocate %zu bytes: %s", bytes,
                       refusal.reason));
  if (refusal.limit_bytes != 0) {
    append(std::snprintf(text_ + used, sizeof text_ - used, " of %zu", refusal.limit_bytes));
  }
  if (where.file != nullptr) {
    // Of a long path the end tells more than the beginning.
    const std::size_t length = std::strlen(where.file);
    const char* tail = where.file + (length > kPathBytesMax ? length - kPathBytesMax : 0);
    append(std::snprintf(text_ + used, sizeof text_ - used, " (%s:%u)", tail, where.line));
  }
}

void* Arena::calloc(std::size_t count, std::size_t bytes, SourceLocation where) {
  std::size_t total = 0;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    fail(kArenaNoLimit, {"count times size is too large"}, where);
  }
  void* memory = alloc(total, alignof(std::max_align_t), where);
  return std::memset(memory, 0, total);
}

bool Arena::extend_last(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept {
  detail::Lane* lane = front_.state->this_threads_lane();
  return lane != nullptr && lane->extend(memory, bytes, new_bytes);
}

void Arena::clear(std::size_t keep_bytes) noexcept {
  if (!is_disposed()) {
    front_.state->clear(keep_bytes);
  }
}

void Arena::adopt() noexcept {
  STADION_ASSERT(front_.owned.scope_count == 0);
  if (is_disposed() || front_.owned_by_this_thread()) {
    return;
  }
  if (detail::Lane* lane = front_.state->this_threads_lane()) {
    // What this thread makes from now on may refer to what it made there: it is destroyed first.
    STADION_ASSERT(lane->scope_count == 0);
    front_.owned.push_obligations(*lane);
  }
  front_.owner = detail::this_thread_id();
}

std::size_t Arena::process_bytes() noexcept { return detail::process_bytes(); }

std::size_t Arena::set_process_limit_bytes(std::size_t limit_bytes) noexcept {
  return detail::exchange_process_limit_bytes(limit_bytes);
}

void Arena::trim() noexcept { detail::trim_caches(); }

void* Arena::alloc_or_fail(std::size_t bytes, std::size_t alignment, SourceLocation where) {
  // Another thread than the owner comes here each time.
  const detail::KnownLane& known = detail::known_lane(front_.state->lanes_id);
  if (known.lanes_id == front_.state->lanes_id && !front_.owned_by_this_thread() &&
      alignment <= kArenaAlignmentMax) {
    if (void* memory = known.lane->bump(bytes, alignment)) {
      return memory;
    }
  }
  detail::ArenaRefusal refusal;
  void* memory = front_.state->alloc_slow(bytes, alignment, refusal);
  if (memory == nullptr) [[unlikely]] {
    fail(bytes, refusal, where);
  }
  return memory;
}

void Arena::fail(std::size_t bytes, detail::ArenaRefusal refusal, SourceLocation where) {
  throw ArenaFailed(bytes, refusal, where);
}

ArenaScope::ArenaScope(Arena& arena) noexcept : state_(*arena.front_.state) {
  if (detail::Lane* lane = state_.this_threads_lane()) {
    mark_ = lane->mark();
    depth_ = ++lane->scope_count;
    outer_chunk_ = std::exchange(lane->scope_chunk, mark_.current);
    outer_position_ = std::exchange(lane->scope_position, mark_.position);
  }
}

ArenaScope::~ArenaScope() {
  detail::Lane* lane = state_.this_threads_lane();
  if (lane == nullptr) {
    return;  // This thread has still not allocated.
  }
  STADION_ASSERT(lane->scope_count == depth_);
  lane->scope_count -= static_cast<unsigned>(depth_ > 0);
  state_.rewind(*lane, depth_ > 0 ? mark_ : state_.origin(*lane));
  lane->scope_chunk = outer_chunk_;
  lane->scope_position = outer_position_;
}

}  // namespace stadion
