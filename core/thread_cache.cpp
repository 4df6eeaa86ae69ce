// SPDX-License-Identifier: MIT
#include "core/thread_cache.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <new>

#include "core/poison.hpp"
#include "core/system_memory.hpp"

namespace stadion::detail {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kSmallestClass = std::countr_zero(kRecycledChunkBytesMin);
constexpr std::size_t kClassCount = std::countr_zero(kRecycledChunkBytesMax) - kSmallestClass + 1;

/// Written by one thread, read by any: plain loads and stores, no locked instruction.
struct Counters {
  std::atomic<std::int64_t> arenas{0};
  std::atomic<std::int64_t> bytes{0};
};

void add(std::atomic<std::int64_t>& counter, std::int64_t change) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

struct ThreadCache {
  enum class State : std::uint8_t { unborn, alive, dead };

  std::array<Chunk*, kClassCount> chunks{};
  std::size_t bytes = 0;
  Counters counters;
  ThreadCache* next = nullptr;  ///< In the registry of living caches.
  State state = State::unborn;
};

constinit thread_local ThreadCache cache;

constinit std::mutex registry_mutex;
constinit ThreadCache* registry = nullptr;
constinit Counters departed;  ///< Sums of the threads that ended; guarded by registry_mutex.
constinit std::atomic<std::uint64_t> last_thread_id{0};

void bury_cache() noexcept {
  trim_thread_cache();
  const std::lock_guard lock(registry_mutex);
  for (ThreadCache** link = &registry; *link != nullptr; link = &(*link)->next) {
    if (*link == &cache) {
      *link = cache.next;
      break;
    }
  }
  add(departed.arenas, cache.counters.arenas.load(std::memory_order_relaxed));
  add(departed.bytes, cache.counters.bytes.load(std::memory_order_relaxed));
  cache.state = ThreadCache::State::dead;
}

/// Its destructor runs when the thread ends; the cache itself needs none, so that arenas which are
/// disposed even later (by other thread-local objects) still find a valid one.
struct Undertaker {
  ~Undertaker() { bury_cache(); }
  void attend() const noexcept {}
};
thread_local const Undertaker undertaker;

void give_birth() noexcept {
  undertaker.attend();
  const std::lock_guard lock(registry_mutex);
  cache.next = registry;
  registry = &cache;
  cache.state = ThreadCache::State::alive;
}

bool cache_alive() noexcept {
  if (cache.state == ThreadCache::State::unborn) {
    give_birth();
  }
  return cache.state == ThreadCache::State::alive;
}

void count(std::atomic<std::int64_t> Counters::*counter, std::int64_t change) noexcept {
  if (cache_alive()) {
    add(cache.counters.*counter, change);
    return;
  }
  const std::lock_guard lock(registry_mutex);
  add(departed.*counter, change);
}

std::size_t sum(std::atomic<std::int64_t> Counters::*counter) noexcept {
  const std::lock_guard lock(registry_mutex);
  std::int64_t total = (departed.*counter).load(std::memory_order_relaxed);
  for (const ThreadCache* each = registry; each != nullptr; each = each->next) {
    total += (each->counters.*counter).load(std::memory_order_relaxed);
  }
  // A thread's share is negative when it disposed what others made; a sum read in between may be,
  // too.
  return static_cast<std::size_t>(std::max<std::int64_t>(total, 0));
}

bool is_recycled(std::size_t bytes) noexcept { return bytes <= kRecycledChunkBytesMax; }

std::size_t class_of(std::size_t bytes) noexcept {
  return static_cast<std::size_t>(std::countr_zero(bytes)) - kSmallestClass;
}

Chunk* chunk_from_system(std::size_t bytes) noexcept {
  void* memory = system_allocate(bytes);
  if (memory == nullptr) {
    return nullptr;
  }
  auto* chunk = ::new (memory) Chunk{nullptr, bytes};
  poison(chunk->begin(), chunk->capacity());
  return chunk;
}

void chunk_to_system(Chunk* chunk) noexcept {
  unpoison(chunk->begin(), chunk->capacity());
  system_release(chunk, chunk->bytes);
}

Chunk* chunk_from_cache(std::size_t bytes) noexcept {
  Chunk*& head = cache.chunks[class_of(bytes)];
  Chunk* chunk = head;
  if (chunk != nullptr) {
    head = chunk->next;
    cache.bytes -= bytes;
    chunk->next = nullptr;
  }
  return chunk;
}

void chunk_to_cache(Chunk* chunk) noexcept {
  poison(chunk->begin(), chunk->capacity());
  Chunk*& head = cache.chunks[class_of(chunk->bytes)];
  chunk->next = head;
  head = chunk;
  cache.bytes += chunk->bytes;
}

}  // namespace

std::size_t chunk_bytes_for(std::size_t bytes) noexcept {
  if (is_recycled(bytes)) {
    return std::max(std::bit_ceil(bytes), kRecycledChunkBytesMin);
  }
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

Chunk* acquire_chunk(std::size_t bytes) noexcept {
  Chunk* chunk = nullptr;
  if (is_recycled(bytes) && cache_alive()) {
    chunk = chunk_from_cache(bytes);
  }
  if (chunk == nullptr) {
    chunk = chunk_from_system(bytes);
  }
  if (chunk != nullptr) {
    count(&Counters::bytes, static_cast<std::int64_t>(bytes));
  }
  return chunk;
}

void release_chunk(Chunk* chunk) noexcept {
  count(&Counters::bytes, -static_cast<std::int64_t>(chunk->bytes));
  if (is_recycled(chunk->bytes) && cache_alive() &&
      cache.bytes + chunk->bytes <= kThreadCacheBytesMax) {
    chunk_to_cache(chunk);
  } else {
    chunk_to_system(chunk);
  }
}

void trim_thread_cache() noexcept {
  for (Chunk*& head : cache.chunks) {
    while (head != nullptr) {
      Chunk* chunk = head;
      head = chunk->next;
      chunk_to_system(chunk);
    }
  }
  cache.bytes = 0;
}

std::uint64_t assign_thread_id() noexcept {
  thread_id = last_thread_id.fetch_add(1, std::memory_order_relaxed) + 1;
  return thread_id;
}

void count_live_arenas(std::int64_t change) noexcept { count(&Counters::arenas, change); }

std::size_t live_arenas() noexcept { return sum(&Counters::arenas); }

std::size_t bytes_in_arenas() noexcept { return sum(&Counters::bytes); }

}  // namespace stadion::detail
