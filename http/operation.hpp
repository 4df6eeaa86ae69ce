// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "net/timer.hpp"
#include "net/worker.hpp"

namespace stadion::net {
class ThreadPool;
}

namespace stadion::http {

class Client;
class Exchange;

/// Comes out of a `co_await` when what was waited for will not come.
class Cancelled : public std::exception {};

/// The time that within() allowed has passed. Where a handler lets it pass, the answer is 503.
class DeadlinePassed final : public Cancelled {
 public:
  const char* what() const noexcept override { return "the deadline has passed"; }
};

/// The client has left, or the server is stopped by force. Only a handler that asked for it with
/// Exchange::survive_client() sees this one; any other is ended where it waits.
class ClientGone final : public Cancelled {
 public:
  const char* what() const noexcept override { return "the client is gone"; }
};

/// What a handler's coroutine can wait for: an object for one `co_await`, made by the functions of
/// Exchange. It lives in the coroutine's frame, and so in the request's arena. A handler awaits nothing
/// else but Tasks that do the same: what the exchange does not know of, it can't end.
///
/// Threads    Its exchange's Worker.
/// Throws     `co_await`: what the operation says, ClientGone, and DeadlinePassed.
class Operation {
 public:
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiting) noexcept;

 protected:
  explicit Operation(Exchange& exchange) noexcept : exchange_(&exchange) {}
  Operation(Operation&& other) noexcept : exchange_(other.exchange_) {}  // Before it is awaited.
  Operation& operator=(Operation&&) = delete;
  virtual ~Operation() = default;

  Exchange& exchange() const noexcept { return *exchange_; }
  Arena& arena() const noexcept;
  net::Worker& worker() const noexcept;
  net::ThreadPool& thread_pool() const noexcept;
  /// Requires that there is one: while an operation that needs_client() is under way.
  Client& client() const noexcept;
  /// The next piece of what is read goes here.
  std::span<char> piece_room() const noexcept;

  /// Has the handler go on, if poll() says so.
  void wake() const noexcept;
  /// Throws where the operation did not come to its end.
  void check_outcome() const;

 private:
  friend class Exchange;
  template <class>
  friend class Within;
  enum class Outcome : std::uint8_t { open, done, client_gone, deadline_passed };

  /// Does what can be done without waiting; true when that was all of it.
  virtual bool poll() noexcept = 0;
  /// Stops early. False when it can't be: then the operation's own end has to be waited for.
  virtual bool stop() noexcept { return true; }
  /// Whether it is nothing without a client.
  virtual bool needs_client() const noexcept { return true; }

  void pass_deadline() noexcept;

  Exchange* exchange_;
  Outcome outcome_ = Outcome::open;
  Outcome at_end_ = Outcome::done;  ///< What it is to be when it has come to its end.
};

/// An operation that has only so much time.
template <class Inner>
class [[nodiscard]] Within {
 public:
  Within(Inner inner, std::chrono::milliseconds time) noexcept
      : inner_(std::move(inner)), time_(time) {}
  Within(Within&& other) noexcept : inner_(std::move(other.inner_)), time_(other.time_) {}

  bool await_ready() { return inner_.await_ready(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    timer_.emplace(inner_.worker());
    timer_->expires_after(time_, {&pass_deadline, this});  // First, as it may throw.
    inner_.await_suspend(waiting);
  }
  decltype(auto) await_resume() {
    timer_.reset();
    return inner_.await_resume();
  }

 private:
  static void pass_deadline(void* within) {
    static_cast<Operation&>(static_cast<Within*>(within)->inner_).pass_deadline();
  }

  Inner inner_;
  std::chrono::milliseconds time_;
  std::optional<net::Timer> timer_;
};

namespace detail {

/// Whether a function may be given to an operation like this. GCC before 14 destroys twice what a
/// lambda holds that is made within co_await's own expression (https://gcc.gnu.org/PR99576).
template <class Function>
constexpr bool is_safe_in_co_await() noexcept {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 14
  return std::is_lvalue_reference_v<Function> || std::is_trivially_destructible_v<Function>;
#else
  return true;
#endif
}

}  // namespace detail

/// Gives each operation its within().
template <class Self>
class Awaitable : public Operation {
 public:
  /// The same, but over this time it throws DeadlinePassed. An operation that can't be stopped
  /// throws it when it has come to its end.
  Within<Self> within(std::chrono::milliseconds time) && noexcept {
    return Within<Self>(std::move(static_cast<Self&>(*this)), time);
  }

 protected:
  using Operation::Operation;
};

}  // namespace stadion::http
