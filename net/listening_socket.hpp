// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "net/descriptor.hpp"
#include "net/endpoint.hpp"

namespace stadion::net {

struct ListenOptions {
  /// Connections that the kernel completes and holds until they are accepted. Default is 4096.
  int backlog = 4096;
  /// Several sockets may listen on the same TCP address and share its connections (SO_REUSEPORT).
  /// Default is no.
  bool reuse_port = false;
};

/// A bound, listening stream socket: TCP over IPv4 or IPv6, or Unix.
///
/// A Unix socket's file is removed when the (first) socket closes; one that a dead process left
/// behind is replaced, one that somebody listens on is not.
/// Threads    One at a time; may be opened on one thread and given to a Listener on another.
/// Throws     std::system_error that names the address and what could not be done with it.
class ListeningSocket {
 public:
  static ListeningSocket open(const Endpoint& endpoint, ListenOptions options = {});

  /// `count` sockets, one per Worker, that share the connections to one address: TCP by
  /// SO_REUSEPORT, Unix by duplicates of one socket. An address that another process listens on is
  /// refused all the same, unless both set `reuse_port`.
  static std::vector<ListeningSocket> open_group(const Endpoint& endpoint, std::size_t count,
                                                 ListenOptions options = {});

  /// Takes over a socket that listens already; it gets non-blocking, and its file stays when it closes.
  /// Throws std::invalid_argument for a descriptor that is no listening stream socket.
  static ListeningSocket adopt(Descriptor descriptor);

  /// The same socket once more: what waits to be accepted is lost only when the last one closes. Its
  /// file stays when it closes.
  ListeningSocket duplicate() const;

  ~ListeningSocket();
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;

  /// What it is bound to: the actual port, where port 0 was asked for.
  const Endpoint& local_endpoint() const noexcept { return local_endpoint_; }
  int native_handle() const noexcept { return descriptor_.get(); }

 private:
  ListeningSocket(Descriptor descriptor, bool removes_file);

  Descriptor descriptor_;
  Endpoint local_endpoint_;
  bool removes_file_;
};

}  // namespace stadion::net
