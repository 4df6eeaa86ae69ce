// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"

namespace stadion {

namespace detail {

template <class T>
concept HasArena = requires(T& object) {
  { object.arena() } -> std::convertible_to<Arena&>;
};

/// The first of a coroutine's arguments that names an arena.
template <class First, class... Rest>
Arena& arena_among(First& first, Rest&... rest) noexcept {
  if constexpr (std::is_same_v<std::remove_cv_t<First>, Arena>) {
    return first;
  } else if constexpr (HasArena<First>) {
    return first.arena();
  } else {
    static_assert(sizeof...(Rest) > 0,
                  "the frame of a Task lives in an arena: give the coroutine an Arena&, or "
                  "something with an arena(), such as a Request or an Exchange");
    return arena_among(rest...);
  }
}

/// What the promise of every Task has: a frame in an arena, and whom to continue when it is done.
class TaskPromise {
  static constexpr std::size_t kOwnerBytes = sizeof(void*);  ///< Behind the frame: its arena.

 public:
  // Inlined always: GCC takes a template's `new` and a plain `delete` for a mismatch where it sees
  // them as calls (-Wmismatched-new-delete).
  template <class... Args>
  [[gnu::always_inline]] static void* operator new(std::size_t bytes, Args&... args) {
    Arena& arena = arena_among(args...);
    void* frame = arena.alloc(bytes + kOwnerBytes);
    ::new (static_cast<std::byte*>(frame) + bytes) Arena*(&arena);
    return frame;
  }
  // A task that was the last to take from its arena gives its memory back, so that a loop may await
  // one at each turn.
  [[gnu::always_inline]] static void operator delete(void* frame, std::size_t bytes) noexcept {
    Arena* arena = *reinterpret_cast<Arena**>(static_cast<std::byte*>(frame) + bytes);
    (void)arena->extend(frame, bytes + kOwnerBytes, 0);
  }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct Continue {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().continuation_;
    }
    void await_resume() const noexcept {}
  };
  Continue final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void set_continuation(std::coroutine_handle<> continuation) noexcept {
    continuation_ = continuation;
  }
  void rethrow_if_failed() {
    if (exception_ != nullptr) {
      std::rethrow_exception(std::move(exception_));
    }
  }

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  std::exception_ptr exception_;
};

template <class T>
class TaskPromiseOf : public TaskPromise {
 public:
  template <class Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }
  T take() {
    rethrow_if_failed();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromiseOf<void> : public TaskPromise {
 public:
  void return_void() noexcept {}
  void take() { rethrow_if_failed(); }
};

}  // namespace detail

/// A coroutine whose frame lives in an arena: that of its first argument which is an Arena, or has
/// an `arena()`.
///
///     Task<int> answer(Arena& arena) { co_return 42; }
///     Task<> ask(Arena& arena) { int is = co_await answer(arena); … }
///
/// It begins when it is awaited, or with resume(), and not before. What it throws comes out of
/// `co_await`. Destroying a Task that has not ended destroys what lives in its frame, innermost
/// first: destructors and scope guards run, as at a return.
///
/// GCC 12.2 and earlier miscompile a coroutine that has no variable in its outermost block and a
/// co_await in the condition of an `if` or loop (GCC bug 106188): give the result a name first.
///
/// A compiler that does not optimise calls at a function's end (-O0, AddressSanitizer) lets a loop that
/// awaits tasks which never wait use the stack: from some ten thousand turns on it may overflow.
///
/// Lifetime   The arena outlives it. Arguments that a coroutine takes by reference, and what a
///            lambda captures, must live until it has ended.
/// Threads    One at a time.
/// Throws     The call that makes one: ArenaFailed when the arena is short of memory.
/// Cost       A frame is an allocation from the arena, and goes back to it at once if nothing was
///            allocated since.
template <class T = void>
class [[nodiscard]] Task {
 public:
  class promise_type : public detail::TaskPromiseOf<T> {
   public:
    Task get_return_object() noexcept { return Task(Handle::from_promise(*this)); }
  };

  Task() noexcept = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  /// False for one that was moved from, reset or made without a coroutine.
  bool is_valid() const noexcept { return handle_ != nullptr; }
  bool is_done() const noexcept { return handle_.done(); }
  /// Runs it until it waits for something or has ended: for whoever drives a task from outside a
  /// coroutine. Only the first time; from then on, what it waits for goes on with it.
  void resume() { handle_.resume(); }
  /// What it gave, or threw. Once, when it is done.
  T take() { return handle_.promise().take(); }
  void reset() noexcept {
    if (handle_ != nullptr) {
      std::exchange(handle_, nullptr).destroy();
    }
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        handle.promise().set_continuation(awaiting);
        return handle;
      }
      T await_resume() const { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

}  // namespace stadion
