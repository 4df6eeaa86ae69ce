// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

/// The document's exception blocks, over C++ exceptions:
///
///     TRY { risky_operation(data); }
///     EXCEPT(SomeException) { /* handle it */ }
///     EXCEPT(const ArenaFailed& failure) { report(failure.what()); }
///     ELSE { /* any other exception */ }
///     FINALLY { arena.dispose(); }
///     END_TRY;
///
/// FINALLY runs on every way out: normal, an exception that nobody handles (it goes on after), a
/// handler that throws, and an early `return`. The first EXCEPT whose type matches handles; what a
/// handler throws is not seen by the EXCEPTs beside it. EXCEPT, ELSE and FINALLY may each be left
/// out; their order is as above.
///
/// Each block is a lambda that captures by reference, hence: a bare `return` leaves the *block*,
/// not the function, and `return value`, `break` and `continue` out of a block do not compile. New
/// code reads better with finally().
///
/// Throws     What a block throws and no EXCEPT or ELSE handles. What FINALLY throws replaces it.
/// Source     Document Pattern 1, Pattern 4, Rule 4.
#define TRY ::stadion::detail::TryStart{} % [&]() -> void
#define EXCEPT(...) % ::stadion::detail::ExceptTag{} % [&]([[maybe_unused]] __VA_ARGS__) -> void
#define ELSE % ::stadion::detail::ElseTag{} % [&]() -> void
#define FINALLY % ::stadion::detail::FinallyTag{} % [&]() -> void
#define END_TRY \
  % ::stadion::detail::TryEnd {}

namespace stadion::detail {

struct TryStart {};
struct ExceptTag {};
struct ElseTag {};
struct FinallyTag {};
struct TryEnd {};

/// The one parameter's type of a handler lambda: EXCEPT(T) and EXCEPT(const T& name) both catch T.
template <class Function>
struct HandlerParameter;
template <class Lambda, class Parameter>
struct HandlerParameter<void (Lambda::*)(Parameter) const> {
  using Exception = std::remove_cvref_t<Parameter>;
};

template <class Handler>
using CaughtBy = typename HandlerParameter<decltype(&Handler::operator())>::Exception;

struct Nothing {
  void operator()() const noexcept {}
};
struct Rethrow {
  [[noreturn]] void operator()() const { throw; }
};

/// A whole TRY statement, built block by block by the macros and run by END_TRY.
template <class Body, class Else, class Final, class... Handlers>
class TryStatement {
 public:
  TryStatement(Body body, Else otherwise, Final final_block, std::tuple<Handlers...> handlers)
      : body_(std::move(body)),
        else_(std::move(otherwise)),
        final_(std::move(final_block)),
        handlers_(std::move(handlers)) {}

  void run() {
    try {
      run_handled();
    } catch (...) {
      final_();
      throw;
    }
    final_();
  }

  template <class Handler>
  auto with_handler(Handler handler) && {
    static_assert(std::is_same_v<Else, Rethrow> && std::is_same_v<Final, Nothing>,
                  "EXCEPT stands before ELSE and FINALLY");
    return TryStatement<Body, Else, Final, Handlers..., Handler>(
        std::move(body_), std::move(else_), std::move(final_),
        std::tuple_cat(std::move(handlers_), std::make_tuple(std::move(handler))));
  }
  template <class NewElse>
  auto with_else(NewElse otherwise) && {
    static_assert(std::is_same_v<Else, Rethrow> && std::is_same_v<Final, Nothing>,
                  "one ELSE, and it stands before FINALLY");
    return TryStatement<Body, NewElse, Final, Handlers...>(std::move(body_), std::move(otherwise),
                                                           std::move(final_), std::move(handlers_));
  }
  template <class NewFinal>
  auto with_finally(NewFinal final_block) && {
    static_assert(std::is_same_v<Final, Nothing>, "one FINALLY, and it stands last");
    return TryStatement<Body, Else, NewFinal, Handlers...>(
        std::move(body_), std::move(else_), std::move(final_block), std::move(handlers_));
  }

 private:
  void run_handled() {
    try {
      body_();
    } catch (...) {
      dispatch<0>();
    }
  }

  /// Called while an exception is in flight: the first matching handler gets it, else ELSE. A
  /// handler runs inside a catch clause, so what it throws leaves the whole statement instead of
  /// reaching the next handler.
  template <std::size_t Index>
  void dispatch() {
    if constexpr (Index == sizeof...(Handlers)) {
      else_();
    } else {
      using Handler = std::tuple_element_t<Index, std::tuple<Handlers...>>;
      try {
        throw;
      } catch (const CaughtBy<Handler>& exception) {
        std::get<Index>(handlers_)(exception);
      } catch (...) {
        dispatch<Index + 1>();
      }
    }
  }

  Body body_;
  Else else_;
  Final final_;
  std::tuple<Handlers...> handlers_;
};

/// A statement and the tag of the block that comes next.
template <class Statement, class Tag>
struct Awaiting {
  Statement statement;
};

template <class Body>
auto operator%(TryStart /*start*/, Body body) {
  return TryStatement<Body, Rethrow, Nothing>(std::move(body), Rethrow{}, Nothing{},
                                              std::tuple<>{});
}

template <class Tag, class... Parts>
requires(std::is_same_v<Tag, ExceptTag> || std::is_same_v<Tag, ElseTag> ||
         std::is_same_v<Tag, FinallyTag>) auto
operator%(TryStatement<Parts...> statement, Tag /*tag*/) {
  return Awaiting<TryStatement<Parts...>, Tag>{std::move(statement)};
}

template <class Statement, class Handler>
auto operator%(Awaiting<Statement, ExceptTag> awaiting, Handler handler) {
  return std::move(awaiting.statement).with_handler(std::move(handler));
}
template <class Statement, class Block>
auto operator%(Awaiting<Statement, ElseTag> awaiting, Block block) {
  return std::move(awaiting.statement).with_else(std::move(block));
}
template <class Statement, class Block>
auto operator%(Awaiting<Statement, FinallyTag> awaiting, Block block) {
  return std::move(awaiting.statement).with_finally(std::move(block));
}

template <class... Parts>
void operator%(TryStatement<Parts...> statement, TryEnd /*end*/) {
  statement.run();
}

}  // namespace stadion::detail
