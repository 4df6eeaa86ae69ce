// SPDX-License-Identifier: MIT
#include "net/posted_task.hpp"

#include <doctest/doctest.h>

#include <array>
#include <asio/io_context.hpp>
#include <atomic>
#include <deque>
#include <functional>
#include <latch>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/worker.hpp"
#include "tests/support/counted_news.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_log.hpp"

namespace stadion::net {
namespace {

using tests::eventually;
using tests::news_in;

/// A task that calls any function, for as long as it lives.
struct Task {
  explicit Task(std::function<void()> its_function) : function(std::move(its_function)) {}

  std::function<void()> function;
  PostedTask posted{[](void* self) { static_cast<Task*>(self)->function(); }, this};
};

/// Runs the loop on this thread, as often as a test likes.
void run(Worker& worker) {
  worker.io_context().restart();
  worker.run();
}

TEST_CASE("posted task: runs on the Worker's thread, later, in the order of posting") {
  Worker worker;
  std::string order;
  Task first([&order] { order += "1"; });
  Task second([&order] { order += "2"; });
  Task last([&] {
    CHECK(worker.is_current());
    order += "3";
    worker.stop();
  });
  worker.post(first.posted);
  worker.post(second.posted);
  worker.post(last.posted);
  CHECK(order.empty());
  run(worker);
  CHECK(order == "123");
}

TEST_CASE("posted task: one that is posted from a task runs later, not within") {
  Worker worker;
  std::string order;
  Task inner([&] {
    order += " inner";
    worker.stop();
  });
  Task outer([&] {
    worker.post(inner.posted);
    order += "outer";
  });
  worker.post(outer.posted);
  run(worker);
  CHECK(order == "outer inner");
}

TEST_CASE("posted task: can post itself again in its function, and be posted again after it") {
  Worker worker;
  int times = 0;
  Task task([&] {
    if (++times % 3 == 0) {
      worker.stop();
    } else {
      worker.post(task.posted);
    }
  });
  worker.post(task.posted);
  run(worker);
  CHECK(times == 3);
  worker.post(task.posted);
  run(worker);
  CHECK(times == 6);
}

TEST_CASE("posted task: can be destroyed in its function") {
  Worker worker;
  struct Job {
    Worker* worker;
    PostedTask done{[](void* self) {
                      const std::unique_ptr<Job> job(static_cast<Job*>(self));
                      job->worker->stop();
                    },
                    this};
  };
  worker.post((new Job{&worker})->done);
  run(worker);
}

TEST_CASE("posted task: beside tasks of the other kind, all are run") {
  Worker worker;
  int ran = 0;
  std::deque<Task> tasks;
  const auto count = [&] {
    if (++ran == 20) {
      worker.stop();
    }
  };
  for (int i = 0; i < 10; ++i) {
    worker.post(tasks.emplace_back(count).posted);
    worker.post(count);
  }
  run(worker);
  CHECK(ran == 20);
}

TEST_CASE("posted task: many threads post at once, none is lost, and each one's order is kept") {
  constexpr std::size_t kThreads = 4;
  constexpr int kTasks = 2'000;
  Worker worker;
  worker.start();
  struct Numbered {
    std::vector<int>* order = nullptr;
    std::atomic<int>* ran = nullptr;
    int number = 0;
    PostedTask task{[](void* self) {
                      auto* numbered = static_cast<Numbered*>(self);
                      numbered->order->push_back(numbered->number);
                      numbered->ran->fetch_add(1);
                    },
                    this};
  };
  std::atomic<int> ran{0};
  std::array<std::vector<int>, kThreads> orders;
  std::array<std::deque<Numbered>, kThreads> tasks;
  std::vector<std::thread> threads;
  std::latch all_are_there(kThreads);
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    for (int i = 0; i < kTasks; ++i) {
      Numbered& numbered = tasks[thread].emplace_back();
      numbered.order = &orders[thread];
      numbered.ran = &ran;
      numbered.number = i;
    }
    threads.emplace_back([&worker, &all_are_there, &mine = tasks[thread]] {
      all_are_there.arrive_and_wait();
      for (Numbered& numbered : mine) {
        worker.post(numbered.task);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  REQUIRE(eventually([&ran] { return ran == static_cast<int>(kThreads) * kTasks; }));
  worker.stop();
  worker.join();
  std::vector<int> ascending(kTasks);
  std::iota(ascending.begin(), ascending.end(), 0);
  for (const std::vector<int>& order : orders) {
    CHECK(order == ascending);
  }
}

TEST_CASE("posted task: one ball between two Workers is never dropped") {
  constexpr int kPasses = 20'000;
  Worker left("left");
  Worker right("right");
  std::atomic<int> passes{0};
  std::unique_ptr<Task> to_left;
  std::unique_ptr<Task> to_right;
  to_left = std::make_unique<Task>([&] {
    if (++passes < kPasses) {
      right.post(to_right->posted);
    }
  });
  to_right = std::make_unique<Task>([&] {
    if (++passes < kPasses) {
      left.post(to_left->posted);
    }
  });
  left.start();
  right.start();
  left.post(to_left->posted);
  CHECK(eventually([&passes] { return passes == kPasses; }));
  // Each may still be in the other's post().
  left.stop();
  left.join();
  right.stop();
  right.join();
}

TEST_CASE("posted task: an exception that leaves one is logged, and the next are run") {
  const tests::RecordedLog log;
  Worker worker("careful");
  std::string ran;
  Task first([] { throw std::runtime_error("first trouble"); });
  Task second([&ran] { ran += "second "; });
  Task third([] { throw 3; });
  Task fourth([&] {
    ran += "fourth";
    worker.stop();
  });
  for (Task* task : {&first, &second, &third, &fourth}) {
    worker.post(task->posted);
  }
  run(worker);
  CHECK(ran == "second fourth");
  CHECK(log.lines().size() == 2);
  CHECK(log.count(LogLevel::error, "first trouble") == 1);
}

TEST_CASE("posted task: stop() leaves those behind it, which run if the loop ever runs again") {
  Worker worker;
  std::string ran;
  Task stops([&] {
    worker.stop();
    ran += "stops";
  });
  Task waits([&ran] { ran += " waits"; });
  Task stops_again([&worker] { worker.stop(); });
  worker.post(stops.posted);
  worker.post(waits.posted);
  run(worker);
  CHECK(ran == "stops");
  worker.post(stops_again.posted);
  run(worker);
  CHECK(ran == "stops waits");
}

TEST_CASE("posted task: one that is posted to a Worker that has stopped is not run") {
  int ran = 0;
  Task task([&ran] { ++ran; });
  Task never_started([&ran] { ++ran; });
  {
    Worker worker;
    worker.start();
    worker.stop();
    worker.join();
    worker.post(task.posted);
    Worker idle;
    idle.post(never_started.posted);
  }
  CHECK(ran == 0);
}

TEST_CASE("posted task: posting allocates nothing, on the loop or off it") {
  constexpr int kTimes = 1'000;
  Worker worker;
  std::atomic<int> on_loop{0};
  std::atomic<int> off_loop{0};
  Task own([&] {
    if (++on_loop % kTimes != 0) {
      worker.post(own.posted);
    }
  });
  Task others([&off_loop] { ++off_loop; });
  worker.start();
  const auto post_all = [&] {
    const int before = on_loop;
    worker.post(own.posted);
    for (int i = 0; i < kTimes; ++i) {
      const int seen = off_loop;
      worker.post(others.posted);
      while (off_loop == seen) {
        std::this_thread::yield();
      }
    }
    while (on_loop - before < kTimes) {
      std::this_thread::yield();
    }
  };
  post_all();
  CHECK(news_in(post_all) == 0);
}

}  // namespace
}  // namespace stadion::net
