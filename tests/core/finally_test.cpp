// SPDX-License-Identifier: MIT
#include "core/finally.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

using Guard = decltype(finally([] {}));
static_assert(!std::is_copy_constructible_v<Guard> && !std::is_move_constructible_v<Guard>);
static_assert(!std::is_copy_assignable_v<Guard> && !std::is_move_assignable_v<Guard>);

TEST_CASE("finally: runs once, at the end of its scope and not before") {
  int runs = 0;
  {
    auto guard = finally([&runs] { ++runs; });
    CHECK(runs == 0);
  }
  CHECK(runs == 1);
}

TEST_CASE("finally: runs after a return, whose value was computed before") {
  int number = 1;
  const auto run = [&number] {
    auto guard = finally([&number] { number = 2; });
    return number;
  };
  CHECK(run() == 1);
  CHECK(number == 2);
}

TEST_CASE("finally: runs after break and continue") {
  int runs = 0;
  for (int i = 0; i < 5; ++i) {
    auto guard = finally([&runs] { ++runs; });
    if (i == 1) {
      continue;
    }
    if (i == 3) {
      break;
    }
  }
  CHECK(runs == 4);
}

TEST_CASE("finally: runs while an exception passes, which goes on") {
  int runs = 0;
  const auto run = [&runs] {
    auto guard = finally([&runs] { ++runs; });
    throw std::runtime_error("passes");
  };
  CHECK_THROWS_WITH_AS(run(), "passes", std::runtime_error);
  CHECK(runs == 1);
}

TEST_CASE("finally: several run in reverse order") {
  std::string trace;
  {
    auto first = finally([&trace] { trace += "first"; });
    auto second = finally([&trace] { trace += "second "; });
  }
  CHECK(trace == "second first");
}

TEST_CASE("finally: takes a named function by copy, and one that can only be moved") {
  int runs = 0;
  const auto function = [&runs] { ++runs; };
  {
    auto first = finally(function);
    auto second = finally([number = std::make_unique<int>(10), &runs] { runs += *number; });
  }
  CHECK(runs == 11);
  function();
  CHECK(runs == 12);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "finally: disposes an arena when what comes after it throws [Rule 4]") {
  Arena arena;
  const auto run = [&arena] {
    auto dispose = finally([&arena] { arena.dispose(); });
    (void)arena.alloc(static_cast<std::size_t>(-1));
  };
  CHECK_THROWS_AS(run(), ArenaFailed);
  CHECK(arena.is_disposed());
}

}  // namespace
}  // namespace stadion
