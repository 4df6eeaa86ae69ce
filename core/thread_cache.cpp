// SPDX-License-Identifier: MIT
#include "core/thread_cache.hpp"

#include "core/depot.hpp"
#include "core/end_of_thread.hpp"
#include "core/state_store.hpp"

namespace stadion::detail {
namespace {

/// Half of the cache at once goes to the depot or comes from it: a thread that only disposes what
/// others made, or only makes, meets the depot's lock once for many chunks.
constexpr std::size_t kBatchBytes = kThreadCacheBytesMax / 2;

/// Everything in this thread's cache, as one list; the cache is empty then.
Chunk* take_all() noexcept {
  Chunk* all = nullptr;
  for (std::size_t chunk_class = 0; chunk_class < ChunkClass::kCount; ++chunk_class) {
    while (Chunk* chunk = thread_cache.pop(chunk_class)) {
      chunk->next = all;
      all = chunk;
    }
  }
  return all;
}

void flush(void* /*unused*/) noexcept {
  depot_store(take_all());
  thread_cache.state = ThreadCache::State::ended;
  thread_cache.bytes = kThreadCacheBytesMax;
}

const EndOfThread& end_of_thread() noexcept {
  static const EndOfThread instance(flush);
  return instance;
}

/// Whether this thread may cache: not while it ends, nor where nobody would hear of its end.
bool may_cache() noexcept {
  if (thread_cache.state == ThreadCache::State::unborn) {
    const bool is_heard = end_of_thread().await();
    thread_cache.state = is_heard ? ThreadCache::State::alive : ThreadCache::State::ended;
    thread_cache.bytes = is_heard ? 0 : kThreadCacheBytesMax;
  }
  return thread_cache.state == ThreadCache::State::alive;
}

/// Half of each size, rounded up: something goes whenever there is anything.
void send_half_to_depot(ThreadCache& cache) noexcept {
  Chunk* sent = nullptr;
  for (std::size_t chunk_class = 0; chunk_class < ChunkClass::kCount; ++chunk_class) {
    std::size_t count = 0;
    for (const Chunk* each = cache.chunks[chunk_class]; each != nullptr; each = each->next) {
      ++count;
    }
    for (count = (count + 1) / 2; count > 0; --count) {
      Chunk* chunk = cache.pop(chunk_class);
      chunk->next = sent;
      sent = chunk;
    }
  }
  depot_store(sent);
}

Chunk* acquire_from_depot(std::size_t chunk_bytes) noexcept {
  const bool cached = chunk_bytes <= kThreadCachedChunkBytesMax && may_cache();
  const std::size_t room = kThreadCacheBytesMax - thread_cache.bytes;
  Chunk* taken = depot_take(chunk_bytes, cached ? (room < kBatchBytes ? room : kBatchBytes) : 0);
  if (taken == nullptr) {
    return nullptr;
  }
  while (Chunk* more = taken->next) {
    taken->next = more->next;
    thread_cache.push(more);
  }
  return taken;
}

}  // namespace

Chunk* acquire_chunk_elsewhere(std::size_t chunk_bytes, ChunkRefusal& refusal) noexcept {
  if (chunk_bytes <= kRecycledChunkBytesMax) {
    if (Chunk* chunk = acquire_from_depot(chunk_bytes)) {
      return chunk;
    }
  }
  bool over_limit = false;
  Chunk* chunk = chunk_from_system(chunk_bytes, over_limit);
  if (chunk == nullptr && trim_caches()) {
    chunk = chunk_from_system(chunk_bytes, over_limit);
  }
  refusal = over_limit ? ChunkRefusal::process_limit : ChunkRefusal::system;
  return chunk;
}

void release_chunk_elsewhere(Chunk* chunk) noexcept {
  if (chunk->bytes > kRecycledChunkBytesMax) {
    chunk_to_system(chunk);
    return;
  }
  if (chunk->bytes > kThreadCachedChunkBytesMax || !may_cache()) {
    chunk->next = nullptr;
    depot_store(chunk);
    return;
  }
  while (thread_cache.bytes + chunk->bytes > kThreadCacheBytesMax) {
    send_half_to_depot(thread_cache);
  }
  thread_cache.push(chunk);
}

void prepare_thread_cache_for_fork() noexcept { (void)end_of_thread(); }

bool trim_caches() noexcept {
  bool had_some = depot_trim();
  for (Chunk* list :
       {take_all(), this_threads_store != nullptr ? this_threads_store->take_chunks() : nullptr}) {
    had_some = had_some || list != nullptr;
    chunks_to_system(list);
  }
  return had_some;
}

}  // namespace stadion::detail
