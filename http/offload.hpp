// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "http/operation.hpp"
#include "net/thread_pool.hpp"
#include "net/worker.hpp"

/// What Exchange::offload() gives to be awaited.
namespace stadion::http {

/// Thrown by `co_await exchange.offload(…)` when the server's thread pool has no room for more. Where
/// a handler lets it pass, the answer is 503.
class PoolFull final : public std::exception {
 public:
  const char* what() const noexcept override { return "the thread pool's queue is full"; }
};

/// Goes to the thread pool and comes back.
class OffloadWork : public Operation {
 protected:
  explicit OffloadWork(Exchange& exchange) noexcept;
  OffloadWork(OffloadWork&& other) noexcept;

  /// On a thread of the pool.
  virtual void run() noexcept = 0;
  void check_work() const;

 private:
  enum class Stage : std::uint8_t { here, away, back, refused };

  bool poll() noexcept override;
  bool stop() noexcept override { return stage_ != Stage::away; }
  bool needs_client() const noexcept override { return false; }
  static void on_pool(void* work);
  static void on_worker(void* work);

  Stage stage_ = Stage::here;
  net::ThreadPoolTask work_;
  net::PostedTask return_;
};

template <class Function>
class [[nodiscard]] Offload final : public OffloadWork {
 public:
  using Result = std::invoke_result_t<Function&>;

  Offload(Exchange& exchange, Function function) noexcept
      : OffloadWork(exchange), function_(std::move(function)) {}
  Offload(Offload&& other) noexcept
      : OffloadWork(std::move(other)), function_(std::move(other.function_)) {}

  Within<Offload> within(std::chrono::milliseconds time) && noexcept {
    return Within<Offload>(std::move(*this), time);
  }

  Result await_resume() {
    check_work();
    if (exception_ != nullptr) {
      std::rethrow_exception(std::move(exception_));
    }
    if constexpr (!std::is_void_v<Result>) {
      return std::move(*result_);
    }
  }

 private:
  using Stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        function_();
      } else {
        result_.emplace(function_());
      }
    } catch (...) {
      exception_ = std::current_exception();
    }
  }

  Function function_;
  std::optional<Stored> result_;
  std::exception_ptr exception_;
};

}  // namespace stadion::http
