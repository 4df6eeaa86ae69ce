// SPDX-License-Identifier: MIT
#include "net/thread_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
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
  ThreadPoolTask work{[](void* self) { static_cast<Task*>(self)->function(); }, this};
};

/// Keeps a pool's only thread busy until it is told otherwise, or goes.
class BusyThread {
 public:
  explicit BusyThread(ThreadPool& pool) {
    auto occupation = std::make_unique<Occupation>();
    occupation->released = released_.get_future();
    std::future<void> begun = occupation->begun.get_future();
    REQUIRE(pool.post(occupation->work));
    (void)occupation.release();
    begun.get();
  }
  ~BusyThread() { release(); }

  BusyThread(const BusyThread&) = delete;
  BusyThread& operator=(const BusyThread&) = delete;

  void release() {
    if (!is_released_) {
      is_released_ = true;
      released_.set_value();
    }
  }

 private:
  /// The pool's thread owns it when it runs.
  struct Occupation {
    std::promise<void> begun;
    std::future<void> released;
    ThreadPoolTask work{[](void* self) {
                          const std::unique_ptr<Occupation> mine(static_cast<Occupation*>(self));
                          mine->begun.set_value();
                          mine->released.get();
                        },
                        this};
  };

  std::promise<void> released_;
  bool is_released_ = false;
};

/// The threads of this process that are not in `before`.
std::set<std::string> threads_beside(const std::set<std::string>& before) {
  std::set<std::string> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (!before.contains(entry.path().filename())) {
      threads.insert(entry.path().filename());
    }
  }
  return threads;
}

TEST_CASE("thread pool: runs a task on another thread, and its result comes back to the Worker") {
  Worker worker;
  ThreadPool pool;
  std::thread::id ran_on;
  PostedTask done{[](void* its_worker) { static_cast<Worker*>(its_worker)->stop(); }, &worker};
  Task task([&] {
    ran_on = std::this_thread::get_id();
    worker.post(done);
  });
  REQUIRE(pool.post(task.work));
  worker.run();
  CHECK(ran_on != std::thread::id{});
  CHECK(ran_on != std::this_thread::get_id());
}

TEST_CASE("thread pool: begins its threads with the first task, and not more than it may") {
  const std::set<std::string> before = threads_beside({});
  ThreadPool pool({.threads = 3, .queue_max = 10});
  CHECK(threads_beside(before).empty());
  std::latch all_are_there(3);
  std::deque<Task> tasks;
  for (int i = 0; i < 3; ++i) {
    Task& task = tasks.emplace_back([&all_are_there] { all_are_there.arrive_and_wait(); });
    REQUIRE(pool.post(task.work));
  }
  all_are_there.wait();  // Three run at once.
  CHECK(threads_beside(before).size() == 3);
}

TEST_CASE("thread pool: takes as many waiting tasks as it may, and no more") {
  for (const std::size_t queue_max : {1U, 2U, 5U}) {
    CAPTURE(queue_max);
    std::atomic<std::size_t> ran{0};
    std::deque<Task> tasks;
    ThreadPool pool({.threads = 1, .queue_max = queue_max});
    BusyThread busy(pool);
    CHECK(pool.queued() == 0);
    for (std::size_t i = 0; i < queue_max; ++i) {
      CHECK(pool.post(tasks.emplace_back([&ran] { ++ran; }).work));
      CHECK(pool.queued() == i + 1);
    }
    Task& one_more = tasks.emplace_back([&ran] { ++ran; });
    CHECK(!pool.post(one_more.work));
    CHECK(!pool.post(one_more.work));
    CHECK(pool.queued() == queue_max);
    busy.release();
    REQUIRE(eventually([&] { return ran == queue_max; }));
    CHECK(pool.post(one_more.work));
    CHECK(eventually([&] { return ran == queue_max + 1; }));
    CHECK(pool.queued() == 0);
  }
}

