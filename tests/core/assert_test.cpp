// SPDX-License-Identifier: MIT
#include "core/assert.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include "core/arena.hpp"

namespace stadion {
namespace {

struct Death {
  int status;
  std::string message;
};

/// Runs the call in a child process: how that ended, and what it wrote to stderr.
template <class Call>
Death run_in_child(Call&& call) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  std::fflush(nullptr);
  std::cout.flush();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    call();
    _exit(0);
  }
  close(ends[1]);
  Death death{};
  char byte = 0;
  while (read(ends[0], &byte, 1) == 1) {
    death.message.push_back(byte);
  }
  close(ends[0]);
  REQUIRE(waitpid(child, &death.status, 0) == child);
  return death;
}

bool was_aborted(const Death& death) {
  return WIFSIGNALED(death.status) && WTERMSIG(death.status) == SIGABRT;
}

TEST_CASE("assertion_failed: says condition, file and line, and aborts") {
  const Death death = run_in_child([] { detail::assertion_failed("a < b", "some/file.cpp", 12); });
  CHECK(was_aborted(death));
  CHECK(death.message.find("assertion failed: a < b (some/file.cpp:12)") != std::string::npos);
}

TEST_CASE("STADION_ASSERT: a condition that holds changes nothing") {
  [[maybe_unused]] const int number = 7;
  STADION_ASSERT(number == 7);
  STADION_ASSERT(number > 0 && number < 10);
}

#ifdef NDEBUG

TEST_CASE("STADION_ASSERT: in release builds the condition is not evaluated") {
  int evaluations = 0;
  STADION_ASSERT(++evaluations == 0);
  CHECK(evaluations == 0);
}

#else

TEST_CASE("STADION_ASSERT: in debug builds the condition is evaluated once") {
  int evaluations = 0;
  STADION_ASSERT(++evaluations == 1);
  CHECK(evaluations == 1);
}

TEST_CASE("STADION_ASSERT: in debug builds a false condition aborts with its text and place") {
  const Death death = run_in_child([] { STADION_ASSERT(1 + 1 == 3); });
  CHECK(was_aborted(death));
  CHECK(death.message.find("1 + 1 == 3 (" __FILE__) != std::string::npos);
}

TEST_CASE("alloc: in debug builds an alignment that is no power of two aborts, room or not") {
  CHECK(was_aborted(run_in_child([] { (void)Arena().alloc(1, 3); })));
  CHECK(was_aborted(run_in_child([] {
    Arena arena;
    (void)arena.alloc(1);
    (void)arena.alloc(1, 3);
  })));
}

#endif

}  // namespace
}  // namespace stadion
