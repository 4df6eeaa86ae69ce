// SPDX-License-Identifier: MIT
// Where an arena cannot give: sizes, budgets, a system without memory; and that it stays usable.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::ScriptedMemory;

constexpr std::size_t kSizeMax = std::numeric_limits<std::size_t>::max();

static_assert(std::is_base_of_v<std::bad_alloc, ArenaFailed>);
static_assert(std::is_nothrow_copy_constructible_v<ArenaFailed>);

/// what() of the ArenaFailed that the call raises; empty when it raises none.
template <class Call>
std::string failure_of(Call&& call) {
  try {
    call();
  } catch (const ArenaFailed& failure) {
    return failure.what();
  }
  return {};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string this_file_at(unsigned line) {
  return std::string(__FILE__) + ":" + std::to_string(line);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "alloc: a size that cannot be represented raises and leaves the arena usable") {
  Arena arena;
  int& before = arena.make<int>(41);

  CHECK_THROWS_AS((void)arena.alloc(kSizeMax), ArenaFailed);

  int& after = arena.make<int>(42);
  CHECK(before == 41);
  CHECK(after == 42);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "alloc: sizes near the largest number raise at every alignment, used arena or not") {
  ScriptedMemory memory;
  for (std::size_t below = 0; below <= 2 * kArenaAlignmentMax; below = below * 2 + 1) {
    for (std::size_t alignment = 1; alignment <= kArenaAlignmentMax; alignment *= 4) {
      Arena fresh;
      CHECK_THROWS_AS((void)fresh.alloc(kSizeMax - below, alignment), ArenaFailed);
      CHECK(fresh.try_alloc(kSizeMax - below, alignment) == nullptr);
      Arena used;
      (void)used.alloc(1);
      CHECK_THROWS_AS((void)used.alloc(kSizeMax - below, alignment), ArenaFailed);
      CHECK(used.try_alloc(kSizeMax - below, alignment) == nullptr);
    }
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "alloc: one below and at the largest size the system is asked, one above it is not") {
  ScriptedMemory memory;
  memory.refuse_all();
  Arena arena;
  const auto try_to = [&](std::size_t bytes) {
    return failure_of([&] { (void)arena.alloc(bytes); });
  };

  CHECK(contains(try_to(kArenaAllocationBytesMax - 1), "the system has no memory"));
  CHECK(contains(try_to(kArenaAllocationBytesMax), "the system has no memory"));
  CHECK(memory.largest_request_bytes() >= kArenaAllocationBytesMax);
  const std::int64_t calls_before = memory.call_count();
  CHECK(contains(try_to(kArenaAllocationBytesMax + 1), "at most 64 GiB"));
  CHECK(contains(try_to(kSizeMax), "at most 64 GiB"));
  CHECK(memory.call_count() == calls_before);

  memory.allow_all();
  CHECK_NOTHROW((void)arena.alloc(1));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "alloc: an alignment above 4096 raises, however much room the chunk has") {
  Arena arena{ArenaOptions{.chunk_bytes = 1024 * 1024}};
  const std::size_t too_large = kArenaAlignmentMax * 2;
  CHECK(contains(failure_of([&] { (void)arena.alloc(1, too_large); }), "at most 4096"));
  (void)arena.alloc(1);
  CHECK(contains(failure_of([&] { (void)arena.alloc(1, too_large); }), "at most 4096"));
  CHECK(arena.try_alloc(1, too_large) == nullptr);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "calloc: a product that cannot be represented raises, the largest that can does as its size") {
  ScriptedMemory memory;
  memory.refuse_all();
  Arena arena;
  const auto try_to = [&](std::size_t count, std::size_t bytes) {
    return failure_of([&] { (void)arena.calloc(count, bytes); });
  };
  const std::size_t half = kSizeMax / 2 + 1;
  CHECK(contains(try_to(half, 2), "count times size"));
  CHECK(contains(try_to(2, half), "count times size"));
  CHECK(contains(try_to(kSizeMax, kSizeMax), "count times size"));
  CHECK(contains(try_to(std::size_t{1} << 32, std::size_t{1} << 32), "count times size"));
  CHECK(contains(try_to(kSizeMax, 1), "at most 64 GiB"));
  CHECK(contains(try_to(kSizeMax / 2, 2), "at most 64 GiB"));
  CHECK(memory.call_count() == 0);
  memory.allow_all();
  CHECK_NOTHROW((void)arena.calloc(4, 4));
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "make_array: one below and at the largest size the system is asked, one above it is not") {
  ScriptedMemory memory;
  memory.refuse_all();
  Arena arena;
  const auto try_to = [&](std::size_t count) {
    return failure_of([&] { (void)arena.make_array<std::uint64_t>(count); });
  };
  const std::size_t most = kArenaAllocationBytesMax / sizeof(std::uint64_t);
  CHECK(contains(try_to(most - 1), "the system has no memory"));
  CHECK(contains(try_to(most), "the system has no memory"));
  const std::int64_t calls_before = memory.call_count();
  CHECK(contains(try_to(most + 1), "count times size"));
  CHECK(contains(try_to(kSizeMax / sizeof(std::uint64_t)), "count times size"));
  CHECK(contains(try_to(kSizeMax / sizeof(std::uint64_t) + 1), "count times size"));
  CHECK(contains(try_to(kSizeMax), "count times size"));
  CHECK(memory.call_count() == calls_before);
  memory.allow_all();
  CHECK(arena.make_array<std::uint64_t>(3).size() == 3);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "what: says the size, the reason and the caller's file and line [Core API, macros]") {
  ScriptedMemory memory;
  memory.refuse_all();
  Arena arena;

  std::string text = failure_of([&] { (void)arena.alloc(12345); });
  CHECK(contains(text, "12345 bytes"));
  CHECK(contains(text, "the system has no memory"));
  CHECK(contains(text, this_file_at(__LINE__ - 3)));

  text = failure_of([&] { (void)arena.calloc(100, 101); });
  CHECK(contains(text, "10100 bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));

  text = failure_of([&] { (void)ALLOC(arena, 12346); });
  CHECK(contains(text, "12346 bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));

  text = failure_of([&] { (void)CALLOC(arena, 100, 102); });
  CHECK(contains(text, "10200 bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));

  text = failure_of([&] { (void)arena.make_array<char>(777); });
  CHECK(contains(text, "777 bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));

  text = failure_of([&] { (void)arena.copy("four"); });
  CHECK(contains(text, "4 bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));
}

TEST_CASE_FIXTURE(
    LiveArenas, "what: names the place of an overflow, a passed limit and a disposed arena, too") {
  Arena arena{ArenaOptions{.limit_bytes = 1024}};
  std::string text = failure_of([&] { (void)CALLOC(arena, kSizeMax, 2); });
  CHECK(contains(text, this_file_at(__LINE__ - 1)));
  text = failure_of([&] { (void)ALLOC(arena, 2000); });
  CHECK(contains(text, "limit_bytes"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));
  arena.dispose();
  text = failure_of([&] { (void)ALLOC(arena, 1); });
  CHECK(contains(text, "disposed"));
  CHECK(contains(text, this_file_at(__LINE__ - 2)));
}

TEST_CASE("what: without a place it ends after the reason") {
  CHECK(std::string_view(ArenaFailed(5, {"because"}, SourceLocation{}).what()) ==
        "arena: cannot allocate 5 bytes: because");
}

TEST_CASE("what: a long path keeps its file name and line") {
  const std::string path = "/" + std::string(300, 'd') + "/handler.cpp";
  const ArenaFailed failure(kSizeMax, {"one allocation is at most 64 GiB"}, {path.c_str(), 4711});
  CHECK(contains(failure.what(), "handler.cpp:4711"));
}

struct Member {
  explicit Member(int& living) : count(living) { ++count; }
  ~Member() { --count; }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  int& count;
  char bytes[700] = {};
};
struct Plain {
  char bytes[700];
};

/// One way into the arena, for about 700 bytes: the memory, or null where it raised or answered
/// null.
struct EntryPoint {
  const char* name;
  void* (*take)(Arena& arena, int& living);
};

constexpr EntryPoint kEntryPoints[] = {
    {"alloc", [](Arena& arena, int&) { return arena.alloc(700); }},
    {"alloc aligned", [](Arena& arena, int&) { return arena.alloc(700, 256); }},
    {"alloc large", [](Arena& arena, int&) { return arena.alloc(2'000'000); }},
    {"ALLOC", [](Arena& arena, int&) { return ALLOC(arena, 700); }},
    {"try_alloc", [](Arena& arena, int&) { return arena.try_alloc(700); }},
    {"calloc", [](Arena& arena, int&) { return arena.calloc(7, 100); }},
    {"CALLOC", [](Arena& arena, int&) { return CALLOC(arena, 7, 100); }},
    {"make", [](Arena& arena, int&) { return static_cast<void*>(arena.make<Plain>().bytes); }},
    {"make with destructor",
     [](Arena& arena, int& living) {
       return static_cast<void*>(arena.make<Member>(living).bytes);
     }},
    {"make_array",
     [](Arena& arena, int&) { return static_cast<void*>(arena.make_array<char>(700).data()); }},
    {"copy",
     [](Arena& arena, int&) {
       static const std::string text(700, 'x');
       return static_cast<void*>(const_cast<char*>(arena.copy(text).data()));
     }},
};

void* take_or_null(const EntryPoint& entry, Arena& arena, int& living) {
  try {
    return entry.take(arena, living);
  } catch (const ArenaFailed&) {
    return nullptr;
  }
}

/// Takes 10 blocks through the entry point and writes each one's number into it; null stands for a
/// failure.
std::vector<unsigned char*> take_blocks(const EntryPoint& entry, Arena& arena, int& living) {
  std::vector<unsigned char*> blocks;
  for (unsigned char number = 0; number < 10; ++number) {
    auto* block = static_cast<unsigned char*>(take_or_null(entry, arena, living));
    if (block != nullptr) {
      std::memset(block, number, 700);
    }
    blocks.push_back(block);
  }
  return blocks;
}

void check_blocks(const std::vector<unsigned char*>& blocks) {
  for (std::size_t number = 0; number < blocks.size(); ++number) {
    if (blocks[number] != nullptr) {
      CHECK(blocks[number][0] == number);
      CHECK(blocks[number][699] == number);
    }
  }
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "out of memory: from any request on, every entry point raises and the arena stays usable") {
  for (const EntryPoint& entry : kEntryPoints) {
    CAPTURE(entry.name);
    bool was_refused = true;
    for (std::int64_t nth = 1; was_refused; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 1000);
      ScriptedMemory memory;
      memory.refuse_from(nth);
      int living = 0;
      Arena arena{ArenaOptions{.chunk_bytes = 1024}};
      const std::vector<unsigned char*> blocks = take_blocks(entry, arena, living);
      was_refused = memory.refusal_count() > 0;
      // The last one in particular: by then nothing that was left over can serve it.
      CHECK((blocks.back() == nullptr) == was_refused);
      CHECK(static_cast<std::int64_t>(arena.bytes_reserved()) == memory.bytes_held());
      memory.allow_all();
      CHECK(take_or_null(entry, arena, living) != nullptr);
      check_blocks(blocks);
      arena.dispose();
      CHECK(living == 0);
      Arena::trim();
      CHECK(memory.bytes_held() == 0);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "out of memory: one refusal fails at most one call of any entry point") {
  for (const EntryPoint& entry : kEntryPoints) {
    CAPTURE(entry.name);
    bool was_refused = true;
    for (std::int64_t nth = 1; was_refused; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 1000);
      ScriptedMemory memory;
      memory.refuse_nth(nth);
      int living = 0;
      Arena arena{ArenaOptions{.chunk_bytes = 1024}};
      const std::vector<unsigned char*> blocks = take_blocks(entry, arena, living);
      was_refused = memory.refusal_count() > 0;
      CHECK(std::count(blocks.begin(), blocks.end(), nullptr) <= (was_refused ? 1 : 0));
      check_blocks(blocks);
      arena.clear();
      CHECK(living == 0);
      CHECK(take_or_null(entry, arena, living) != nullptr);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "out of memory: a smaller chunk is tried before the arena fails") {
  ScriptedMemory memory;
  memory.refuse_nth(1);
  Arena arena;
  CHECK_NOTHROW((void)arena.alloc(100));
  CHECK(memory.refusal_count() == 1);
  CHECK(arena.bytes_reserved() < kArenaChunkBytes);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "out of memory: a thread that is not the owner is refused, and served later, likewise") {
  ScriptedMemory memory;
  Arena arena;
  (void)arena.alloc(1);
  memory.refuse_all();
  std::string text;
  bool served = false;
  std::thread([&] {
    text = failure_of([&] { (void)arena.alloc(100); });
    memory.allow_all();
    served = arena.try_alloc(100) != nullptr;
  }).join();
  CHECK(contains(text, "the system has no memory"));
  CHECK(served);
}

}  // namespace
}  // namespace stadion
