// SPDX-License-Identifier: MIT
#include "net/signals.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "core/finally.hpp"
#include "net/asio.hpp"
#include "net/worker.hpp"

namespace stadion::net {

struct SignalSet::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::function<void(int)> function)
      : signals(context), on_signal(std::move(function)) {}

  void wait() {
    signals.async_wait([self = shared_from_this()](const std::error_code& error, int signal) {
      if (!error && self->on_signal) {
        self->call(signal);
      }
    });
  }

  // The function is taken out while it runs, for it may destroy its set, and so itself.
  void call(int signal) {
    std::function<void(int)> function = std::exchange(on_signal, nullptr);
    const auto go_on = finally([this, &function] {
      if (!is_closed) {
        on_signal = std::move(function);
        wait();
      }
    });
    function(signal);
  }

  detail::SignalSet signals;
  std::function<void(int)> on_signal;
  bool is_closed = false;
};

namespace {

/// ThreadSanitizer (of GCC 12) loses a signal that comes while a thread enters the first call in
/// which it may block; so such a call is made before there is a signal to lose.
void prepare_thread_for_signals() {
#if defined(__SANITIZE_THREAD__)
  std::this_thread::sleep_for(std::chrono::nanoseconds(1));
#endif
}

}  // namespace

SignalSet::SignalSet(Worker& worker, std::initializer_list<int> signals,
                     std::function<void(int)> on_signal)
    : state_(std::make_shared<State>(worker.io_context(), std::move(on_signal))) {
  prepare_thread_for_signals();
  for (const int signal : signals) {
    state_->signals.add(signal);
  }
  state_->wait();
}

SignalSet::~SignalSet() {
  state_->is_closed = true;
  state_->on_signal = nullptr;
  std::error_code ignored;
  state_->signals.clear(ignored);
  state_->signals.cancel(ignored);
}

}  // namespace stadion::net
