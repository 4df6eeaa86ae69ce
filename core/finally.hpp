// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

namespace stadion {

/// A scope guard: calls its function when the scope ends, on every way out. See finally().
template <class Function>
class [[nodiscard]] Finally {
 public:
  explicit Finally(Function function) noexcept(std::is_nothrow_move_constructible_v<Function>)
      : function_(std::move(function)) {}
  ~Finally() { function_(); }

  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  Function function_;
};

/// The document's FINALLY as a value: `auto dispose = finally([&] { arena.dispose(); });`
///
/// Runs at the end of the scope: after a normal end, a return, a break or an exception.
/// Requires   The function does not throw (it runs in a destructor).
/// Source     Document Rule 4, "dispose in FINALLY".
template <class Function>
Finally<std::decay_t<Function>> finally(Function&& function) {
  return Finally<std::decay_t<Function>>(std::forward<Function>(function));
}

}  // namespace stadion
