// SPDX-License-Identifier: MIT
#include "http/callback.hpp"

namespace stadion::http {

CallbackWait::CallbackWait(Exchange& exchange) noexcept
    : Operation(exchange), wake_up_(&on_worker, this) {}

// Before it is awaited, so that nothing is posted.
CallbackWait::CallbackWait(CallbackWait&& other) noexcept
    : Operation(std::move(other)), wake_up_(&on_worker, this) {}

bool CallbackWait::poll() noexcept {
  if (stage_ == Stage::before) {
    stage_ = Stage::under_way;
    try {
      start();
    } catch (...) {
      exception_ = std::current_exception();
    }
  }
  return stage_ == Stage::told;
}

bool CallbackWait::stop() noexcept {
  if (stage_ == Stage::told || is_asked_to_stop_) {
    return stage_ == Stage::told;
  }
  is_asked_to_stop_ = true;
  try {
    ask_to_stop();
  } catch (...) {  // It will end by itself, then.
  }
  return false;
}

// Always by way of the loop, so that whoever tells has its own stack to itself.
void CallbackWait::told() noexcept { worker().post(wake_up_); }

void CallbackWait::on_worker(void* wait) {
  auto* self = static_cast<CallbackWait*>(wait);
  self->stage_ = Stage::told;
  self->wake();
}

void CallbackWait::check_told(bool has_values) const {
  if (exception_ != nullptr) {
    std::rethrow_exception(exception_);
  }
  check_outcome();
  if (!has_values) {
    throw Abandoned();
  }
}

}  // namespace stadion::http
