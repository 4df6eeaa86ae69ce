// SPDX-License-Identifier: MIT
#include "core/arena.hpp"

#include <algorithm>
#include <cstdio>

namespace stadion {
namespace {

using detail::Chunk;

/// After so many chunks of one size the next is twice as large, up to the largest size that is
/// recycled: a large arena has few chunks, a small one is small.
constexpr std::size_t kChunksBeforeGrowth = 4;
/// Of a path in ArenaFailed's text.
constexpr std::size_t kPathBytesMax = 72;

std::size_t preferred_chunk_bytes(std::size_t first_chunk_bytes, std::size_t chunk_count) noexcept {
  const std::size_t doublings = std::min<std::size_t>(chunk_count / kChunksBeforeGrowth, 10);
  return std::min(first_chunk_bytes << doublings, detail::kRecycledChunkBytesMax);
}

}  // namespace

ArenaFailed::ArenaFailed(std::size_t bytes, const char* reason, SourceLocation where) noexcept {
  const int written =
      std::snprintf(text_, sizeof text_, "arena: cannot allocate %zu bytes: %s", bytes, reason);
  if (where.file == nullptr || written < 0) {
    return;
  }
  // Of a long path the end tells more than the beginning.
  const std::size_t length = std::strlen(where.file);
  const char* tail = where.file + (length > kPathBytesMax ? length - kPathBytesMax : 0);
  const std::size_t used = std::min(static_cast<std::size_t>(written), sizeof text_);
  std::snprintf(text_ + used, sizeof text_ - used, " (%s:%u)", tail, where.line);
}

Arena::Arena(ArenaOptions options) noexcept
    : owner_(detail::this_thread_id()),
      chunk_bytes_(
          detail::chunk_bytes_for(std::min(options.chunk_bytes, detail::kRecycledChunkBytesMax))),
      limit_bytes_(options.limit_bytes) {
  detail::count_live_arenas(+1);
}

void* Arena::calloc(std::size_t count, std::size_t bytes, SourceLocation where) {
  std::size_t total = 0;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    fail(kArenaNoLimit, "count times size is too large", where);
  }
  void* memory = alloc(total, alignof(std::max_align_t), where);
  return std::memset(memory, 0, total);
}

void Arena::clear() noexcept {
  // A destructor may itself allocate from this arena, or make objects in it.
  do {
    shared_.destroy_objects();
    owned_.destroy_objects();
  } while (shared_.obligations != nullptr);
  shared_.keep_chunks();
  owned_.keep_chunks();
}

void Arena::dispose() noexcept {
  if (disposed_) {
    return;
  }
  clear();
  free_chunks(owned_.kept);
  free_chunks(shared_.kept);
  disposed_ = true;
  detail::count_live_arenas(-1);
}

// What the inline fast path leaves: another thread's allocation, or the owner's when its chunk is
// full.
void* Arena::alloc_slow(std::size_t bytes, std::size_t alignment, const char** failure) noexcept {
  if (disposed_) {
    *failure = "the arena was disposed";
    return nullptr;
  }
  if (bytes > kArenaAllocationBytesMax) {
    *failure = "one allocation is at most 64 GiB";
    return nullptr;
  }
  if (alignment > kArenaAlignmentMax) {
    *failure = "an alignment is at most 4096";
    return nullptr;
  }
  if (owned_by_this_thread()) {
    return alloc_from_new_chunk(owned_, bytes, alignment, failure);
  }
  const std::lock_guard lock(mutex_);
  if (void* memory = shared_.bump(bytes, alignment)) {
    return memory;
  }
  return alloc_from_new_chunk(shared_, bytes, alignment, failure);
}

void* Arena::alloc_from_new_chunk(Lane& lane, std::size_t bytes, std::size_t alignment,
                                  const char** failure) noexcept {
  const std::size_t gap = alignment > alignof(Chunk) ? alignment : 0;
  const std::size_t needed_bytes = detail::chunk_bytes_for(sizeof(Chunk) + gap + bytes);
  const std::size_t preferred_bytes = preferred_chunk_bytes(chunk_bytes_, lane.chunk_count);
  Chunk* chunk = take_chunk(lane, needed_bytes, preferred_bytes, failure);
  if (chunk == nullptr) {
    return nullptr;
  }
  lane.push(*chunk);
  if (needed_bytes < preferred_bytes || lane.begin == 0) {
    lane.open(*chunk);
    return lane.bump(bytes, alignment);
  }
  // A large block fills a chunk of its own, and the current one stays in use for what comes after.
  Lane own_block;
  own_block.open(*chunk);
  void* memory = own_block.bump(bytes, alignment);
  lane.bytes_in_full_chunks += own_block.bytes_used();
  return memory;
}

