// SPDX-License-Identifier: MIT
#include "core/task.hpp"

#include <doctest/doctest.h>

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/finally.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;
using tests::Recorded;

/// What a coroutine waits for until the test lets it go on.
class Gate {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  void await_resume() const noexcept {}

  bool is_awaited() const noexcept { return waiting_ != nullptr; }
  void open() { std::exchange(waiting_, nullptr).resume(); }

 private:
  std::coroutine_handle<> waiting_;
};

struct HasOne {
  Arena& arena() const noexcept { return *of; }
  Arena* of;
};

Task<int> one(Arena& /*arena*/) { co_return 1; }
Task<> nothing(Arena& /*arena*/) { co_return; }
Task<> throws(Arena& /*arena*/) {
  throw std::runtime_error("thrown");
  co_return;
}
Task<> passes_through(Arena& /*arena*/, Gate& gate) { co_await gate; }
Task<int> from_object(int plus, HasOne& /*has*/, Arena& /*later*/) { co_return 1 + plus; }

/// How deep synchronous completions may be nested. Where GCC does not turn the transfer from one
/// coroutine to the next into a jump (without -foptimize-sibling-calls, which is part of -O2, and
/// always with sanitizers), each takes a frame of the stack until something really waits.
#ifdef NDEBUG
constexpr int kManyTurns = 100'000;
#elif defined(STADION_VALGRIND)
constexpr int kManyTurns = 200;  // It is slow on deep stacks.
#else
constexpr int kManyTurns = 2'000;
#endif

TEST_CASE_FIXTURE(LiveArenas, "task: begins when it is resumed or awaited, not before") {
  Arena arena;
  bool has_begun = false;
  const auto coroutine = [&has_begun](Arena&) -> Task<int> {
    has_begun = true;
    co_return 42;
  };
  Task<int> task = coroutine(arena);
  CHECK(task.is_valid());
  CHECK_FALSE(task.is_done());
  CHECK_FALSE(has_begun);
  task.resume();
  CHECK(task.is_done());
  CHECK(has_begun);
  CHECK(task.take() == 42);
}

TEST_CASE_FIXTURE(LiveArenas, "task: one that never began takes its frame along") {
  Arena arena;
  const std::size_t before = arena.bytes_used();
  { const Task<int> task = one(arena); }
  CHECK(arena.bytes_used() == before);
}

TEST_CASE_FIXTURE(LiveArenas, "task: its frame is in the arena of the first argument with one") {
  Arena first;
  Arena second;
  HasOne has{&first};
  const std::size_t first_before = first.bytes_used();
  const std::size_t second_before = second.bytes_used();
  Task<int> task = from_object(2, has, second);
  CHECK(first.bytes_used() > first_before);
  CHECK(second.bytes_used() == second_before);
  task.resume();
  CHECK(task.take() == 3);
  task.reset();
  CHECK(first.bytes_used() == first_before);
}

TEST_CASE_FIXTURE(LiveArenas, "task: a lambda's and a member's arguments are looked through, too") {
  struct Object {
    Task<int> member(Arena& /*arena*/) const { co_return number; }
    int number = 7;
  };
  Arena arena;
  const auto lambda = [number = 5](const std::string& text, Arena&) -> Task<int> {
    co_return number + static_cast<int>(text.size());
  };
  const std::string text = "four";
  Task<int> of_lambda = lambda(text, arena);
  of_lambda.resume();
  CHECK(of_lambda.take() == 9);
  const Object object;
  Task<int> of_member = object.member(arena);
  of_member.resume();
  CHECK(of_member.take() == 7);
}

