// SPDX-License-Identifier: MIT
#include "http/codec_memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>

#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::LiveArenas;

TEST_CASE_FIXTURE(LiveArenas, "codec memory: what was freed comes back, best fit first") {
  Arena arena;
  CodecMemory memory(arena);
  void* large = CodecMemory::allocate(&memory, 1000);
  void* small = CodecMemory::allocate(&memory, 600);
  CodecMemory::release(&memory, large);
  CodecMemory::release(&memory, small);
  CodecMemory::release(&memory, nullptr);

  CHECK(CodecMemory::allocate(&memory, 550) == small);
  CHECK(CodecMemory::allocate_array(&memory, 10, 100) == large);
  CHECK(CodecMemory::allocate(&memory, 550) != small);
}

TEST_CASE_FIXTURE(LiveArenas, "codec memory: a small allocation does not take a large block") {
  Arena arena;
  CodecMemory memory(arena);
  void* large = CodecMemory::allocate(&memory, 1000);
  CodecMemory::release(&memory, large);
  CHECK(CodecMemory::allocate(&memory, 499) != large);
  CHECK(CodecMemory::allocate(&memory, 500) == large);
}

TEST_CASE_FIXTURE(LiveArenas, "codec memory: blocks are aligned for any type, and their own") {
  Arena arena;
  CodecMemory memory(arena);
  for (std::size_t bytes = 1; bytes < 100; ++bytes) {
    void* block = CodecMemory::allocate(&memory, bytes);
    REQUIRE(block != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0);
    std::memset(block, 0xA5, bytes);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "codec memory: the limit counts each block with its header") {
  Arena arena;
  CodecMemory memory(arena, 216);
  CHECK(CodecMemory::allocate(&memory, 201) == nullptr);
  CHECK(memory.is_over_limit());
  CHECK_NOTHROW(memory.raise_refusal());  // The arena has refused nothing.
  void* block = CodecMemory::allocate(&memory, 200);
  CHECK(block != nullptr);
  CHECK(CodecMemory::allocate(&memory, 0) == nullptr);
  CodecMemory::release(&memory, block);
  CHECK(CodecMemory::allocate(&memory, 200) == block);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "codec memory: what the arena refuses is null, and raised on demand") {
  Arena arena({.chunk_bytes = 1024, .limit_bytes = 4096});
  CodecMemory memory(arena);
  CHECK_NOTHROW(memory.raise_refusal());
  CHECK(CodecMemory::allocate(&memory, 8192) == nullptr);
  CHECK_FALSE(memory.is_over_limit());
  CHECK_THROWS_AS(memory.raise_refusal(), ArenaFailed);
  CHECK(CodecMemory::allocate(&memory, 100) != nullptr);
}

}  // namespace
}  // namespace stadion::http
