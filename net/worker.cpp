// SPDX-License-Identifier: MIT
#include "net/worker.hpp"

#include <pthread.h>

#include <atomic>
#include <exception>
#include <thread>

#include "core/finally.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/event_set.hpp"
#include "net/task_inbox.hpp"
#include "net/timer_queue.hpp"

namespace stadion::net {

struct Worker::Loop {
  explicit Loop(std::string thread_name)
      : name(std::move(thread_name)), context(1), work(context.get_executor()) {
    timers.attach(context, runner);
    events.attach(context);
  }
  ~Loop() {
    events.detach();
    timers.detach();
  }

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::string name;
  std::atomic<std::thread::id> runner{};
  // Before the context, whose last handlers may cancel timers, close sockets and free operations as
  // they go.
  detail::EventSet events;
  detail::TimerQueue timers;
  detail::TaskInbox inbox;
  asio::io_context context;
  detail::WorkGuard work;  ///< Keeps run() going while there is nothing to do.
  std::thread thread;
};

Worker::Worker(std::string name) : loop_(std::make_unique<Loop>(std::move(name))) {}

Worker::~Worker() {
  stop();
  join();
}

void Worker::start() {
  loop_->thread = std::thread([this] {
    pthread_setname_np(pthread_self(), loop_->name.substr(0, 15).c_str());
    run();
  });
}

void Worker::run() {
  loop_->runner = std::this_thread::get_id();
  const auto leave = finally([this] { loop_->runner = std::thread::id{}; });
  loop_->events.go_on();
  for (;;) {
    try {
      loop_->context.run();
      return;
    } catch (const std::exception& error) {
      log(LogLevel::error, {"a handler on ", loop_->name, " threw: ", error.what()});
    } catch (...) {
      log(LogLevel::error, {"a handler on ", loop_->name, " threw an unknown exception"});
    }
  }
}

void Worker::stop() noexcept {
  loop_->events.stop();
  loop_->context.stop();
}

void Worker::join() {
  if (loop_->thread.joinable()) {
    loop_->thread.join();
  }
}

void Worker::post(std::function<void()> task) { asio::post(loop_->context, std::move(task)); }

void Worker::post(PostedTask& task) { loop_->inbox.post(task, loop_->context); }

bool Worker::is_current() const noexcept { return loop_->runner == std::this_thread::get_id(); }

asio::io_context& Worker::io_context() noexcept { return loop_->context; }

detail::EventSet& Worker::event_set() noexcept { return loop_->events; }

detail::TimerQueue& Worker::timer_queue() noexcept { return loop_->timers; }

}  // namespace stadion::net