TEST_CASE_FIXTURE(LiveArenas, "task: an exception comes out of co_await, and out of take()") {
  Arena arena;
  const auto catches = [](Arena& in) -> Task<std::string> {
    std::string caught;
    try {
      co_await throws(in);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    co_await nothing(in);
    co_return caught;
  };
  Task<std::string> caught = catches(arena);
  caught.resume();
  CHECK(caught.take() == "thrown");

  Task<> uncaught = throws(arena);
  uncaught.resume();
  CHECK(uncaught.is_done());
  CHECK_THROWS_AS(uncaught.take(), std::runtime_error);
}

TEST_CASE_FIXTURE(LiveArenas, "task: an exception passes through every task that waits for it") {
  struct Deep {
    static Task<int> at(Arena& arena, int depth) {
      if (depth == 0) {
        throw std::out_of_range("bottom");
      }
      co_return 1 + co_await at(arena, depth - 1);
    }
  };
  Arena arena;
  Task<int> task = Deep::at(arena, 50);
  task.resume();
  CHECK_THROWS_AS(task.take(), std::out_of_range);
}

TEST_CASE_FIXTURE(LiveArenas, "task: what it gives may be movable only, or have no default") {
  struct NoDefault {
    explicit NoDefault(int is) : number(is) {}
    int number;
  };
  Arena arena;
  const auto gives = [](Arena&) -> Task<std::unique_ptr<NoDefault>> {
    co_return std::make_unique<NoDefault>(3);
  };
  const auto takes = [gives](Arena& in) -> Task<NoDefault> {
    const std::unique_ptr<NoDefault> given = co_await gives(in);
    co_return NoDefault(given->number + 1);
  };
  Task<NoDefault> task = takes(arena);
  task.resume();
  CHECK(task.take().number == 4);
}

TEST_CASE_FIXTURE(LiveArenas, "task: goes on from where the innermost waited") {
  Arena arena;
  Gate gate;
  std::vector<int> steps;
  const auto inner = [](Arena&, Gate& at, std::vector<int>& record) -> Task<int> {
    record.push_back(1);
    co_await at;
    record.push_back(2);
    co_return 10;
  };
  const auto outer = [inner](Arena& in, Gate& at, std::vector<int>& record) -> Task<int> {
    const int given = co_await inner(in, at, record);
    record.push_back(3);
    co_return given + 1;
  };
  Task<int> task = outer(arena, gate, steps);
  task.resume();
  CHECK_FALSE(task.is_done());
  REQUIRE(gate.is_awaited());
  CHECK(steps == std::vector{1});
  gate.open();
  REQUIRE(task.is_done());
  CHECK(steps == std::vector{1, 2, 3});
  CHECK(task.take() == 11);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "task: destroyed in the middle, it destroys what is in it, innermost first") {
  Arena arena;
  Gate gate;
  std::vector<int> record;
  const auto third = [](Arena&, Gate& at, std::vector<int>& of) -> Task<> {
    const Recorded six(of, 6);
    const auto five = finally([&of] { of.push_back(5); });
    co_await at;
    of.push_back(-1);
  };
  const auto second = [third](Arena& in, Gate& at, std::vector<int>& of) -> Task<> {
    const Recorded four(of, 4);
    co_await third(in, at, of);
    of.push_back(-2);
  };
  const auto first = [second](Arena& in, Gate& at, std::vector<int>& of) -> Task<> {
    const Recorded two(of, 2);
    const Recorded three(of, 3);
    Task<> later = second(in, at, of);
    co_await std::move(later);
    of.push_back(-3);
  };
  const std::size_t before = arena.bytes_used();
  Task<> task = first(arena, gate, record);
  task.resume();
  REQUIRE(gate.is_awaited());
  task.reset();
  CHECK_FALSE(task.is_valid());
  CHECK(record == std::vector{5, 6, 4, 3, 2});
  CHECK(arena.bytes_used() == before);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "task: what a co_await's expression made lives as long as its frame") {
  Arena arena;
  Gate gate;
  std::vector<int> record;
  const auto inner = [](Arena&, Gate& at, std::unique_ptr<Recorded> /*kept*/) -> Task<> {
    co_await at;
  };
  const auto outer = [inner](Arena& in, Gate& at, std::vector<int>& of) -> Task<> {
    co_await inner(in, at, std::make_unique<Recorded>(of, 1));
    of.push_back(2);
  };
  Task<> ended = outer(arena, gate, record);
  ended.resume();
  CHECK(record.empty());
  ended.reset();
  CHECK(record == std::vector{1});
  record.clear();
  Task<> whole = outer(arena, gate, record);
  whole.resume();
  gate.open();
  CHECK(record == std::vector{1, 2});
}

TEST_CASE_FIXTURE(LiveArenas, "task: a loop that awaits one at each turn does not grow the arena") {
  Arena arena;
  std::size_t used = 0;
  std::size_t used_max = 0;
  const auto loop = [&](Arena& in) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 1'000; ++i) {
      sum += co_await one(in);
      used = used == 0 ? in.bytes_used() : used;
      used_max = std::max(used_max, in.bytes_used());
    }
    co_return sum;
  };
  Task<int> task = loop(arena);
  task.resume();
  CHECK(task.take() == 1'000);
  CHECK(used_max == used);
}

