// SPDX-License-Identifier: MIT
#include "core/depot.hpp"

#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <new>

#include "core/poison.hpp"
#include "core/system_memory.hpp"

namespace stadion::detail {
namespace {

struct Depot {
  std::mutex mutex;
  std::array<Chunk*, ChunkClass::kCount> chunks{};
  std::size_t bytes = 0;
};

constinit Depot depot;
constinit std::atomic<std::size_t> bytes_taken{0};
constinit std::atomic<std::size_t> limit{std::numeric_limits<std::size_t>::max()};

Chunk* pop(Chunk*& list) noexcept {
  Chunk* chunk = list;
  list = chunk->next;
  return chunk;
}

void push(Chunk*& list, Chunk* chunk) noexcept {
  chunk->next = list;
  list = chunk;
}

/// Counted only when it fits: a request that fails must not take room from another thread's.
bool charge(std::size_t bytes) noexcept {
  std::size_t before = bytes_taken.load(std::memory_order_relaxed);
  do {
    const std::size_t limit_bytes = limit.load(std::memory_order_relaxed);
    if (before > limit_bytes || bytes > limit_bytes - before) {
      return false;
    }
  } while (!bytes_taken.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  return true;
}

}  // namespace

void depot_store(Chunk* list) noexcept {
  Chunk* surplus = nullptr;
  {
    const std::lock_guard lock(depot.mutex);
    while (list != nullptr) {
      Chunk* chunk = pop(list);
      if (depot.bytes + chunk->bytes > kDepotBytesMax) {
        push(surplus, chunk);
        continue;
      }
      push(depot.chunks[ChunkClass::of(chunk->bytes)], chunk);
      depot.bytes += chunk->bytes;
    }
  }
  chunks_to_system(surplus);
}

Chunk* depot_take(std::size_t chunk_bytes, std::size_t bytes_max) noexcept {
  const std::lock_guard lock(depot.mutex);
  Chunk*& available = depot.chunks[ChunkClass::of(chunk_bytes)];
  Chunk* taken = nullptr;
  std::size_t bytes = 0;
  do {
    if (available == nullptr) {
      break;
    }
    push(taken, pop(available));
    bytes += chunk_bytes;
  } while (bytes + chunk_bytes <= bytes_max);
  depot.bytes -= bytes;
  return taken;
}

bool depot_trim() noexcept {
  std::array<Chunk*, ChunkClass::kCount> all{};
  std::size_t bytes = 0;
  {
    const std::lock_guard lock(depot.mutex);
    std::swap(all, depot.chunks);
    std::swap(bytes, depot.bytes);
  }
  for (Chunk* list : all) {
    chunks_to_system(list);
  }
  return bytes > 0;
}

Chunk* chunk_from_system(std::size_t chunk_bytes, bool& over_limit) noexcept {
  over_limit = !charge(chunk_bytes);
  if (over_limit) {
    return nullptr;
  }
  void* memory = system_allocate(chunk_bytes);
  if (memory == nullptr) {
    bytes_taken.fetch_sub(chunk_bytes, std::memory_order_relaxed);
    return nullptr;
  }
  auto* chunk = ::new (memory) Chunk{nullptr, chunk_bytes};
  begin_carving(chunk);
  poison(chunk->begin(), chunk->capacity());
  return chunk;
}

void chunk_to_system(Chunk* chunk) noexcept {
  const std::size_t bytes = chunk->bytes;
  end_carving(chunk);
  unpoison(chunk->begin(), chunk->capacity());
  system_release(chunk, bytes);
  bytes_taken.fetch_sub(bytes, std::memory_order_relaxed);
}

void chunks_to_system(Chunk* list) noexcept {
  while (list != nullptr) {
    chunk_to_system(pop(list));
  }
}

std::size_t process_bytes() noexcept { return bytes_taken.load(std::memory_order_relaxed); }

std::size_t process_limit_bytes() noexcept { return limit.load(std::memory_order_relaxed); }

std::size_t exchange_process_limit_bytes(std::size_t limit_bytes) noexcept {
  return limit.exchange(limit_bytes, std::memory_order_relaxed);
}

void depot_lock() noexcept { depot.mutex.lock(); }

void depot_unlock() noexcept { depot.mutex.unlock(); }

}  // namespace stadion::detail
