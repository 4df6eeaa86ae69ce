// SPDX-License-Identifier: MIT
#include "core/thread_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/system_memory.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using detail::acquire_chunk;
using detail::Chunk;
using detail::chunk_bytes_for;
using detail::release_chunk;
using tests::LiveArenas;
using tests::ScriptedMemory;

constexpr std::size_t kMin = detail::kRecycledChunkBytesMin;
constexpr std::size_t kMax = detail::kRecycledChunkBytesMax;

TEST_CASE("chunk size: powers of two up to 1 MiB, whole pages above") {
  CHECK(chunk_bytes_for(0) == kMin);
  CHECK(chunk_bytes_for(1) == kMin);
  for (std::size_t bytes = kMin; bytes < kMax; bytes *= 2) {
    CAPTURE(bytes);
    CHECK(chunk_bytes_for(bytes - 1) == bytes);
    CHECK(chunk_bytes_for(bytes) == bytes);
    CHECK(chunk_bytes_for(bytes + 1) == bytes * 2);
  }
  CHECK(chunk_bytes_for(kMax) == kMax);
  CHECK(chunk_bytes_for(kMax + 1) == kMax + 4096);
  CHECK(chunk_bytes_for(kMax + 4096) == kMax + 4096);
  CHECK(chunk_bytes_for(kMax + 4097) == kMax + 8192);
  CHECK(chunk_bytes_for(std::size_t{1} << 36) == std::size_t{1} << 36);
}

TEST_CASE("chunk: its payload begins behind the header, aligned, and ends with the block") {
  Chunk* chunk = acquire_chunk(4096);
  REQUIRE(chunk != nullptr);
  CHECK(chunk->bytes == 4096);
  CHECK(chunk->begin() == reinterpret_cast<char*>(chunk) + sizeof(Chunk));
  CHECK(chunk->end() == reinterpret_cast<char*>(chunk) + 4096);
  CHECK(chunk->capacity() == static_cast<std::size_t>(chunk->end() - chunk->begin()));
  CHECK(reinterpret_cast<std::uintptr_t>(chunk) % kSystemMemoryAlignment == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(chunk->begin()) % alignof(std::max_align_t) == 0);
  release_chunk(chunk);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "thread cache: the chunk released last is the next one of its size, and of no other") {
  ScriptedMemory memory;
  for (std::size_t bytes = kMin; bytes <= kMax / 2; bytes *= 2) {
    CAPTURE(bytes);
    Chunk* first = acquire_chunk(bytes);
    Chunk* second = acquire_chunk(bytes);
    release_chunk(first);
    release_chunk(second);
    Chunk* other_size = acquire_chunk(bytes * 2);
    CHECK(other_size != first);
    CHECK(other_size != second);
    CHECK(other_size->bytes == bytes * 2);
    const std::int64_t calls_before = memory.call_count();
    CHECK(acquire_chunk(bytes) == second);
    CHECK(acquire_chunk(bytes) == first);
    CHECK(first->next == nullptr);
    CHECK(first->bytes == bytes);
    CHECK(memory.call_count() == calls_before);
    release_chunk(first);
    release_chunk(second);
    release_chunk(other_size);
    detail::trim_thread_cache();
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "thread cache: holds chunks up to 2 MiB, and the first above that goes to the system") {
  constexpr auto kCacheBytes = static_cast<std::int64_t>(detail::kThreadCacheBytesMax);
  ScriptedMemory memory;
  for (std::size_t bytes = kMin; bytes <= kMax; bytes *= 4) {
    CAPTURE(bytes);
    std::vector<Chunk*> chunks(detail::kThreadCacheBytesMax / bytes + 1);
    std::generate(chunks.begin(), chunks.end(), [bytes] { return acquire_chunk(bytes); });
    CHECK(memory.bytes_held() == kCacheBytes + static_cast<std::int64_t>(bytes));
    std::for_each(chunks.begin(), chunks.end() - 1, release_chunk);
    CHECK(memory.bytes_held() == kCacheBytes + static_cast<std::int64_t>(bytes));
    release_chunk(chunks.back());
    CHECK(memory.bytes_held() == kCacheBytes);
    detail::trim_thread_cache();
    CHECK(memory.bytes_held() == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "thread cache: a chunk too large for recycling goes straight back") {
  ScriptedMemory memory;
  Chunk* chunk = acquire_chunk(chunk_bytes_for(kMax + 1));
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMax + 4096));
  release_chunk(chunk);
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a system without memory answers null, and counts nothing") {
  ScriptedMemory memory;
  memory.refuse_all();
  const std::size_t bytes_before = detail::bytes_in_arenas();
  CHECK(acquire_chunk(kMin) == nullptr);
  CHECK(acquire_chunk(kMax) == nullptr);
  CHECK(acquire_chunk(chunk_bytes_for(kMax + 1)) == nullptr);
  CHECK(detail::bytes_in_arenas() == bytes_before);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a trimmed one is empty, may be trimmed again, and fills again") {
  ScriptedMemory memory;
  release_chunk(acquire_chunk(kMin));
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin));
  detail::trim_thread_cache();
  detail::trim_thread_cache();
  CHECK(memory.bytes_held() == 0);
  release_chunk(acquire_chunk(kMin));
  CHECK(memory.call_count() == 2);
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a thread that ends gives its chunks back to the system") {
  ScriptedMemory memory;
  std::int64_t bytes_held = 0;
  std::thread([&] {
    release_chunk(acquire_chunk(64 * 1024));
    bytes_held = memory.bytes_held();
  }).join();
  CHECK(bytes_held == 64 * 1024);
  CHECK(memory.bytes_held() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "thread cache: a chunk may be released on another thread, which then keeps it") {
  ScriptedMemory memory;
  Chunk* chunk = nullptr;
  std::thread([&chunk] { chunk = acquire_chunk(kMin); }).join();
  release_chunk(chunk);
  CHECK(memory.bytes_held() == static_cast<std::int64_t>(kMin));
  CHECK(acquire_chunk(kMin) == chunk);
  release_chunk(chunk);
}

TEST_CASE(
    "bytes in arenas: a chunk counts from its acquisition to its release, not while it is cached") {
  const std::size_t before = detail::bytes_in_arenas();
  Chunk* chunk = acquire_chunk(kMin);
  CHECK(detail::bytes_in_arenas() == before + kMin);
  release_chunk(chunk);
  CHECK(detail::bytes_in_arenas() == before);
  chunk = acquire_chunk(kMin);
  CHECK(detail::bytes_in_arenas() == before + kMin);
  release_chunk(chunk);
  CHECK(detail::bytes_in_arenas() == before);
}

TEST_CASE("live arenas: the sum stays right when threads that counted have ended") {
  const std::size_t before = detail::live_arenas();
  std::thread([] { detail::count_live_arenas(+3); }).join();
  CHECK(detail::live_arenas() == before + 3);
  std::thread([] { detail::count_live_arenas(-2); }).join();
  CHECK(detail::live_arenas() == before + 1);
  detail::count_live_arenas(-1);
  CHECK(detail::live_arenas() == before);
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
