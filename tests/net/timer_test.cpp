// SPDX-License-Identifier: MIT
#include "net/timer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/counted_news.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::net {
namespace {

using namespace std::chrono_literals;
using tests::TestLoop;

/// A timer that is set for `delay` after all that was set before, and expires when they have.
void wait_out(TestLoop& loop, std::chrono::milliseconds delay) {
  Timer timer(loop.worker());
  bool expired = false;
  timer.expires_after(delay, [&expired] { expired = true; });
  loop.run_until([&expired] { return expired; });
}

TEST_CASE("timer: calls its function once, on the loop, and not before the delay is over") {
  TestLoop loop;
  Timer timer(loop.worker());
  int calls = 0;
  bool on_loop = false;
  const auto start = std::chrono::steady_clock::now();
  timer.expires_after(20ms, [&] {
    ++calls;
    on_loop = loop.worker().is_current();
  });
  CHECK(timer.is_set());
  CHECK(calls == 0);
  loop.run_until([&] { return calls > 0; });
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
  CHECK(on_loop);
  CHECK(!timer.is_set());
  wait_out(loop, 5ms);
  CHECK(calls == 1);
}

TEST_CASE("timer: a delay of nothing expires in the loop, not in the call") {
  TestLoop loop;
  Timer timer(loop.worker());
  int calls = 0;
  loop.call([&] {
    timer.expires_after(0ms, [&calls] { ++calls; });
    CHECK(calls == 0);
  });
  loop.run_until([&] { return calls == 1; });
}

TEST_CASE("timer: timers expire in the order of their times, whatever order they were set in") {
  TestLoop loop;
  Timer third(loop.worker());
  Timer first(loop.worker());
  Timer second(loop.worker());
  std::string order;
  third.expires_after(3ms, [&order] { order += "3"; });
  first.expires_after(1ms, [&order] { order += "1"; });
  second.expires_after(2ms, [&order] { order += "2"; });
  loop.run_until([&order] { return order.size() == 3; });
  CHECK(order == "123");
}

TEST_CASE("timer: one that is cancelled does not call, and can be set again") {
  TestLoop loop;
  Timer timer(loop.worker());
  std::string calls;
  timer.expires_after(1ms, [&calls] { calls += "cancelled"; });
  timer.cancel();
  CHECK(!timer.is_set());
  wait_out(loop, 5ms);
  CHECK(calls.empty());
  timer.cancel();
  timer.expires_after(1ms, [&calls] { calls += "set again"; });
  loop.run_until([&calls] { return !calls.empty(); });
  CHECK(calls == "set again");
}

TEST_CASE("timer: cancelling withdraws a call whose time has come already") {
  const tests::RecordedLog log;  // Of an exception, had there been no function to call.
  TestLoop loop;
  Timer first(loop.worker());
  Timer second(loop.worker());
  std::string calls;
  // Both are due when the loop comes to look; whichever is called first cancels the other.
  const auto set = [&] {
    first.expires_after(0ms, [&] {
      calls += "first";
      second.cancel();
    });
    second.expires_after(0ms, [&] {
      calls += "second";
      first.cancel();
    });
  };
  loop.call(set);
  loop.run_until([&calls] { return !calls.empty(); });
  wait_out(loop, 2ms);
  const bool one_alone = calls == "first" || calls == "second";
  CHECK_MESSAGE(one_alone, calls);
  CHECK(log.lines().empty());
}

TEST_CASE("timer: setting it again forgets what was set before") {
  TestLoop loop;
  Timer timer(loop.worker());
  std::string calls;
  timer.expires_after(1ms, [&calls] { calls += "old"; });
  timer.expires_after(2ms, [&calls] { calls += "new"; });
  loop.run_until([&calls] { return !calls.empty(); });
  wait_out(loop, 5ms);
  CHECK(calls == "new");
}

TEST_CASE("timer: setting it again withdraws a call whose time has come already") {
  const tests::RecordedLog log;  // Of an exception, had there been no function to call.
  TestLoop loop;
  Timer timer(loop.worker());
  Timer other(loop.worker());
  std::string calls;
  loop.call([&] {
    other.expires_after(0ms, [&] { timer.expires_after(1ms, [&calls] { calls += "new"; }); });
    timer.expires_after(0ms, [&calls] { calls += "old "; });
  });
  loop.run_until([&calls] { return calls.ends_with("new"); });
  const bool never_after_reset = calls == "new" || calls == "old new";
  CHECK_MESSAGE(never_after_reset, calls);
  wait_out(loop, 2ms);
  CHECK(log.lines().empty());
}

TEST_CASE("timer: can be set again in its own function") {
  TestLoop loop;
  Timer timer(loop.worker());
  int calls = 0;
  std::function<void()> again = [&] {
    CHECK(!timer.is_set());
    if (++calls < 3) {
      timer.expires_after(1ms, again);
      CHECK(timer.is_set());
    }
  };
  timer.expires_after(1ms, again);
  loop.run_until([&] { return calls == 3; });
  CHECK(!timer.is_set());
}

TEST_CASE("timer: can be destroyed in its own function, which goes on undisturbed") {
  TestLoop loop;
  auto timer = std::make_unique<Timer>(loop.worker());
  std::string seen;
  // Long enough that the function's state is on the heap, where a stale use would be noticed.
  const std::string state(100, 's');
  timer->expires_after(1ms, [&timer, &seen, state] {
    timer.reset();
    seen = state;
  });
  loop.run_until([&] { return !seen.empty(); });
  CHECK(seen == state);
}

TEST_CASE("timer: one that is destroyed does not call, and frees its function at once") {
  TestLoop loop;
  const auto owned = std::make_shared<int>(0);
  {
    Timer timer(loop.worker());
    timer.expires_after(1ms, [owned] { ++*owned; });
    CHECK(owned.use_count() == 2);
  }
  CHECK(owned.use_count() == 1);
  wait_out(loop, 5ms);
  CHECK(*owned == 0);
}

TEST_CASE("timer: one that is still set when the Worker ends is not called") {
  int calls = 0;
  {
    TestLoop loop;
    Timer timer(loop.worker());
    timer.expires_after(0ms, [&calls] { ++calls; });
  }
  CHECK(calls == 0);
}

TEST_CASE("timer: takes a function and what to pass it, which is called like any other") {
  TestLoop loop;
  Timer timer(loop.worker());
  int calls = 0;
  const Timer::Callback count{[](void* its_calls) { ++*static_cast<int*>(its_calls); }, &calls};
  loop.call([&] {
    timer.expires_after(0ms, count);
    CHECK(timer.is_set());
    CHECK(calls == 0);
  });
  loop.run_until([&calls] { return calls == 1; });
  CHECK(!timer.is_set());
  SUBCASE("unless it is cancelled") {
    timer.expires_after(1ms, count);
    timer.cancel();
    CHECK(!timer.is_set());
  }
  SUBCASE("unless it is destroyed") {
    Timer other(loop.worker());
    other.expires_after(1ms, count);
  }
  SUBCASE("unless the timer is set again, in the other way") {
    bool called = false;
    timer.expires_after(1ms, count);
    timer.expires_after(2ms, [&called] { called = true; });
    loop.run_until([&called] { return called; });
  }
  SUBCASE("and not the one that was set in the other way before") {
    const auto owned = std::make_shared<int>(0);
    timer.expires_after(1ms, [owned] { ++*owned; });
    timer.expires_after(0ms, count);
    CHECK(owned.use_count() == 1);
    loop.run_until([&calls] { return calls == 2; });
    --calls;
  }
  wait_out(loop, 5ms);
  CHECK(calls == 1);
}

TEST_CASE("timer: can be destroyed in the function of another, though its time has come") {
  TestLoop loop;
  std::unique_ptr<Timer> timers[2];
  std::string calls;
  loop.call([&] {
    for (const std::size_t i : {0U, 1U}) {
      timers[i] = std::make_unique<Timer>(loop.worker());
      timers[i]->expires_after(0ms, [&timers, &calls, i] {
        calls += std::to_string(i);
        timers[1 - i].reset();
      });
    }
  });
  loop.run_until([&calls] { return !calls.empty(); });
  wait_out(loop, 2ms);
  CHECK(calls == "0");
}

TEST_CASE("timer: a function may own its timer, and go with it when it is cancelled") {
  TestLoop loop;
  auto timer = std::make_shared<Timer>(loop.worker());
  const std::weak_ptr<Timer> watched = timer;
  Timer& bare = *timer;
  bare.expires_after(1h, [owner = std::move(timer)] {});
  CHECK(!watched.expired());
  bare.cancel();
  CHECK(watched.expired());
}

TEST_CASE("timer: timers for one time expire in the order in which they were set") {
  struct Numbered {
    Numbered(Worker& worker, std::string& its_order, char its_number)
        : timer(worker), order(&its_order), number(its_number) {}

    Timer timer;
    std::string* order;
    char number;
  };
  TestLoop loop;
  std::deque<Numbered> all;
  std::string order;
  const Timer::Clock::time_point time = Timer::Clock::now() + 2ms;
  loop.call([&] {
    for (char number = '0'; number <= '9'; ++number) {
      Numbered& numbered = all.emplace_back(loop.worker(), order, number);
      numbered.timer.expires_at(time, {[](void* its_number) {
                                         auto* self = static_cast<Numbered*>(its_number);
                                         *self->order += self->number;
                                       },
                                       &numbered});
    }
    all[4].timer.cancel();
  });
  loop.run_until([&order] { return order.size() == 9; });
  CHECK(order == "012356789");
}

TEST_CASE("timer: a time that is over expires in the loop, not in the call") {
  TestLoop loop;
  Timer timer(loop.worker());
  int calls = 0;
  loop.call([&] {
    timer.expires_at(Timer::Clock::time_point::min(),
                     {[](void* its_calls) { ++*static_cast<int*>(its_calls); }, &calls});
    CHECK(calls == 0);
  });
  loop.run_until([&calls] { return calls == 1; });
}

TEST_CASE("timer: one that sets itself for at once, again and again, keeps nobody else waiting") {
  TestLoop loop;
  Timer eager(loop.worker());
  std::size_t calls = 0;
  std::function<void()> again = [&] {
    ++calls;
    eager.expires_after(0ms, again);
  };
  eager.expires_after(0ms, again);
  wait_out(loop, 2ms);
  CHECK(calls > 0);
  eager.cancel();
}

TEST_CASE("timer: a delay that no clock can count is taken for a hundred years") {
  TestLoop loop;
  Timer endless(loop.worker());
  Timer past(loop.worker());
  bool endless_expired = false;
  bool past_expired = false;
  endless.expires_after(std::chrono::milliseconds::max(), [&] { endless_expired = true; });
  past.expires_after(std::chrono::milliseconds::min(), [&] { past_expired = true; });
  loop.run_until([&] { return past_expired; });
  CHECK(endless.is_set());
  CHECK(!endless_expired);
}

TEST_CASE("timer: an exception that leaves its function is logged, and the others expire") {
  const tests::RecordedLog log;
  TestLoop loop;
  Timer first(loop.worker());
  Timer second(loop.worker());
  Timer third(loop.worker());
  std::string calls;
  loop.call([&] {
    first.expires_after(0ms, [] { throw std::runtime_error("trouble"); });
    second.expires_after(0ms, [&calls] { calls += "second "; });
    third.expires_after(1ms, [&calls] { calls += "third"; });
  });
  loop.run_until([&calls] { return calls.ends_with("third"); });
  CHECK(calls == "second third");
  CHECK(log.lines().size() == 1);
  CHECK(log.count(LogLevel::error, "trouble") == 1);
}

TEST_CASE(
    "timer: stop() leaves those that are due behind it, which expire if the loop runs again") {
  TestLoop loop;
  Worker& worker = loop.worker();
  Timer first(worker);
  Timer second(worker);
  std::string calls;
  first.expires_after(0ms, [&] {
    calls += "first";
    worker.stop();
  });
  second.expires_after(0ms, [&calls] { calls += " second"; });
  worker.run();
  CHECK(calls == "first");
  loop.run_until([&calls] { return calls == "first second"; });
}

TEST_CASE("timer: one whose owner goes with the Worker's last handlers") {
  const auto owned = std::make_shared<int>(0);
  {
    Worker worker;
    auto timer = std::make_shared<Timer>(worker);
    timer->expires_after(1h, [owned] {});
    worker.post([timer] {});  // Never run: destroyed with the loop.
  }
  CHECK(owned.use_count() == 1);
}

/// Timers that are set, set again, cancelled and destroyed at random, for the next few
/// milliseconds.
class TimerProgram {
 public:
  TimerProgram(TestLoop& loop, unsigned seed) : loop_(&loop), random_(seed) {}

