// SPDX-License-Identifier: MIT
#include "net/signals.hpp"

#include <utility>

#include "net/asio.hpp"
#include "net/worker.hpp"

namespace stadion::net {

struct SignalSet::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::function<void(int)> function)
      : signals(context), on_signal(std::move(function)) {}

  void wait() {
    signals.async_wait([self = shared_from_this()](const std::error_code& error, int signal) {
      if (!error && self->on_signal) {
        self->on_signal(signal);
        self->wait();
      }
    });
  }

  detail::SignalSet signals;
  std::function<void(int)> on_signal;  ///< Empty once the set is gone.
};

SignalSet::SignalSet(Worker& worker, std::initializer_list<int> signals,
                     std::function<void(int)> on_signal)
    : state_(std::make_shared<State>(worker.io_context(), std::move(on_signal))) {
  for (const int signal : signals) {
    state_->signals.add(signal);
  }
  state_->wait();
}

SignalSet::~SignalSet() {
  state_->on_signal = nullptr;
  std::error_code ignored;
  state_->signals.clear(ignored);
  state_->signals.cancel(ignored);
}

}  // namespace stadion::net
