// SPDX-License-Identifier: MIT
#include "net/signals.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "core/finally.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::net {
namespace {

using tests::TestLoop;

TEST_CASE("signals: each signal of the set is told, on the loop, as often as it comes") {
  TestLoop loop;
  std::vector<int> told;
  bool on_loop = true;
  const SignalSet signals(loop.worker(), {SIGUSR1, SIGUSR2}, [&](int signal) {
    told.push_back(signal);
    on_loop = on_loop && loop.worker().is_current();
  });
  loop.run_ready();
  CHECK(told.empty());

  std::raise(SIGUSR1);
  CHECK(told.empty());
  loop.run_until([&] { return told.size() == 1; });
  std::raise(SIGUSR2);
  loop.run_until([&] { return told.size() == 2; });
  std::raise(SIGUSR1);
  loop.run_until([&] { return told.size() == 3; });
  CHECK(told == std::vector<int>{SIGUSR1, SIGUSR2, SIGUSR1});
  CHECK(on_loop);
}

TEST_CASE("signals: after its destruction the function is not called") {
  TestLoop loop;
  std::vector<int> told;
  // A second set keeps the signal from ending this process.
  std::vector<int> kept;
  const SignalSet keeper(loop.worker(), {SIGUSR1}, [&](int signal) { kept.push_back(signal); });
  auto signals = std::make_unique<SignalSet>(loop.worker(), std::initializer_list<int>{SIGUSR1},
                                             [&](int signal) { told.push_back(signal); });
  std::raise(SIGUSR1);
  loop.run_until([&] { return told.size() == 1 && kept.size() == 1; });

  signals.reset();
  std::raise(SIGUSR1);
  loop.run_until([&] { return kept.size() == 2; });
  loop.run_ready();
  CHECK(told.size() == 1);
}

TEST_CASE("signals: destruction withdraws a call that is ready to be made") {
  TestLoop loop;
  std::vector<int> told;
  auto signals = std::make_unique<SignalSet>(loop.worker(), std::initializer_list<int>{SIGUSR1},
                                             [&](int signal) { told.push_back(signal); });
  std::raise(SIGUSR1);
  signals.reset();
  loop.run_ready();
  CHECK(told.empty());
}

TEST_CASE("signals: the signals have their default effect again when no set is left") {
  TestLoop loop;
  {
    const SignalSet signals(loop.worker(), {SIGUSR1}, [](int) {});
  }
  struct sigaction action {};
  REQUIRE(::sigaction(SIGUSR1, nullptr, &action) == 0);
  const bool has_default = action.sa_handler == SIG_DFL;
  CHECK(has_default);
}

TEST_CASE("signals: a set can be destroyed in its own function, which goes on undisturbed") {
  TestLoop loop;
  std::optional<SignalSet> signals;
  std::string seen;
  // Long enough that the function's state is on the heap, where a stale use would be noticed.
  const std::string state(100, 's');
  signals.emplace(loop.worker(), std::initializer_list<int>{SIGUSR1},
                  [&signals, &seen, state](int) {
                    signals.reset();
                    seen = state;
                  });
  std::raise(SIGUSR1);
  loop.run_until([&] { return !seen.empty(); });
  CHECK(seen == state);
}

TEST_CASE("signals: a function that throws is logged, and told the next signal all the same") {
  const tests::RecordedLog log;
  TestLoop loop;
  int told = 0;
  const SignalSet signals(loop.worker(), {SIGUSR1}, [&](int) {
    if (++told == 1) {
      throw std::runtime_error("not this time");
    }
  });
  std::raise(SIGUSR1);
  loop.run_until([&] { return told == 1; });
  CHECK(log.count(LogLevel::error, "not this time") == 1);
  std::raise(SIGUSR1);
  loop.run_ready();
  CHECK(told == 2);
}

TEST_CASE("signals: one that cannot be caught is refused") {
  TestLoop loop;
  CHECK_THROWS_AS((void)SignalSet(loop.worker(), {SIGKILL}, [](int) {}), std::system_error);
  CHECK_THROWS_AS((void)SignalSet(loop.worker(), {SIGUSR1, 9999}, [](int) {}), std::system_error);
}

}  // namespace
}  // namespace stadion::net