  void step() {
    Entry& entry = entries_[number_up_to(entries_.size() - 1)];
    switch (number_up_to(5)) {
      case 0: return withdraw(entry);
      case 1: entry.timer.emplace(loop_->worker()); return note_withdrawn(entry);
      default: return set(entry);
    }
  }

  std::size_t set_count() const {
    return static_cast<std::size_t>(std::count_if(
        entries_.begin(), entries_.end(),
        [](const Entry& entry) { return entry.timer.has_value() && entry.timer->is_set(); }));
  }
  std::size_t expired_count() const noexcept { return expired_; }

 private:
  using Clock = Timer::Clock;

  struct Entry {
    TimerProgram* program = nullptr;
    std::optional<Timer> timer;
    bool is_expected = false;
    Clock::time_point earliest;
    Clock::time_point latest;  ///< When it is due at the latest, by what the test saw of the clock.
  };

  std::size_t number_up_to(std::size_t largest) {
    return std::uniform_int_distribution<std::size_t>(0, largest)(random_);
  }

  void set(Entry& entry) {
    if (!entry.timer) {
      entry.timer.emplace(loop_->worker());
    }
    const std::chrono::milliseconds delay(number_up_to(4));
    entry.program = this;
    entry.is_expected = true;
    entry.earliest = Clock::now() + delay;
    entry.timer->expires_after(delay, {on_expired, &entry});
    entry.latest = Clock::now() + delay;
    CHECK(entry.timer->is_set());
  }
  void withdraw(Entry& entry) {
    if (entry.timer) {
      entry.timer->cancel();
      CHECK(!entry.timer->is_set());
    }
    note_withdrawn(entry);
  }
  static void note_withdrawn(Entry& entry) { entry.is_expected = false; }

