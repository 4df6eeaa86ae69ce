// SPDX-License-Identifier: MIT
#include "http/exchange_pool.hpp"

#include <utility>

namespace stadion::http {

Exchange& ExchangePool::acquire(SessionContext& context) {
  Exchange& exchange = exchanges_.acquire(context);
  exchange.next_ = first_;
  if (first_ != nullptr) {
    first_->previous_ = &exchange;
  }
  first_ = &exchange;
  return exchange;
}

void ExchangePool::release(Exchange& exchange) noexcept {
  (exchange.previous_ == nullptr ? first_ : exchange.previous_->next_) = exchange.next_;
  if (exchange.next_ != nullptr) {
    exchange.next_->previous_ = exchange.previous_;
  }
  exchanges_.release(exchange);
  if (first_ == nullptr && emptied_) {
    std::exchange(emptied_, nullptr)();
  }
}

void ExchangePool::when_empty(std::function<void()> emptied) {
  if (first_ == nullptr) {
    return emptied();
  }
  emptied_ = std::move(emptied);
}

void ExchangePool::end_all(std::function<void()> emptied) {
  emptied_ = nullptr;
  for (Exchange* exchange = first_; exchange != nullptr;) {
    Exchange* next = exchange->next_;
    exchange->give_up();
    exchange = next;
  }
  when_empty(std::move(emptied));
}

}  // namespace stadion::http
