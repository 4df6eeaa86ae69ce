// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "core/finally.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/pace.hpp"
#include "net/timer.hpp"
#include "net/worker.hpp"

namespace stadion::net {
namespace {

/// Accepted in one go, before other sockets have their turn.
constexpr int kAcceptsAtOnce = 64;

bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// EWOULDBLOCK means that the backlog is empty; the others concern the one connection, which is gone
// already.
bool is_passing(int error) noexcept {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

Descriptor any_descriptor() noexcept {
  return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

struct Listener::State : std::enable_shared_from_this<State> {
  using Clock = std::chrono::steady_clock;

  State(Worker& owner, ListeningSocket listening_socket, AcceptHandler handler,
        const ListenerOptions& options)
      : worker(owner),
        socket(std::move(listening_socket)),
        local_endpoint(socket->local_endpoint()),
        name(local_endpoint.to_string()),
        acceptor(owner.io_context()),
        rest(owner),
        pace(options.accepts_per_second_max),
        drained_max(options.drained_max),
        reserve(any_descriptor()),
        on_accept(std::move(handler)) {
    // The acceptor only waits; it gets a descriptor of its own so that each side can close what it
    // owns.
    const int duplicate = ::fcntl(socket->native_handle(), F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot listen on " + local_endpoint.to_string());
    }
    Descriptor guard(duplicate);
    acceptor.assign({local_endpoint.family(), 0}, duplicate);
    guard.release();
  }

  void wait() {
    acceptor.async_wait(detail::Acceptor::wait_read,
                        [self = shared_from_this()](const std::error_code& error) {
                          if (!error && self->socket.has_value()) {
                            self->accept_waiting();
                          }
                        });
  }

  void wait_or_rest() noexcept {
    try {
      wait();
    } catch (const std::exception& error) {  // There is no memory for it.
      log(LogLevel::error, {"cannot wait for connections to ", name, ": ", error.what()});
      rest_for(kAcceptRest);
    }
  }

  void accept_waiting() {
    // However this ends, an exception of on_accept() included.
    const auto go_on = finally([this] {
      if (socket.has_value() && !rest.is_set()) {
        wait_or_rest();
      }
    });
    for (int accepted = 0; accepted < kAcceptsAtOnce && socket.has_value(); ++accepted) {
      const Clock::time_point now = Clock::now();
      if (const auto time = pace.wait_time(now); time > Clock::duration::zero()) {
        return rest_for(std::chrono::ceil<std::chrono::milliseconds>(time));
      }
      const int descriptor = accept_one();
      if (descriptor >= 0) {
        note_descriptors();
        pace.count(now);
        hand_over(descriptor);
      } else if (is_shortage(errno)) {
        return rest_from_shortage(errno);
      } else if (!is_passing(errno)) {
        return note_descriptors();
      }
    }
  }

  int accept_one() const noexcept {
    return ::accept4(socket->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }

  void accept_rest() noexcept {
    for (std::size_t accepted = 0; accepted < drained_max && socket.has_value(); ++accepted) {
      const int descriptor = accept_one();
      if (descriptor < 0 && !is_passing(errno)) {
        return;
      }
      if (descriptor >= 0) {
        try {
          hand_over(descriptor);
        } catch (const std::exception& error) {
          log(LogLevel::error, {"a connection to ", name, " is closed unserved: ", error.what()});
        }
      }
    }
  }

  /// Asio would leave a descriptor that it closes in its epoll set, where it stays as long as the socket
  /// has a duplicate.
  void close() noexcept {
    if (socket.has_value()) {
      std::error_code ignored;
      const Descriptor released(acceptor.release(ignored));
      rest.cancel();
      socket.reset();
    }
  }

  void hand_over(int descriptor) {
    Descriptor guard(descriptor);
    if (!local_endpoint.is_unix()) {
      const int on = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Socket accepted(worker, descriptor);
    guard.release();
    on_accept(std::move(accepted));
  }

  void rest_for(std::chrono::milliseconds time) {
    const auto go_on = [](void* state) {
      const auto self = static_cast<State*>(state)->shared_from_this();
      self->accept_waiting();
    };
    rest.expires_after(time, {go_on, this});
  }

  void rest_from_shortage(int error) {
    if (!short_since.has_value()) {
      short_since = Clock::now();
      log(LogLevel::warning, {"cannot accept on ", name, ": ", ::strerrordesc_np(error),
                              "; trying again every 100 ms"});
    } else if (Clock::now() - *short_since >= kShedAfter) {
      shed_waiting();
    }
    rest_for(kAcceptRest);
  }

  /// Another thread may be quicker to take the descriptor that is given up for this; then there is
  /// none in reserve until one is free again.
  void shed_waiting() noexcept {
    for (int i = 0; i < kAcceptsAtOnce && reserve.is_open(); ++i) {
      reserve.close();
      Descriptor shed(accept_one());
      const bool is_more = shed.is_open();
      shed.close();
      reserve = any_descriptor();
      if (!is_more) {
        return;
      }
      ++shed_count;
    }
  }

  void note_descriptors() {
    if (short_since.has_value()) {
      short_since.reset();
      log(LogLevel::info,
          {"accepting on ", name, " again; ", std::to_string(std::exchange(shed_count, 0)),
           " connection(s) were closed unserved"});
    }
    if (!reserve.is_open()) {
      reserve = any_descriptor();
    }
  }

  Worker& worker;
  std::optional<ListeningSocket> socket;  ///< None once closed.
  Endpoint local_endpoint;
  std::string name;  ///< Its text, for the log.
  detail::Acceptor acceptor;
  Timer rest;
  Pace pace;
  std::size_t drained_max;
  Descriptor reserve;  ///< Given up for a moment, to accept and close a connection.
  std::optional<Clock::time_point> short_since;
  std::uint64_t shed_count = 0;
  AcceptHandler on_accept;
};

Listener::Listener(Worker& worker, ListeningSocket socket, AcceptHandler on_accept,
                   ListenerOptions options)
    : state_(std::make_shared<State>(worker, std::move(socket), std::move(on_accept), options)) {
  state_->wait();
}

Listener::~Listener() { close(); }

void Listener::close() noexcept { state_->close(); }

void Listener::drain() noexcept {
  state_->accept_rest();
  state_->close();
}

Endpoint Listener::local_endpoint() const noexcept { return state_->local_endpoint; }

}  // namespace stadion::net
