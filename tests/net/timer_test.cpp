// SPDX-License-Identifier: MIT
#include "net/timer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

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

}  // namespace
}  // namespace stadion::net
