// SPDX-License-Identifier: MIT
#include "net/thread_pool.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/operation_memory.hpp"

namespace stadion::net {
namespace {

void run_logged(ThreadPoolTask::Function function, void* context) noexcept {
  try {
    function(context);
  } catch (const std::exception& error) {
    log(LogLevel::error, {"a task on a thread pool threw: ", error.what()});
  } catch (...) {
    log(LogLevel::error, "a task on a thread pool threw what is no std::exception");
  }
}

}  // namespace

struct ThreadPool::State {
  explicit State(ThreadPoolOptions with_options)
      : options(with_options),
        context(static_cast<int>(options.threads)),
        work(context.get_executor()) {}

  // Not asio::thread_pool: when it cannot have all its threads, it waits for ever for the others.
  void start() {
    std::call_once(started, [this] {
      threads.reserve(options.threads);
      try {
        while (threads.size() < options.threads) {
          threads.emplace_back([this] { context.run(); });
        }
      } catch (const std::exception& error) {
        if (threads.empty()) {
          throw;
        }
        log(LogLevel::error, {"a thread pool has fewer threads than it should: ", error.what()});
      }
    });
  }

  /// Exact however many threads post at once: none is refused while there is a place.
  bool take_place() noexcept {
    std::size_t before = queued.load(std::memory_order_relaxed);
    while (before < options.queue_max) {
      if (queued.compare_exchange_weak(before, before + 1, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  const ThreadPoolOptions options;
  std::atomic<std::size_t> queued{0};
  std::once_flag started;
  asio::io_context context;
  detail::WorkGuard work;
  std::vector<std::thread> threads;
};

struct ThreadPool::RunHandler {
  using allocator_type = detail::OperationAllocator<void, ThreadPoolTask::Memory>;

  ThreadPoolTask* task;
  State* state;

  allocator_type get_allocator() const noexcept { return allocator_type(task->memory_); }
  // Asio has left the task's memory when it calls this.
  void operator()() const {
    state->queued.fetch_sub(1, std::memory_order_relaxed);
    run_logged(task->function_, task->context_);  // May destroy the task, or post it again.
  }
};

void* ThreadPoolTask::Memory::allocate(std::size_t size) {
  if (size > sizeof bytes) {
    throw std::bad_alloc();  // Of no operation that is posted here.
  }
  return bytes;
}

ThreadPool::ThreadPool(ThreadPoolOptions options) : state_(std::make_unique<State>(options)) {
  if (options.threads == 0 || options.queue_max == 0) {
    throw std::invalid_argument("a thread pool has at least one thread and one place to wait");
  }
}

ThreadPool::~ThreadPool() {
  state_->work.reset();
  for (std::thread& thread : state_->threads) {
    thread.join();
  }
}

bool ThreadPool::post(ThreadPoolTask& task) {
  state_->start();
  if (!state_->take_place()) {
    return false;
  }
  asio::post(state_->context, RunHandler{&task, state_.get()});
  return true;
}

std::size_t ThreadPool::queued() const noexcept {
  return state_->queued.load(std::memory_order_relaxed);
}

}  // namespace stadion::net
