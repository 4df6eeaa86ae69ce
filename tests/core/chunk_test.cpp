// SPDX-License-Identifier: MIT
#include "core/chunk.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

#include "core/system_memory.hpp"
#include "core/thread_cache.hpp"

namespace stadion::detail {
namespace {

constexpr std::size_t kMax = kRecycledChunkBytesMax;

TEST_CASE("chunk size: at least 1 KiB, then four sizes to each doubling, above 2 MiB whole pages") {
  CHECK(chunk_bytes_for(0) == 1024);
  CHECK(chunk_bytes_for(1023) == 1024);
  CHECK(chunk_bytes_for(1024) == 1024);
  CHECK(chunk_bytes_for(1025) == 1280);
  CHECK(chunk_bytes_for(1792) == 1792);
  CHECK(chunk_bytes_for(1793) == 2048);
  CHECK(chunk_bytes_for(kMax - 1) == kMax);
  CHECK(chunk_bytes_for(kMax) == kMax);
  CHECK(chunk_bytes_for(kMax + 1) == kMax + 4096);
  CHECK(chunk_bytes_for(kMax + 4096) == kMax + 4096);
  CHECK(chunk_bytes_for(kMax + 4097) == kMax + 8192);
  CHECK(chunk_bytes_for(std::size_t{1} << 36) == std::size_t{1} << 36);
}

TEST_CASE("chunk size: fits, wastes a fifth at the most, and is a size of its own") {
  for (std::size_t bytes = 1024; bytes <= kMax; bytes += 13) {
    const std::size_t given = chunk_bytes_for(bytes);
    REQUIRE(given >= bytes);
    REQUIRE(given * 4 <= bytes * 5);
    REQUIRE(chunk_bytes_for(given) == given);
    REQUIRE(given % kSystemMemoryAlignment == 0);
  }
}

TEST_CASE("chunk class: one for each size, in their order") {
  std::set<std::size_t> classes;
  std::size_t expected = 0;
  for (std::size_t bytes = 1024; bytes <= kMax; bytes = chunk_bytes_for(bytes + 1)) {
    CAPTURE(bytes);
    CHECK(ChunkClass::of(bytes) == expected);
    classes.insert(ChunkClass::of(bytes));
    ++expected;
  }
  CHECK(classes.size() == ChunkClass::kCount);
}

TEST_CASE("chunk: its payload begins behind the header, aligned, and ends with the block") {
  auto refusal = ChunkRefusal::system;
  Chunk* chunk = acquire_chunk(4096, refusal);
  REQUIRE(chunk != nullptr);
  CHECK(chunk->bytes == 4096);
  CHECK(chunk->begin() == reinterpret_cast<char*>(chunk) + sizeof(Chunk));
  CHECK(chunk->end() == reinterpret_cast<char*>(chunk) + 4096);
  CHECK(chunk->capacity() == static_cast<std::size_t>(chunk->end() - chunk->begin()));
  CHECK(reinterpret_cast<std::uintptr_t>(chunk) % kSystemMemoryAlignment == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(chunk->begin()) % alignof(std::max_align_t) == 0);
  release_chunk(chunk);
}

}  // namespace
}  // namespace stadion::detail
