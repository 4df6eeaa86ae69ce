// SPDX-License-Identifier: MIT
#include "net/timer.hpp"

#include <cstdint>
#include <utility>

#include "net/asio.hpp"
#include "net/worker.hpp"

namespace stadion::net {

struct Timer::State {
  explicit State(asio::io_context& context) : timer(context) {}

  detail::SteadyTimer timer;
  std::function<void()> expired;
  std::uint64_t setting =
      0;  ///< Counts up at each change, so that an expiry already under way finds itself outdated.
};

Timer::Timer(Worker& worker) : state_(std::make_shared<State>(worker.io_context())) {}

Timer::~Timer() { cancel(); }

void Timer::expires_after(std::chrono::milliseconds delay, std::function<void()> expired) {
  cancel();
  state_->expired = std::move(expired);
  state_->timer.expires_after(delay);
  state_->timer.async_wait(
      [state = state_, setting = state_->setting](const std::error_code& error) {
        if (!error && setting == state->setting) {
          const auto function = std::exchange(state->expired, nullptr);
          function();
        }
      });
}

void Timer::cancel() noexcept {
  ++state_->setting;
  state_->expired = nullptr;
  state_->timer.cancel();
}

bool Timer::is_set() const noexcept { return state_->expired != nullptr; }

}  // namespace stadion::net
