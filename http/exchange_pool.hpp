// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>

#include "core/object_pool.hpp"
#include "http/exchange.hpp"

namespace stadion::http {

/// The exchanges of one Worker: those of its sessions, and those whose client is gone while their
/// handler still waits for something that can't be stopped.
///
/// Threads    Its Worker's alone.
class ExchangePool {
 public:
  explicit ExchangePool(Arena& arena) noexcept : exchanges_(arena) {}

  /// Throws ArenaFailed.
  Exchange& acquire(SessionContext& context);
  void release(Exchange& exchange) noexcept;

  /// Calls `emptied` when no exchange is left; at once if there is none.
  void when_empty(std::function<void()> emptied);
  /// Ends what goes on without a client, and then as when_empty(). What can't be stopped is waited for.
  void end_all(std::function<void()> emptied);

 private:
  ObjectPool<Exchange> exchanges_;
  Exchange* first_ = nullptr;
  std::function<void()> emptied_;
};

}  // namespace stadion::http