  static void on_expired(void* its_entry) {
    auto* entry = static_cast<Entry*>(its_entry);
    TimerProgram* self = entry->program;
    REQUIRE(entry->is_expected);
    REQUIRE(!entry->timer->is_set());
    REQUIRE(Clock::now() >= entry->earliest);
    REQUIRE(entry->latest >= self->last_earliest_);  // Nobody that was due before comes after.
    self->last_earliest_ = entry->earliest;
    entry->is_expected = false;
    ++self->expired_;
    for (std::size_t i = self->number_up_to(2); i > 0; --i) {
      self->step();  // Which may be about this very timer.
    }
  }

  TestLoop* loop_;
  std::mt19937 random_;
  std::array<Entry, 60> entries_;
  Clock::time_point last_earliest_{};
  std::size_t expired_ = 0;
};

TEST_CASE("timer: whatever is set, cancelled and destroyed at random, the others expire in order") {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    TestLoop loop;
    TimerProgram program(loop, seed);
    for (int round = 0; round < 20; ++round) {
      loop.call([&program] {
        for (int i = 0; i < 100; ++i) {
          program.step();
        }
      });
    }
    loop.run_until(
        [&program] { return program.expired_count() > 200 || program.set_count() == 0; });
    CHECK(program.expired_count() > 0);
  }
}

