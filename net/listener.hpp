// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "net/listening_socket.hpp"
#include "net/socket.hpp"

namespace stadion::net {

class Worker;

/// Accepts connections on its Worker's thread and hands each over as a Socket of that Worker.
///
/// Out of file descriptors or memory, it rests for kAcceptRest before it tries again; connections
/// wait in the system's backlog meanwhile. TCP connections get TCP_NODELAY.
/// Lifetime   The Worker outlives it. After close() or destruction the function is not called.
/// Threads    Its Worker's alone, but for construction before the Worker runs.
class Listener {
 public:
  using AcceptHandler = std::function<void(Socket socket)>;

  Listener(Worker& worker, ListeningSocket socket, AcceptHandler on_accept);
  /// Opens the listening socket, too; throws as ListeningSocket::open() does.
  Listener(Worker& worker, const Endpoint& endpoint, AcceptHandler on_accept)
      : Listener(worker, ListeningSocket::open(endpoint), std::move(on_accept)) {}
  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Stops accepting, and closes the listening socket: the system refuses connections from here on.
  void close() noexcept;

  Endpoint local_endpoint() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stadion::net
