// SPDX-License-Identifier: MIT
#include "core/thread_cache.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/depot.hpp"
#include "core/system_memory.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using detail::Chunk;
using detail::release_chunk;
using tests::LiveArenas;
using tests::ScriptedMemory;

constexpr std::size_t kMin = detail::kChunkBytesMin;
constexpr std::size_t kCachedMax = detail::kThreadCachedChunkBytesMax;

Chunk* acquire(std::size_t bytes) {
  auto refusal = detail::ChunkRefusal::system;
  return detail::acquire_chunk(bytes, refusal);
}

std::vector<Chunk*> acquire_many(std::size_t count, std::size_t bytes) {
  std::vector<Chunk*> chunks(count);
  std::generate(chunks.begin(), chunks.end(), [bytes] { return acquire(bytes); });
  return chunks;
}

std::int64_t cached_bytes() { return static_cast<std::int64_t>(detail::thread_cache.bytes); }

TEST_CASE_FIXTURE(
    LiveArenas,
    "thread cache: the chunk released last is the next one of its size, and of no other") {
  ScriptedMemory memory;
  for (std::size_t bytes = kMin; bytes <= kCachedMax / 2; bytes *= 2) {
    CAPTURE(bytes);
    Chunk* first = acquire(bytes);
    Chunk* second = acquire(bytes);
    release_chunk(first);
    release_chunk(second);
    Chunk* other_size = acquire(bytes * 2);
    CHECK(other_size != first);
    CHECK(other_size != second);
    CHECK(other_size->bytes == bytes * 2);
    const std::int64_t calls_before = memory.call_count();
    CHECK(acquire(bytes) == second);
    CHECK(acquire(bytes) == first);
    CHECK(first->bytes == bytes);
    CHECK(memory.call_count() == calls_before);
    release_chunk(first);
    release_chunk(second);
    release_chunk(other_size);
    detail::trim_caches();
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: full, it sends half of what it holds to the depot at once") {
  ScriptedMemory memory;
  for (std::size_t bytes = kMin; bytes <= kCachedMax; bytes *= 4) {
    CAPTURE(bytes);
    const std::size_t fitting = detail::kThreadCacheBytesMax / bytes;
    std::vector<Chunk*> chunks = acquire_many(fitting + 1, bytes);
    const std::int64_t taken = memory.bytes_held();
    std::for_each(chunks.begin(), chunks.end() - 1, release_chunk);
    CHECK(cached_bytes() == static_cast<std::int64_t>(fitting * bytes));
    release_chunk(chunks.back());
    CHECK(cached_bytes() == static_cast<std::int64_t>((fitting / 2 + 1) * bytes));
    CHECK(memory.bytes_held() == taken);
    detail::trim_caches();
    CHECK(memory.bytes_held() == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: what all caches keep is bounded, whatever is given back to them") {
  ScriptedMemory memory;
  for (const std::size_t bytes : {kMin, std::size_t{48 * 1024}, kCachedMax}) {
    CAPTURE(bytes);
    const std::vector<Chunk*> chunks = acquire_many(64 * 1024 * 1024 / bytes, bytes);
    std::for_each(chunks.begin(), chunks.end(), release_chunk);
    CHECK(memory.bytes_held() <=
          static_cast<std::int64_t>(detail::kThreadCacheBytesMax + detail::kDepotBytesMax));
    detail::trim_caches();
    CHECK(memory.bytes_held() == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "thread cache: no mix of sizes passes its bound, coming or going") {
  ScriptedMemory memory;
  const std::vector<std::size_t> sizes = {kCachedMax, kCachedMax / 2, 196'608, 131'072, 98'304,
                                          65'536,     49'152,         32'768,  1024,    kCachedMax};
  for (int round = 0; round < 20; ++round) {
    std::vector<Chunk*> chunks;
    for (const std::size_t bytes : sizes) {
      for (std::size_t i = 0; i < 3'000'000 / bytes; ++i) {
        chunks.push_back(acquire(bytes));
        REQUIRE(detail::thread_cache.bytes <= detail::kThreadCacheBytesMax);
      }
    }
    // In another order each time.
    std::rotate(chunks.begin(), chunks.begin() + round * 7, chunks.end());
    for (Chunk* chunk : chunks) {
      release_chunk(chunk);
      REQUIRE(detail::thread_cache.bytes <= detail::kThreadCacheBytesMax);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "thread cache: a chunk above 1 MiB waits in the depot instead") {
  ScriptedMemory memory;
  const std::size_t larger = detail::chunk_bytes_for(kCachedMax + 1);
  release_chunk(acquire(kCachedMax));
  CHECK(cached_bytes() == static_cast<std::int64_t>(kCachedMax));
  Chunk* chunk = acquire(larger);
  release_chunk(chunk);
  CHECK(cached_bytes() == static_cast<std::int64_t>(kCachedMax));
  CHECK(acquire(larger) == chunk);
  release_chunk(chunk);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a block too large for recycling goes straight to the system") {
  ScriptedMemory memory;
  Chunk* chunk = acquire(detail::chunk_bytes_for(detail::kRecycledChunkBytesMax + 1));
  CHECK(memory.bytes_held() ==
        static_cast<std::int64_t>(detail::kRecycledChunkBytesMax + detail::kPageBytes));
  release_chunk(chunk);
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a system without memory answers null, and counts nothing") {
  ScriptedMemory memory;
  memory.refuse_all();
  const std::size_t bytes_before = Arena::process_bytes();
  for (const std::size_t bytes :
       {kMin, detail::kRecycledChunkBytesMax, 2 * detail::kRecycledChunkBytesMax}) {
    auto refusal = detail::ChunkRefusal::process_limit;
    CHECK(detail::acquire_chunk(bytes, refusal) == nullptr);
    CHECK(refusal == detail::ChunkRefusal::system);
  }
  CHECK(Arena::process_bytes() == bytes_before);
}

TEST_CASE_FIXTURE(
    LiveArenas, "thread cache: before a chunk is refused, what is kept in other sizes goes back") {
  ScriptedMemory memory;
  release_chunk(acquire(kMin));
  release_chunk(acquire(kCachedMax * 2));
  memory.refuse_nth(1);
  Chunk* chunk = acquire(kMin * 2);
  REQUIRE(chunk != nullptr);
  CHECK(memory.refusal_count() == 1);
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin * 2));
  release_chunk(chunk);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a trimmed one is empty, may be trimmed again, and fills again") {
  ScriptedMemory memory;
  release_chunk(acquire(kMin));
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin));
  CHECK(detail::trim_caches());
  CHECK_FALSE(detail::trim_caches());
  CHECK(memory.bytes_held() == 0);
  release_chunk(acquire(kMin));
  CHECK(memory.call_count() == 2);
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin));
}

TEST_CASE_FIXTURE(LiveArenas, "thread cache: a thread that ends leaves its chunks to the others") {
  ScriptedMemory memory;
  Chunk* chunk = nullptr;
  std::thread([&chunk] {
    chunk = acquire(64 * 1024);
    release_chunk(chunk);
  }).join();
  CHECK(memory.bytes_held() == 64 * 1024);
  CHECK(acquire(64 * 1024) == chunk);
  release_chunk(chunk);
  CHECK(memory.call_count() == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a chunk may be released on another thread, which then keeps it") {
  ScriptedMemory memory;
  Chunk* chunk = nullptr;
  std::thread([&chunk] { chunk = acquire(kMin); }).join();
  release_chunk(chunk);
  CHECK(cached_bytes() == static_cast<std::int64_t>(kMin));
  CHECK(acquire(kMin) == chunk);
  release_chunk(chunk);
}

/// Chunks that a thread releases at its very end: one in each of two rounds of destructors, so that
/// the second comes after the end of the thread's cache, whose turn is in the first.
struct Will {
  pthread_key_t key{};
  std::array<Chunk*, 2> chunks{};
  std::size_t executed = 0;
};

void execute(void* value) {
  auto& will = *static_cast<Will*>(value);
  release_chunk(will.chunks[will.executed]);
  if (++will.executed < will.chunks.size()) {
    pthread_setspecific(will.key, &will);
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "thread cache: chunks released after the end of their thread's cache are not lost") {
  ScriptedMemory memory;
  Will will;
  REQUIRE(pthread_key_create(&will.key, execute) == 0);
  std::thread([&will] {
    for (Chunk*& chunk : will.chunks) {
      chunk = acquire(kMin);
    }
    pthread_setspecific(will.key, &will);
  }).join();
  pthread_key_delete(will.key);
  CHECK(will.executed == will.chunks.size());
  CHECK(memory.bytes_held() == 2 * static_cast<std::int64_t>(kMin));
  detail::trim_caches();
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE("thread id: never zero, the same for the whole thread, and never used again") {
  CHECK(detail::this_thread_id() != 0);
  CHECK(detail::this_thread_id() == detail::this_thread_id());
  CHECK(detail::thread_id == detail::this_thread_id());
  std::set<std::uint64_t> ids{detail::this_thread_id()};
  std::mutex mutex;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        const std::lock_guard lock(mutex);
        ids.insert(detail::this_thread_id());
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  CHECK(ids.size() == 41);
  CHECK(ids.count(0) == 0);
}

}  // namespace
}  // namespace stadion
