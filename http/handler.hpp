// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/task.hpp"
#include "http/exchange.hpp"

namespace stadion::http {

/// Answers a request: a function, or a coroutine.
///
///     void (const Request& request, Response& response)
///     void (Exchange& exchange)
///     Task<> (Exchange& exchange)
///
/// A coroutine's captures are this object's, which lives as long as the server.
/// Threads    Called on the connection's Worker: several at a time when there are several Workers.
/// Throws     A handler's exception becomes 500 (HttpError its own status, ArenaFailed,
///            DeadlinePassed and PoolFull 503) in place of what the response said so far.
class Handler {
 public:
  Handler() noexcept = default;
  Handler(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): as a function's.

  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, Handler>)
      // NOLINTNEXTLINE(*-explicit-constructor,*-forwarding-reference-overload): lambdas are handlers.
      Handler(Function&& function) {
    using F = std::decay_t<Function>;
    if constexpr (requires { function == nullptr; } &&
                  !std::is_function_v<std::remove_reference_t<Function>>) {
      if (function == nullptr) {
        return;  // An empty std::function is an empty handler.
      }
    }
    if constexpr (std::is_invocable_r_v<Task<>, F&, Exchange&>) {
      coroutine_ = std::forward<Function>(function);
    } else if constexpr (std::is_invocable_v<F&, Exchange&>) {
      function_ = std::forward<Function>(function);
    } else {
      static_assert(std::is_invocable_v<F&, const Request&, Response&>,
                    "a handler is void(const Request&, Response&), void(Exchange&) or "
                    "Task<>(Exchange&)");
      static_assert(!std::is_same_v<std::invoke_result_t<F&, const Request&, Response&>, Task<>>,
                    "a coroutine takes an Exchange&");
      function_ = [f = F(std::forward<Function>(function))](Exchange& exchange) mutable {
        f(exchange.request(), exchange.response());
      };
    }
  }

  bool is_empty() const noexcept { return !function_ && !coroutine_; }
  bool is_coroutine() const noexcept { return static_cast<bool>(coroutine_); }
  void call(Exchange& exchange) const { function_(exchange); }
  Task<> begin(Exchange& exchange) const { return coroutine_(exchange); }

 private:
  std::function<void(Exchange&)> function_;
  std::function<Task<>(Exchange&)> coroutine_;
};

/// When a handler gets its request's body.
enum class BodyMode : std::uint8_t {
  buffered,  ///< Before it is called: Request::body() is whole.
  streamed,  ///< As it reads it: Exchange::read_body(), or receive_body() for all of it.
};

/// What holds for one route, or a group of them; what is not said is as for the server.
struct RouteOptions {
  /// Default is BodyMode::buffered.
  std::optional<BodyMode> body{};
  std::optional<std::size_t> body_bytes_max{};
  std::optional<std::size_t> request_memory_bytes_max{};
  std::optional<std::chrono::milliseconds> handler_max{};
};

}  // namespace stadion::http