TEST_CASE("timer: making, setting, expiring, cancelling and destroying allocates nothing") {
  Worker worker;
  Arena arena;
  asio::io_context& loop = worker.io_context();
  const auto cycle = [&] {
    for (int round = 0; round < 50; ++round) {
      auto& cancelled = arena.make<Timer>(worker);
      auto& expires = arena.make<Timer>(worker);
      auto& destroyed = arena.make<Timer>(worker);
      int calls = 0;
      const Timer::Callback count{[](void* its_calls) { ++*static_cast<int*>(its_calls); }, &calls};
      // Each is to expire before the one before: the system is asked every time.
      for (const auto delay : {3h, 2h, 1h}) {
        cancelled.expires_after(delay, count);
        destroyed.expires_after(delay, count);
      }
      cancelled.cancel();
      cancelled.expires_after(1h, count);
      cancelled.cancel();
      expires.expires_after(0ms, count);
      while (calls == 0) {
        loop.run_one_for(tests::kDeadline);
      }
      CHECK(calls == 1);
      arena.clear();
    }
  };
  cycle();
  CHECK(tests::news_in(cycle) == 0);
}

TEST_CASE("timer: one per request, set far ahead and cancelled, asks the loop for nothing") {
  TestLoop loop;
  loop.call([&loop] {
    for (int i = 0; i < 1'000; ++i) {
      Timer timer(loop.worker());
      timer.expires_after(30s, {[](void*) {}, nullptr});
    }
  });
  asio::io_context& context = loop.worker().io_context();
  context.restart();
  CHECK(context.poll() == 0);
}

}  // namespace
}  // namespace stadion::net
