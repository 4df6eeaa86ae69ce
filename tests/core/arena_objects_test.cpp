// SPDX-License-Identifier: MIT
// What Arena::make() promises about constructors and destructors.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::Recorded;

TEST_CASE_FIXTURE(LiveArenas, "make: constructs from its arguments, move-only ones included") {
  Arena arena;
  CHECK(arena.make<int>(41) == 41);
  CHECK(arena.make<int>() == 0);
  CHECK(arena.make<std::string>(3, 'x') == "xxx");
  auto& pointer = arena.make<std::unique_ptr<int>>(std::make_unique<int>(7));
  CHECK(*pointer == 7);
  std::string source = "a text too long for the string's own buffer";
  auto& moved = arena.make<std::string>(std::move(source));
  CHECK(moved == "a text too long for the string's own buffer");
}

TEST_CASE_FIXTURE(LiveArenas, "make: an over-aligned type is aligned") {
  struct alignas(4096) Page {
    char bytes[4096];
  };
  struct alignas(64) Line {
    std::string text;
  };
  Arena arena;
  for (int i = 0; i < 20; ++i) {
    (void)arena.alloc(1, 1);
    CHECK(reinterpret_cast<std::uintptr_t>(&arena.make<Page>()) % 4096 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(&arena.make<Line>()) % 64 == 0);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make: clear runs the destructors once, in reverse order of construction") {
  std::vector<int> record;
  Arena arena;
  for (int number = 1; number <= 4; ++number) {
    arena.make<Recorded>(record, number);
  }
  CHECK(record.empty());
  arena.clear();
  CHECK(record == std::vector{4, 3, 2, 1});
  arena.clear();
  CHECK(record.size() == 4);
  arena.make<Recorded>(record, 5);
  arena.dispose();
  CHECK(record == std::vector{4, 3, 2, 1, 5});
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make: dispose and the arena's own end run the destructors in reverse order") {
  std::vector<int> record;
  {
    Arena disposed;
    Arena ended;
    disposed.make<Recorded>(record, 1);
    disposed.make<Recorded>(record, 2);
    ended.make<Recorded>(record, 3);
    ended.make<Recorded>(record, 4);
    disposed.dispose();
    CHECK(record == std::vector{2, 1});
    disposed.dispose();
    CHECK(record == std::vector{2, 1});
  }
  CHECK(record == std::vector{2, 1, 4, 3});
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "make: a constructor that throws has no destructor run, and what was made before has") {
  struct Throwing {
    explicit Throwing(std::vector<int>& log) : record(log, 99) { throw std::runtime_error("no"); }
    Recorded record;
    ~Throwing() { FAIL_CHECK("the object was never constructed"); }
  };
  std::vector<int> record;
  Arena arena;
  arena.make<Recorded>(record, 1);
  CHECK_THROWS_AS(arena.make<Throwing>(record), std::runtime_error);
  CHECK(record == std::vector{99});
  arena.make<Recorded>(record, 2);
  arena.clear();
  CHECK(record == std::vector{99, 2, 1});
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make: a constructor that makes parts in the same arena outlives none of them") {
  struct Whole {
    Whole(Arena& arena, std::vector<int>& log) : part(arena.make<Recorded>(log, 1)), record(log) {}
    ~Whole() { record.push_back(2); }
    Recorded& part;
    std::vector<int>& record;
  };
  std::vector<int> record;
  Arena arena;
  arena.make<Whole>(arena, record);
  arena.clear();
  CHECK(record == std::vector{2, 1});
}

/// A destructor that uses the arena it is in: allocates, and makes another of its kind `more` times
/// over.
struct Phoenix {
  Phoenix(Arena& home, std::vector<int>& log, int times) : arena(home), record(log), more(times) {}
  ~Phoenix() {
    record.push_back(more);
    std::memset(arena.alloc(70'000), 1, 70'000);
    if (more > 0) {
      arena.make<Phoenix>(arena, record, more - 1);
    }
  }
  Phoenix(const Phoenix&) = delete;
  Phoenix& operator=(const Phoenix&) = delete;

  Arena& arena;
  std::vector<int>& record;
  int more;
};

TEST_CASE_FIXTURE(
    LiveArenas,
    "make: a destructor may allocate and make in the same arena, at clear and at dispose") {
  std::vector<int> record;
  Arena arena;
  arena.make<Phoenix>(arena, record, 3);
  arena.clear();
  CHECK(record == std::vector{3, 2, 1, 0});
  CHECK(arena.bytes_used() == 0);
  record.clear();
  arena.make<Phoenix>(arena, record, 2);
  arena.dispose();
  CHECK(record == std::vector{2, 1, 0});
  CHECK(arena.bytes_reserved() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make: a destructor that makes is heard out when another thread disposes, too") {
  std::vector<int> record;
  Arena arena;
  arena.make<Phoenix>(arena, record, 3);
  std::thread([&arena] { arena.dispose(); }).join();
  CHECK(record == std::vector{3, 2, 1, 0});
  CHECK(arena.bytes_reserved() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "make: what other threads made is destroyed before what the owner made") {
  std::vector<int> record;
  Arena arena;
  arena.make<Recorded>(record, 1);
  std::thread([&] {
    arena.make<Recorded>(record, 2);
    arena.make<Recorded>(record, 3);
  }).join();
  arena.make<Recorded>(record, 4);
  arena.clear();
  CHECK(record == std::vector{3, 2, 4, 1});
}

TEST_CASE_FIXTURE(LiveArenas, "make: a destructor sees the memory of all that was made before it") {
  struct Reader {
    Reader(const std::string& text, std::string& read) : source(text), target(read) {}
    ~Reader() { target = source; }
    const std::string& source;
    std::string& target;
  };
  std::string read;
  Arena arena;
  const auto& text = arena.make<std::string>("a text that lives on the heap, not in the string");
  arena.make<Reader>(text, read);
  arena.dispose();
  CHECK(read == "a text that lives on the heap, not in the string");
}

}  // namespace
}  // namespace stadion
