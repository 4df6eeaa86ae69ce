// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "core/finally.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/timer.hpp"
#include "net/worker.hpp"

namespace stadion::net {
namespace {

/// How long to leave connections in the backlog when descriptors or memory are short.
constexpr std::chrono::milliseconds kAcceptRest{100};
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

}  // namespace

struct Listener::State : std::enable_shared_from_this<State> {
  State(Worker& owner, ListeningSocket listening_socket, AcceptHandler handler)
      : worker(owner),
        socket(std::move(listening_socket)),
        local_endpoint(socket->local_endpoint()),
        acceptor(owner.io_context()),
        rest(owner),
        on_accept(std::move(handler)) {
    // The acceptor only waits; it gets a descriptor of its own so that each side can close what it
    // owns.
    const int duplicate = ::fcntl(socket->native_handle(), F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot listen on " + local_endpoint.to_string());
    }
    acceptor.assign({local_endpoint.family(), 0}, duplicate);
  }

  void wait() {
    acceptor.async_wait(detail::Acceptor::wait_read,
                        [self = shared_from_this()](const std::error_code& error) {
                          if (!error && self->socket.has_value()) {
                            self->accept_waiting();
                          }
                        });
  }

  void accept_waiting() {
    // However this ends, an exception of on_accept() included.
    const auto go_on = finally([this] {
      if (socket.has_value() && !rest.is_set()) {
        wait();
      }
    });
    for (int accepted = 0; accepted < kAcceptsAtOnce && socket.has_value(); ++accepted) {
      const int descriptor =
          ::accept4(socket->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        hand_over(descriptor);
      } else if (is_shortage(errno)) {
        return rest_from_accepting(errno);
      } else if (!is_passing(errno)) {
        return;
      }
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

  void rest_from_accepting(int error) {
    log(LogLevel::warning, "cannot accept on " + local_endpoint.to_string() + ": " +
                               std::generic_category().message(error) + "; trying again in 100 ms");
    rest.expires_after(kAcceptRest, [self = shared_from_this()] { self->accept_waiting(); });
  }

  Worker& worker;
  std::optional<ListeningSocket> socket;  ///< None once closed.
  Endpoint local_endpoint;
  detail::Acceptor acceptor;
  Timer rest;
  AcceptHandler on_accept;
};

Listener::Listener(Worker& worker, ListeningSocket socket, AcceptHandler on_accept)
    : state_(std::make_shared<State>(worker, std::move(socket), std::move(on_accept))) {
  state_->wait();
}

Listener::~Listener() { close(); }

void Listener::close() noexcept {
  std::error_code ignored;
  state_->acceptor.close(ignored);
  state_->rest.cancel();
  state_->socket.reset();
}

Endpoint Listener::local_endpoint() const noexcept { return state_->local_endpoint; }

}  // namespace stadion::net
