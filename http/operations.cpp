// SPDX-License-Identifier: MIT
#include "http/operations.hpp"

#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/session_context.hpp"

namespace stadion::http {

bool Operation::await_ready() {
  if (exchange_->client_is_gone_ && needs_client()) {
    outcome_ = Outcome::client_gone;
    return true;
  }
  if (poll()) {
    outcome_ = Outcome::done;
    return true;
  }
  return false;
}

void Operation::await_suspend(std::coroutine_handle<> waiting) noexcept {
  exchange_->waiting_ = this;
  exchange_->waiter_ = waiting;
}

Arena& Operation::arena() const noexcept { return exchange_->arena_; }

net::Worker& Operation::worker() const noexcept { return exchange_->worker(); }

net::ThreadPool& Operation::thread_pool() const noexcept {
  return exchange_->context_->thread_pool;
}

Client& Operation::client() const noexcept { return *exchange_->client_; }

std::span<char> Operation::piece_room() const noexcept { return exchange_->piece_room_; }

void Operation::wake() const noexcept { exchange_->wake(); }

void Operation::check_outcome() const {
  switch (outcome_) {
    case Outcome::open:
    case Outcome::done: return;
    case Outcome::client_gone: throw ClientGone();
    case Outcome::deadline_passed: throw DeadlinePassed();
  }
}

void Operation::pass_deadline() noexcept {
  if (outcome_ != Outcome::open) {
    return;
  }
  at_end_ = Outcome::deadline_passed;
  if (stop()) {
    outcome_ = Outcome::deadline_passed;
    wake();
  }
}

bool ReadBody::poll() noexcept {
  return client().read_body(piece_room(), piece_) != Client::Read::not_yet;
}

bool ReceiveBody::poll() noexcept { return client().receive_body(); }

std::string_view ReceiveBody::await_resume() const {
  check_outcome();
  return exchange().request().body();
}

bool WriteBody::poll() noexcept { return client().write_body(bytes_); }

bool FlushBody::poll() noexcept { return client().flush(); }

bool SendInterim::poll() noexcept {
  if (!head_.empty()) {
    if (!client().send_interim(head_)) {
      return false;
    }
    head_ = {};
  }
  return then_ == Then::goes_on || client().become_raw();
}

bool ReadRaw::poll() noexcept {
  return client().read_raw(piece_room(), piece_) != Client::Read::not_yet;
}

bool WriteRaw::poll() noexcept { return client().write_raw(bytes_); }

bool TimedWait::poll() noexcept {
  if (!timer_.has_value()) {
    timer_.emplace(worker());
    timer_->expires_after(time_, {&on_time, this});
  }
  return is_over_;
}

void TimedWait::on_time(void* wait) {
  auto* self = static_cast<TimedWait*>(wait);
  self->is_over_ = true;
  self->wake();
}

bool Pause::poll() noexcept { return exchange().server_is_stopping() || TimedWait::poll(); }

}  // namespace stadion::http