TEST_CASE("thread pool: the bound is exact for many threads that post at once") {
  constexpr int kThreads = 4;
  constexpr int kTasksEach = 100;
  constexpr std::size_t kQueueMax = 150;
  std::atomic<std::size_t> ran{0};
  std::deque<Task> tasks;
  for (int i = 0; i < kThreads * kTasksEach; ++i) {
    tasks.emplace_back([&ran] { ++ran; });
  }
  std::atomic<std::size_t> taken{0};
  {
    ThreadPool pool({.threads = 1, .queue_max = kQueueMax});
    BusyThread busy(pool);
    std::latch all_are_there(kThreads);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        all_are_there.arrive_and_wait();
        for (int i = 0; i < kTasksEach; ++i) {
          Task& task = tasks[static_cast<std::size_t>(thread * kTasksEach + i)];
          taken += pool.post(task.work) ? 1U : 0U;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    CHECK(taken == kQueueMax);
    CHECK(pool.queued() == kQueueMax);
  }
  CHECK(ran == kQueueMax);
}

TEST_CASE("thread pool: many threads post to many threads, and each task runs once") {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kTasksEach = 500;
  std::deque<std::atomic<int>> ran(kThreads * kTasksEach);
  std::deque<Task> tasks;
  for (std::atomic<int>& times : ran) {
    tasks.emplace_back([&times] { ++times; });
  }
  {
    ThreadPool pool({.threads = 3, .queue_max = kThreads * kTasksEach});
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t i = 0; i < kTasksEach; ++i) {
          CHECK(pool.post(tasks[thread * kTasksEach + i].work));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  CHECK(std::all_of(ran.begin(), ran.end(), [](const auto& times) { return times == 1; }));
}

TEST_CASE("thread pool: one thread runs tasks in the order of posting") {
  std::vector<int> order;
  std::deque<Task> tasks;
  {
    ThreadPool pool({.threads = 1, .queue_max = 10});
    for (int i = 0; i < 10; ++i) {
      CHECK(pool.post(tasks.emplace_back([&order, i] { order.push_back(i); }).work));
    }
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("thread pool: the destructor runs what waits, and what that posts") {
  std::string ran;
  Task last([&ran] { ran += " last"; });
  std::unique_ptr<Task> first;
  {
    ThreadPool pool({.threads = 1, .queue_max = 2});
    first = std::make_unique<Task>([&] {
      ran += "first";
      CHECK(pool.post(last.work));
    });
    BusyThread busy(pool);
    REQUIRE(pool.post(first->work));
    CHECK(ran.empty());
  }  // First the thread is let go, then the pool.
  CHECK(ran == "first last");
}

TEST_CASE("thread pool: a task can post itself again, and be destroyed in its function") {
  struct Job {
    ThreadPool* pool;
    std::atomic<int>* times;
    ThreadPoolTask work{[](void* self) {
                          auto* job = static_cast<Job*>(self);
                          if (++*job->times < 5) {
                            CHECK(job->pool->post(job->work));
                          } else {
                            delete job;
                          }
                        },
                        this};
  };
  std::atomic<int> times{0};
  ThreadPool pool;
  REQUIRE(pool.post((new Job{&pool, &times})->work));
  CHECK(eventually([&times] { return times == 5; }));
}

TEST_CASE("thread pool: an exception that leaves a task is logged, and the next is run") {
  const tests::RecordedLog log;
  std::string ran;
  Task first([] { throw std::runtime_error("first trouble"); });
  Task second([] { throw 3; });
  Task third([&ran] { ran = "third"; });
  {
    ThreadPool pool({.threads = 1, .queue_max = 3});
    for (Task* task : {&first, &second, &third}) {
      CHECK(pool.post(task->work));
    }
  }
  CHECK(ran == "third");
  CHECK(log.lines().size() == 2);
  CHECK(log.count(LogLevel::error, "first trouble") == 1);
}

TEST_CASE("thread pool: options out of range are refused") {
  CHECK_THROWS_AS(ThreadPool({.threads = 0, .queue_max = 1}), std::invalid_argument);
  CHECK_THROWS_AS(ThreadPool({.threads = 1, .queue_max = 0}), std::invalid_argument);
  CHECK_NOTHROW(ThreadPool({.threads = 1, .queue_max = 1}));
}

TEST_CASE("thread pool: one that nobody uses is destroyed, too") { const ThreadPool pool; }

TEST_CASE("thread pool: posting allocates nothing once the threads are there") {
  constexpr int kTimes = 1'000;
  for (const std::size_t threads : {1U, 2U}) {
    CAPTURE(threads);
    std::atomic<int> ran{0};
    Task task([&ran] { ++ran; });
    Task chain([&ran] { ++ran; });
    ThreadPool pool({.threads = threads, .queue_max = 2});
    const auto post_all = [&] {
      for (int i = 0; i < kTimes; ++i) {
        const int before = ran;
        const bool both = pool.post(task.work) && pool.post(chain.work);
        REQUIRE(both);
        while (ran - before < 2) {
          std::this_thread::yield();
        }
      }
    };
    post_all();
    CHECK(news_in(post_all) == 0);
  }
}

}  // namespace
}  // namespace stadion::net
