// SPDX-License-Identifier: MIT
// Document Rule 1: under AddressSanitizer a stale pointer ends the program at the line that uses it;
// valgrind reports it, in a build with STADION_VALGRIND.
#include <doctest/doctest.h>

#include <string>

#include "core/arena.hpp"
#include "core/arena_scope.hpp"
#include "core/poison.hpp"
#include "tests/support/forked.hpp"

namespace stadion {
namespace {

#if defined(STADION_ASAN) || defined(STADION_VALGRIND)

char volatile sink;

/// What each program reads is 40 bytes long, or was.
struct Death {
  const char* name;
  void (*program)();
};

constexpr Death kDeaths[] = {
    {"after clear",
     [] {
       Arena arena;
       const char* stale = static_cast<char*>(arena.calloc(40, 1));
       arena.clear();
       sink = stale[39];
     }},
    {"after clear, in a full chunk",
     [] {
       Arena arena{ArenaOptions{.chunk_bytes = 1024}};
       const char* stale = static_cast<char*>(arena.calloc(40, 1));
       (void)arena.calloc(1, 10'000);
       (void)arena.calloc(1, 700);
       (void)arena.calloc(1, 700);
       arena.clear();
       (void)arena.calloc(1, 16);
       sink = stale[39];
     }},
    {"after the end of a scope",
     [] {
       Arena arena;
       (void)arena.calloc(1, 16);
       const char* stale = nullptr;
       {
         ArenaScope scope(arena);
         stale = static_cast<char*>(arena.calloc(40, 1));
       }
       sink = stale[39];
     }},
    {"after dispose",
     [] {
       Arena arena;
       const char* stale = static_cast<char*>(arena.calloc(40, 1));
       arena.dispose();
       sink = stale[39];
     }},
    {"after dispose of a large block",
     [] {
       Arena arena;
       const char* stale = static_cast<char*>(arena.calloc(40, 50'000));
       arena.dispose();
       sink = stale[39];
     }},
    {"after the arena's end, while another has its chunk",
     [] {
       const char* stale = nullptr;
       {
         Arena arena;
         (void)arena.calloc(1, 16);
         stale = static_cast<char*>(arena.calloc(40, 1));
       }
       Arena next;
       (void)next.calloc(1, 16);
       sink = stale[39];
     }},
    {"one past the end of the last allocation",
     [] {
       Arena arena;
       const char* last = static_cast<char*>(arena.calloc(40, 1));
       sink = last[40];
     }},
    {"one past the end of an allocation whose size is no multiple of 16",
     [] {
       Arena arena;
       const char* first = static_cast<char*>(arena.calloc(40, 1));
       (void)arena.calloc(40, 1);
       sink = first[40];
     }},
    {"past what was given back by shrinking",
     [] {
       Arena arena;
       char* shrunk = static_cast<char*>(arena.calloc(100, 1));
       (void)arena.extend(shrunk, 100, 40);
       sink = shrunk[40];
     }},
};

#ifdef STADION_ASAN

TEST_CASE("stale pointers: each way to use one is reported, with the line that does") {
  for (const Death& death : kDeaths) {
    CAPTURE(death.name);
    const tests::ForkedEnd end = tests::run_forked(death.program);
    CAPTURE(end.error);
    CHECK(end.status != 0);
    CHECK(end.error.find("AddressSanitizer") != std::string::npos);
    CHECK(end.error.find("arena_death_test.cpp") != std::string::npos);
  }
}

#else

TEST_CASE("stale pointers: each way to use one is reported") {
  if (RUNNING_ON_VALGRIND == 0) {
    MESSAGE("skipped: not run by valgrind; ./dev test valgrind does");
    return;
  }
  for (const Death& death : kDeaths) {
    CAPTURE(death.name);
    // In a child process: what valgrind counts here would fail this whole program.
    const tests::ForkedEnd end = tests::run_forked([&death] {
      death.program();
      ::_exit(VALGRIND_COUNT_ERRORS > 0 ? 1 : 0);
    });
    CHECK(end.status != 0);
  }
}

#endif

TEST_CASE("stale pointers: the same programs without the stale read end well") {
  const tests::ForkedEnd end = tests::run_forked([] {
    Arena arena;
    char* memory = static_cast<char*>(arena.calloc(40, 1));
    sink = memory[39];
    (void)arena.extend(memory, 40, 100);
    memory[99] = 1;
    ArenaScope scope(arena);
    sink = static_cast<char*>(arena.calloc(40, 1))[39];
  });
  CAPTURE(end.error);
  CHECK(end.status == 0);
}

#else

TEST_CASE("stale pointers: reported under AddressSanitizer only") {
  MESSAGE("skipped: this build has no AddressSanitizer; ./dev test asan has");
  Arena arena;
  CHECK(arena.alloc(1) != nullptr);
}

#endif

}  // namespace
}  // namespace stadion
