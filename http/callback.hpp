// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

#include "core/arena.hpp"
#include "http/operation.hpp"
#include "net/worker.hpp"

/// What Exchange::callback() gives to be awaited.
namespace stadion::http {

/// What Asio and others allocate for an operation: from the request's arena.
template <class T>
class OperationAllocator {
 public:
  using value_type = T;

  explicit OperationAllocator(Arena& arena) noexcept : arena_(&arena) {}
  template <class U>
  OperationAllocator(const OperationAllocator<U>& other) noexcept : arena_(&other.arena()) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(arena_->alloc(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    (void)arena_->extend(memory, count * sizeof(T), 0);  // For a loop that awaits one at each turn.
  }
  Arena& arena() const noexcept { return *arena_; }
  bool operator==(const OperationAllocator&) const noexcept = default;

 private:
  Arena* arena_;
};

/// Thrown by `co_await exchange.callback(…)` when the operation was dropped without a word.
class Abandoned final : public std::exception {
 public:
  const char* what() const noexcept override { return "the operation was abandoned"; }
};

/// Waits to be told.
class CallbackWait : public Operation {
 protected:
  explicit CallbackWait(Exchange& exchange) noexcept;
  CallbackWait(CallbackWait&& other) noexcept;

  virtual void start() = 0;
  virtual void ask_to_stop() = 0;
  /// From any thread.
  void told() noexcept;
  void check_told(bool has_values) const;

 private:
  enum class Stage : std::uint8_t { before, under_way, told };

  bool poll() noexcept override;
  bool stop() noexcept override;
  bool needs_client() const noexcept override { return false; }

  static void on_worker(void* wait);

  Stage stage_ = Stage::before;
  bool is_asked_to_stop_ = false;
  std::exception_ptr exception_;  ///< What start() threw.
  net::PostedTask wake_up_;
};

template <class Start, class Stop, class... Values>
class [[nodiscard]] Callback final : public CallbackWait {
 public:
  /// What the operation is given to call.
  class Done {
   public:
    using allocator_type = OperationAllocator<void>;

    explicit Done(Callback& callback) noexcept : callback_(&callback) {}
    Done(Done&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}
    Done& operator=(Done&&) = delete;
    ~Done() {
      if (callback_ != nullptr) {
        callback_->told();
      }
    }

    void operator()(Values... values) {
      callback_->values_.emplace(std::move(values)...);
      std::exchange(callback_, nullptr)->told();
    }
    allocator_type get_allocator() const noexcept { return allocator_type(*callback_->memory_); }

   private:
    Callback* callback_;
  };

  Callback(Exchange& exchange, Start start, Stop stop) noexcept
      : CallbackWait(exchange), start_(std::move(start)), stop_(std::move(stop)) {}
  Callback(Callback&& other) noexcept
      : CallbackWait(std::move(other)),
        start_(std::move(other.start_)),
        stop_(std::move(other.stop_)) {}

  Within<Callback> within(std::chrono::milliseconds time) && noexcept {
    return Within<Callback>(std::move(*this), time);
  }

  auto await_resume() {
    check_told(values_.has_value());
    if constexpr (sizeof...(Values) == 1) {
      return std::get<0>(std::move(*values_));
    } else if constexpr (sizeof...(Values) > 1) {
      return std::move(*values_);
    }
  }

 private:
  void start() override {
    memory_ = &arena();
    start_(Done(*this));
  }
  void ask_to_stop() override { stop_(); }

  Start start_;
  Stop stop_;
  Arena* memory_ = nullptr;
  std::optional<std::tuple<Values...>> values_;
};

}  // namespace stadion::http
