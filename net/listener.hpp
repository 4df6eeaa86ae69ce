// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "net/listening_socket.hpp"
#include "net/socket.hpp"

namespace stadion::net {

class Worker;

/// How long to leave connections in the backlog when descriptors or memory are short.
inline constexpr std::chrono::milliseconds kAcceptRest{100};
/// After so long without descriptors, those that wait in the backlog are closed.
inline constexpr std::chrono::milliseconds kShedAfter{500};

/// What ListenerOptions::accepts_per_second_max can be.
inline constexpr std::size_t kAcceptsPerSecondMax = 1'000'000;

struct ListenerOptions {
  /// Connections accepted in a second, in the long run, and a tenth of that at once; the others wait in
  /// the system's backlog. At most kAcceptsPerSecondMax. Default is 0, for no limit.
  std::size_t accepts_per_second_max = 0;
  /// What drain() accepts at the most. Default is 4,096.
  std::size_t drained_max = 4096;
};

/// Accepts connections on its Worker's thread and hands each over as a Socket of that Worker.
///
/// Out of file descriptors or memory, it rests for kAcceptRest before it tries again; connections
/// wait in the system's backlog meanwhile. If that goes on for kShedAfter, it closes those, with a
/// descriptor that it keeps in reserve: their clients learn at once that nobody will serve them. That
/// it is so is logged once, and once that it is over. TCP connections get TCP_NODELAY.
/// Lifetime   The Worker outlives it. After close() or destruction the function is not called.
/// Threads    Its Worker's alone, but for construction before the Worker runs.
class Listener {
 public:
  using AcceptHandler = std::function<void(Socket socket)>;

  /// Throws std::invalid_argument for an option out of range, std::system_error without descriptors.
  Listener(Worker& worker, ListeningSocket socket, AcceptHandler on_accept,
           ListenerOptions options = {});
  /// Opens the listening socket, too; throws as ListeningSocket::open() does.
  Listener(Worker& worker, const Endpoint& endpoint, AcceptHandler on_accept)
      : Listener(worker, ListeningSocket::open(endpoint), std::move(on_accept)) {}
  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Stops accepting, and closes the listening socket: the system refuses connections from here on.
  void close() noexcept;
  /// Accepts those who wait in the backlog first, ListenerOptions::drained_max at the most: they would
  /// be reset. Who comes between that and the close is, unless the system passes them on to another
  /// socket on the same address (SO_REUSEPORT and net.ipv4.tcp_migrate_req=1), or this one has a
  /// duplicate elsewhere.
  void drain() noexcept;

  Endpoint local_endpoint() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stadion::net
