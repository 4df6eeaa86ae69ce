// SPDX-License-Identifier: MIT
// Arenas and threads: many allocate from one, and an arena outlives or leaves the thread that made
// it.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/arena.hpp"
#include "core/depot.hpp"
#include "core/thread_cache.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

struct Block {
  unsigned char* memory;
  std::size_t bytes;
  std::size_t alignment;
  unsigned char pattern;
};

/// Allocates in odd sizes and alignments, and fills every block with the pattern.
std::vector<Block> fill_blocks(Arena& arena, unsigned char pattern, std::size_t count) {
  std::vector<Block> blocks;
  blocks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bytes = i % 100 == 99 ? 90'000 : 1 + (i * 131 + pattern) % 300;
    const std::size_t alignment = std::size_t{1} << (i + pattern) % 8;
    void* memory = i % 2 == 0 ? arena.alloc(bytes, alignment) : arena.try_alloc(bytes, alignment);
    std::memset(memory, pattern, bytes);
    blocks.push_back({static_cast<unsigned char*>(memory), bytes, alignment, pattern});
  }
  return blocks;
}

bool is_intact(const Block& block) {
  return reinterpret_cast<std::uintptr_t>(block.memory) % block.alignment == 0 &&
         std::all_of(block.memory, block.memory + block.bytes,
                     [&](unsigned char byte) { return byte == block.pattern; });
}

bool overlap(std::vector<Block> blocks) {
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.memory < b.memory; });
  return std::adjacent_find(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
           return a.memory + a.bytes > b.memory;
         }) != blocks.end();
}

