// SPDX-License-Identifier: MIT
#include "net/worker_group.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>

#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace stadion::net {
namespace {

TEST_CASE("worker group: has as many Workers as asked for, each with a thread and a name") {
  WorkerGroup group(3, "lane");
  REQUIRE(group.size() == 3);
  group.start();
  std::set<std::thread::id> threads;
  std::vector<std::string> names;
  for (std::size_t index = 0; index < group.size(); ++index) {
    std::promise<std::pair<std::thread::id, std::string>> told;
    group[index].post([&told] {
      char name[32] = "";
      pthread_getname_np(pthread_self(), name, sizeof name);
      told.set_value({std::this_thread::get_id(), name});
    });
    const auto [thread, name] = told.get_future().get();
    threads.insert(thread);
    names.push_back(name);
  }
  CHECK(threads.size() == 3);
  CHECK(names == std::vector<std::string>{"lane-0", "lane-1", "lane-2"});
}

TEST_CASE("worker group: 0 means one Worker per processor that the process may use") {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  CHECK(WorkerGroup(0).size() == static_cast<std::size_t>(CPU_COUNT(&allowed)));
}

TEST_CASE("worker group: with one processor to use, 0 means one Worker") {
  std::size_t size = 0;
  // On a thread of its own, whose affinity is nobody else's.
  std::thread([&size] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
      size = WorkerGroup(0).size();
    }
  }).join();
  CHECK(size == 1);
}

TEST_CASE("worker group: stop() ends every loop, and join() returns") {
  WorkerGroup group(2);
  group.start();
  std::promise<void> running;
  group[1].post([&running] { running.set_value(); });
  running.get_future().get();
  group.stop();
  group.join();
  // The threads have ended: nobody else touches this.
  std::string ran_after = "nothing";
  for (std::size_t index = 0; index < group.size(); ++index) {
    group[index].post([&ran_after] { ran_after = "a task"; });
  }
  CHECK(ran_after == "nothing");
}

TEST_CASE("worker group: a Worker of it can stop them all") {
  WorkerGroup group(3);
  group.start();
  group[1].post([&group] { group.stop(); });
  group.join();
  CHECK(!group[1].is_current());
}

}  // namespace
}  // namespace stadion::net