// A kept chunk, else a new one of the preferred size, else (memory or budget being short) of the
// needed size.
Chunk* Arena::take_chunk(Lane& lane, std::size_t bytes, std::size_t preferred_bytes,
                         const char** failure) noexcept {
  // A much larger kept block is left for an allocation of its size.
  if (Chunk* kept = lane.take_kept(bytes, std::max(preferred_bytes, bytes * 2))) {
    return kept;
  }
  free_outgrown(lane, bytes);
  if (bytes < preferred_bytes) {
    if (Chunk* chunk = reserve_chunk(preferred_bytes, failure)) {
      return chunk;
    }
  }
  if (Chunk* chunk = reserve_chunk(bytes, failure)) {
    return chunk;
  }
  if (lane.kept == nullptr) {
    return nullptr;
  }
  free_chunks(lane.kept);
  return reserve_chunk(bytes, failure);
}

// Large blocks that clear() kept and that are too small for what is wanted now: batches that grow
// from one clear() to the next would otherwise leave one behind each time.
void Arena::free_outgrown(Lane& lane, std::size_t bytes) noexcept {
  Chunk* outgrown = nullptr;
  for (Chunk** at = &lane.kept; *at != nullptr;) {
    Chunk* chunk = *at;
    if (chunk->bytes > detail::kRecycledChunkBytesMax && chunk->bytes < bytes) {
      *at = chunk->next;
      chunk->next = outgrown;
      outgrown = chunk;
    } else {
      at = &chunk->next;
    }
  }
  free_chunks(outgrown);
}

Chunk* Arena::reserve_chunk(std::size_t bytes, const char** failure) noexcept {
  // Counted only when it fits: a request that fails must not take room from another thread's.
  std::size_t before = bytes_reserved();
  do {
    if (before > limit_bytes_ || bytes > limit_bytes_ - before) {
      *failure = "over the arena's limit_bytes";
      return nullptr;
    }
  } while (!reserved_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  Chunk* chunk = detail::acquire_chunk(bytes);
  if (chunk == nullptr) {
    *failure = "the system has no memory";
    reserved_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  return chunk;
}

void Arena::free_chunks(Chunk*& list) noexcept {
  while (list != nullptr) {
    Chunk* chunk = list;
    list = chunk->next;
    reserved_.fetch_sub(chunk->bytes, std::memory_order_relaxed);
    detail::release_chunk(chunk);
  }
}

void Arena::link(Obligation& obligation) noexcept {
  if (owned_by_this_thread()) {
    obligation.earlier = owned_.obligations;
    owned_.obligations = &obligation;
    return;
  }
  const std::lock_guard lock(mutex_);
  obligation.earlier = shared_.obligations;
  shared_.obligations = &obligation;
}

void Arena::fail(std::size_t bytes, const char* reason, SourceLocation where) {
  throw ArenaFailed(bytes, reason, where);
}

void Arena::Lane::push(Chunk& chunk) noexcept {
  chunk.next = chunks;
  chunks = &chunk;
  ++chunk_count;
}

void Arena::Lane::open(Chunk& chunk) noexcept {
  bytes_in_full_chunks += position - begin;
  begin = reinterpret_cast<std::uintptr_t>(chunk.begin());
  position = begin;
  end = reinterpret_cast<std::uintptr_t>(chunk.end());
}

Chunk* Arena::Lane::take_kept(std::size_t bytes, std::size_t bytes_max) noexcept {
  for (Chunk** at = &kept; *at != nullptr; at = &(*at)->next) {
    Chunk* chunk = *at;
    if (chunk->bytes >= bytes && chunk->bytes <= bytes_max) {
      *at = chunk->next;
      return chunk;
    }
  }
  return nullptr;
}

void Arena::Lane::destroy_objects() noexcept {
  while (obligations != nullptr) {
    const Obligation* last = obligations;
    obligations = last->earlier;
    last->destroy(last->object);
  }
}

void Arena::Lane::keep_chunks() noexcept {
  while (chunks != nullptr) {
    Chunk* chunk = chunks;
    chunks = chunk->next;
    detail::scrub(chunk->begin(), chunk->capacity());
    chunk->next = kept;
    kept = chunk;
  }
  *this = Lane{.kept = kept};
}

}  // namespace stadion