/// Runs `body(index)` on that many threads at once, and waits for all.
template <class Body>
void run_on_threads(std::size_t count, Body&& body) {
  std::latch start(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  for (std::size_t index = 0; index < count; ++index) {
    threads.emplace_back([&, index] {
      start.arrive_and_wait();
      body(index);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

/// The calling thread and 7 others allocate from the arena at once.
std::vector<Block> fill_from_eight_threads(Arena& arena) {
  constexpr std::size_t kBlocksPerThread = 800;
  std::vector<std::vector<Block>> of_thread(8);
  std::latch start(8);
  std::vector<std::thread> threads;
  for (std::size_t index = 1; index < 8; ++index) {
    threads.emplace_back([&, index] {
      start.arrive_and_wait();
      of_thread[index] =
          fill_blocks(arena, static_cast<unsigned char>(index + 1), kBlocksPerThread);
    });
  }
  start.arrive_and_wait();
  of_thread[0] = fill_blocks(arena, 1, kBlocksPerThread);
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::vector<Block> all;
  for (const std::vector<Block>& blocks : of_thread) {
    all.insert(all.end(), blocks.begin(), blocks.end());
  }
  return all;
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "threads: eight allocate from one arena and no byte is handed out twice [Thread Safety]") {
  Arena arena;
  for (int round = 0; round < 2; ++round) {
    const std::vector<Block> blocks = fill_from_eight_threads(arena);
    CHECK(blocks.size() == 8 * 800);
    CHECK(std::all_of(blocks.begin(), blocks.end(), is_intact));
    CHECK_FALSE(overlap(blocks));
    CHECK(arena.bytes_used() <= arena.bytes_reserved());
    CHECK(Arena::debug_live_bytes() >= arena.bytes_reserved());
    arena.clear();
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "threads: eight make objects in one arena and each is destroyed once") {
  struct Counted {
    explicit Counted(std::atomic<int>& living) : count(living) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::atomic<int>& count;
  };
  std::atomic<int> living{0};
  Arena arena;
  run_on_threads(8, [&](std::size_t) {
    for (int i = 0; i < 300; ++i) {
      arena.make<Counted>(living);
    }
  });
  CHECK(living == 8 * 300);
  arena.clear();
  CHECK(living == 0);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "threads: after the owner has ended, others allocate at once and none passes for it") {
  std::unique_ptr<Arena> arena;
  std::vector<Block> blocks;
  std::thread([&] {
    arena = std::make_unique<Arena>();
    blocks = fill_blocks(*arena, 100, 50);
  }).join();
  std::vector<std::vector<Block>> of_thread(4);
  run_on_threads(4, [&](std::size_t index) {
    of_thread[index] = fill_blocks(*arena, static_cast<unsigned char>(index), 500);
  });
  for (const std::vector<Block>& more : of_thread) {
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  CHECK(std::all_of(blocks.begin(), blocks.end(), is_intact));
  CHECK_FALSE(overlap(blocks));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "threads: a thread that ends leaves its live arena intact and counted") {
  const std::size_t count_before = Arena::debug_live_count();
  const std::size_t bytes_before = Arena::debug_live_bytes();
  std::unique_ptr<Arena> arena;
  std::string_view text;
  std::thread([&] {
    arena = std::make_unique<Arena>();
    text = arena->copy("made on a thread that is gone");
  }).join();
  CHECK(Arena::debug_live_count() == count_before + 1);
  CHECK(Arena::debug_live_bytes() == bytes_before + arena->bytes_reserved());
  CHECK(text == "made on a thread that is gone");
  arena->dispose();
  CHECK(Arena::debug_live_count() == count_before);
  CHECK(Arena::debug_live_bytes() == bytes_before);
}

TEST_CASE_FIXTURE(
    LiveArenas, "threads: an arena made here and disposed there is counted right while both live") {
  const std::size_t count_before = Arena::debug_live_count();
  const std::size_t bytes_before = Arena::debug_live_bytes();
  Arena arena;
  (void)arena.alloc(300'000);
  (void)arena.alloc(1000);
  std::latch disposed(1);
  std::latch checked(1);
  std::thread other([&] {
    arena.dispose();
    disposed.count_down();
    checked.wait();
  });
  disposed.wait();
  CHECK(Arena::debug_live_count() == count_before);
  CHECK(Arena::debug_live_bytes() == bytes_before);
  CHECK(arena.is_disposed());
  checked.count_down();
  other.join();
  CHECK(Arena::debug_live_count() == count_before);
  CHECK(Arena::debug_live_bytes() == bytes_before);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "threads: arenas handed from maker to disposer for ever do not pile up in either's cache") {
  ScriptedMemory memory;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::unique_ptr<Arena>> arenas;
    for (int i = 0; i < 20; ++i) {
      arenas.push_back(std::make_unique<Arena>());
      (void)arenas.back()->alloc(60'000);
    }
    std::thread([&arenas] { arenas.clear(); }).join();
    CHECK(memory.bytes_held() <=
          static_cast<std::int64_t>(2 * detail::kThreadKeptBytesMax + detail::kDepotBytesMax));
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "threads: making and disposing on eight at once is counted right at the end") {
  const std::size_t count_before = Arena::debug_live_count();
  std::vector<std::unique_ptr<Arena>> left(8);
  run_on_threads(8, [&](std::size_t index) {
    for (std::size_t i = 0; i < 200; ++i) {
      Arena arena;
      (void)arena.alloc(1 + i * 997);
    }
    left[index] = std::make_unique<Arena>();
    (void)left[index]->alloc(1);
  });
  CHECK(Arena::debug_live_count() == count_before + 8);
  left.clear();
  CHECK(Arena::debug_live_count() == count_before);
}

TEST_CASE_FIXTURE(LiveArenas, "threads: the counts may be read while others make and dispose") {
  std::atomic<bool> done{false};
  const std::size_t count_before = Arena::debug_live_count();
  std::size_t largest_seen = 0;
  std::thread reader([&] {
    while (!done) {
      largest_seen = std::max(largest_seen, Arena::debug_live_count());
      (void)Arena::debug_live_bytes();
    }
  });
  run_on_threads(3, [&](std::size_t) {
    for (int i = 0; i < 300; ++i) {
      Arena arena;
      (void)arena.alloc(1);
    }
  });
  done = true;
  reader.join();
  CHECK(largest_seen <= count_before + 3);
}

/// Constructed before its thread's cache comes to life, hence destroyed after that cache is gone.
thread_local std::optional<Arena> thread_arena;

TEST_CASE_FIXTURE(
    LiveArenas,
    "threads: a thread_local arena is disposed at the thread's end, and all of it given back") {
  ScriptedMemory memory;
  std::int64_t bytes_held = 0;
  std::thread([&] {
    thread_arena.emplace();
    (void)thread_arena->alloc(1000);
    (void)thread_arena->alloc(3'000'000);
    bytes_held = memory.bytes_held();
  }).join();
  CHECK(bytes_held > 3'000'000);
  CHECK(memory.bytes_held() <= static_cast<std::int64_t>(detail::kDepotBytesMax));
  Arena::trim();
  CHECK(memory.bytes_held() == 0);
}

}  // namespace
}  // namespace stadion