TEST_CASE_FIXTURE(LiveArenas, "task: the same where each of them waits") {
  Arena arena;
  Gate gate;
  std::size_t used = 0;
  const auto loop = [](Arena& in, Gate& at) -> Task<> {
    for (;;) {
      co_await passes_through(in, at);
    }
  };
  Task<> task = loop(arena, gate);
  task.resume();
  used = arena.bytes_used();
  for (int i = 0; i < 100'000; ++i) {
    gate.open();
  }
  CHECK(arena.bytes_used() == used);
}

TEST_CASE_FIXTURE(LiveArenas, "task: many synchronous completions in a row need no stack") {
  Arena arena;
  const auto loop = [](Arena& in) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < kManyTurns; ++i) {
      sum += co_await one(in);
    }
    co_return sum;
  };
  Task<int> task = loop(arena);
  task.resume();
  CHECK(task.take() == kManyTurns);
}

TEST_CASE_FIXTURE(LiveArenas, "task: many that wait for each other end one after the other") {
  struct Deep {
    static Task<int> at(Arena& arena, Gate& gate, int depth) {
      if (depth == 0) {
        co_await gate;
        co_return 0;
      }
      co_return 1 + co_await at(arena, gate, depth - 1);
    }
  };
  Arena arena;
  Gate gate;
  Task<int> task = Deep::at(arena, gate, kManyTurns);
  task.resume();
  gate.open();
  CHECK(task.take() == kManyTurns);
}

TEST_CASE_FIXTURE(LiveArenas, "task: an arena at its limit fails the call, and stays usable") {
  Arena arena({.chunk_bytes = 4096, .limit_bytes = 4096});
  int calls = 0;
  const auto large = [&calls](Arena&, Gate& at) -> Task<> {
    ++calls;
    char text[3000] = {};
    co_await at;
    text[0] = 'x';
    co_await at;
    CHECK(text[0] == 'x');
  };
  Gate gate;
  Task<> fits = large(arena, gate);
  fits.resume();
  CHECK(calls == 1);
  CHECK_THROWS_AS((void)large(arena, gate), ArenaFailed);
  CHECK(calls == 1);
  const auto within = [&large, &gate](Arena& in) -> Task<bool> {
    try {
      co_await large(in, gate);
    } catch (const ArenaFailed&) {
      co_return true;
    }
    co_return false;
  };
  Task<bool> task = within(arena);
  task.resume();
  CHECK(task.take());
  gate.open();
  gate.open();
  CHECK(fits.is_done());
}

TEST_CASE_FIXTURE(LiveArenas, "task: moved, it leaves nothing behind, and ends what it replaces") {
  Arena arena;
  Gate gate;
  std::vector<int> record;
  const auto records = [](Arena&, Gate& at, std::vector<int>& of, int number) -> Task<int> {
    const Recorded recorded(of, number);
    co_await at;
    co_return number;
  };
  Task<int> first = records(arena, gate, record, 1);
  first.resume();
  Task<int> second = std::move(first);
  CHECK_FALSE(first.is_valid());  // NOLINT(bugprone-use-after-move): what it says is tested.
  CHECK(record.empty());
  first = records(arena, gate, record, 2);
  first.resume();
  second = std::move(first);
  CHECK(record == std::vector{1});
  Task<int>& itself = second;
  second = std::move(itself);
  REQUIRE(second.is_valid());
  gate.open();
  CHECK(second.take() == 2);
  CHECK(Task<>().is_valid() == false);
}

}  // namespace
}  // namespace stadion
