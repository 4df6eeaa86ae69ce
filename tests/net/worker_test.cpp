// SPDX-License-Identifier: MIT
#include "net/worker.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <future>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/recorded_log.hpp"

namespace stadion::net {
namespace {

using tests::RecordedLog;

/// What the function answers on the Worker's thread.
template <class Function>
auto ask(Worker& worker, Function function) {
  std::packaged_task<decltype(function())()> task(std::move(function));
  auto answer = task.get_future();
  worker.post([&task] { task(); });
  return answer.get();
}

TEST_CASE("worker: start() runs its tasks on a thread of its own") {
  Worker worker;
  worker.start();
  CHECK(ask(worker, [] { return std::this_thread::get_id(); }) != std::this_thread::get_id());
}

TEST_CASE("worker: run() runs its tasks on the calling thread until stop()") {
  Worker worker;
  std::thread::id runner;
  worker.post([&] {
    runner = std::this_thread::get_id();
    worker.stop();
  });
  worker.run();
  CHECK(runner == std::this_thread::get_id());
}

TEST_CASE("worker: the thread bears its name, cut to what the system keeps") {
  const auto name_of_thread = [](const std::string& name) {
    Worker worker(name);
    worker.start();
    return ask(worker, [] {
      char text[32] = "";
      pthread_getname_np(pthread_self(), text, sizeof text);
      return std::string(text);
    });
  };
  CHECK(name_of_thread("accept-3") == "accept-3");
  CHECK(name_of_thread("fifteen-letters") == "fifteen-letters");
  CHECK(name_of_thread("sixteen--letters") == "sixteen--letter");
}

TEST_CASE("worker: what is posted before it starts is run when it does, in order") {
  Worker worker;
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    worker.post([&order, i] { order.push_back(i); });
  }
  CHECK(order.empty());
  worker.post([&worker] { worker.stop(); });
  worker.run();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("worker: a task that is posted from a task is run later, not within") {
  Worker worker;
  std::string order;
  worker.post([&] {
    worker.post([&] {
      order += " inner";
      worker.stop();
    });
    order += "outer";
  });
  worker.run();
  CHECK(order == "outer inner");
}

TEST_CASE("worker: each posting thread's tasks are run in its order, and none is lost") {
  constexpr int kThreads = 4;
  constexpr int kTasks = 500;
  Worker worker;
  worker.start();
  std::vector<std::vector<int>> order(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&worker, &mine = order[static_cast<std::size_t>(thread)]] {
      for (int i = 0; i < kTasks; ++i) {
        worker.post([&mine, i] { mine.push_back(i); });
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::vector<int> ascending(kTasks);
  std::iota(ascending.begin(), ascending.end(), 0);
  const auto all = ask(worker, [&order] { return order; });
  for (const auto& mine : all) {
    CHECK(mine == ascending);
  }
}

TEST_CASE("worker: an exception that leaves a task is logged, and the next task is run") {
  const RecordedLog log;
  Worker worker("careful");
  std::string ran;
  worker.post([] { throw std::runtime_error("first trouble"); });
  worker.post([&ran] { ran += "second "; });
  worker.post([] { throw 3; });
  worker.post([&] {
    ran += "fourth";
    worker.stop();
  });
  worker.run();
  CHECK(ran == "second fourth");
  CHECK(log.lines().size() == 2);
  CHECK(log.count(LogLevel::error, "first trouble") == 1);
  CHECK(log.count(LogLevel::error, "careful") == 2);
}

TEST_CASE("worker: is_current() on its own thread only, and only while the loop runs") {
  Worker worker;
  Worker other;
  CHECK(!worker.is_current());
  other.start();
  CHECK(!ask(other, [&worker] { return worker.is_current(); }));
  CHECK(ask(other, [&other] { return other.is_current(); }));
  CHECK(!other.is_current());

  bool inside = false;
  worker.post([&] {
    inside = worker.is_current();
    worker.stop();
  });
  worker.run();
  CHECK(inside);
  CHECK(!worker.is_current());
}

TEST_CASE("worker: stop() lets the task that is running end, and leaves those behind it") {
  Worker worker;
  std::string ran;
  worker.post([&] {
    worker.stop();
    ran += "to its end";
  });
  worker.post([&ran] { ran += ", and on"; });
  worker.run();
  CHECK(ran == "to its end");
}

TEST_CASE("worker: stop() and join() may be called any number of times, and from other threads") {
  Worker worker;
  worker.join();
  worker.start();
  std::thread another([&worker] { worker.stop(); });
  worker.stop();
  worker.join();
  another.join();
  worker.stop();
  worker.join();
}

TEST_CASE("worker: the destructor stops the loop and frees the tasks that were not run") {
  const auto task_owned = std::make_shared<int>(0);
  {
    Worker started;
    started.start();
    // Without a stop(): the thread waits in its loop.
    CHECK(ask(started, [] { return true; }));
    Worker never_started;
    never_started.post([task_owned] { ++*task_owned; });
    CHECK(task_owned.use_count() == 2);
  }
  CHECK(task_owned.use_count() == 1);
  CHECK(*task_owned == 0);
}

}  // namespace
}  // namespace stadion::net
