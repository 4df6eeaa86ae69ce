// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>

#include "net/socket.hpp"
#include "tests/support/peer.hpp"

namespace stadion::tests {

/// Sockets for pools that do no I/O: as cheap as a descriptor, for they are all the same socket.
class IdleSockets {
 public:
  explicit IdleSockets(net::Worker& worker) noexcept : worker_(&worker) {}

  net::Socket make() {
    net::Descriptor descriptor(::fcntl(pair_.ours.get(), F_DUPFD_CLOEXEC, 0));
    net::Socket socket(*worker_, descriptor.get());
    descriptor.release();
    return socket;
  }

 private:
  net::Worker* worker_;
  ConnectedPair pair_ = ConnectedPair::local();
};

inline bool is_open_descriptor(int number) noexcept { return ::fcntl(number, F_GETFD) != -1; }

}  // namespace stadion::tests
