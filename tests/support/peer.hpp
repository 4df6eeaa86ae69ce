// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"

namespace stadion::tests {

/// The far end of a connection under test. It never blocks: pump() sends and receives what the
/// system takes and has at that moment, so a test calls it in what it waits for:
/// `loop.run_until([&] { return peer.pump().received() == "hello"; })`.
class Peer {
 public:
  /// Takes over a connected socket.
  explicit Peer(net::Descriptor descriptor) : descriptor_(std::move(descriptor)) {
    REQUIRE(::fcntl(descriptor_.get(), F_SETFL, O_NONBLOCK) == 0);
  }

  /// Connects to a listening socket's address, whose backlog answers.
  static Peer connect(const net::Endpoint& endpoint) {
    net::Descriptor descriptor(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(descriptor.get(), endpoint.data(), endpoint.size()) == 0);
    return Peer(std::move(descriptor));
  }

  /// Queues the bytes and sends what the system takes of them.
  Peer& send(std::string_view bytes) {
    unsent_.append(bytes);
    return pump();
  }
  /// Ends this side once all is sent.
  Peer& end() {
    ends_ = true;
    return pump();
  }
  void close() noexcept { descriptor_.close(); }
  /// Goes away as a crashed host does: the other side's next read or write fails.
  void reset() noexcept {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  /// From now on takes no more bytes than this altogether.
  void receive_at_most(std::size_t bytes) noexcept { received_max_ = bytes; }

  Peer& pump() {
    send_some();
    receive_some();
    return *this;
  }

  const std::string& received() const noexcept { return received_; }
  std::size_t unsent_bytes() const noexcept { return unsent_.size() - sent_; }
  /// The other side ended in order.
  bool ended() const noexcept { return ended_; }
  /// The connection failed, while sending or receiving.
  bool broken() const noexcept { return broken_; }
  bool gone() const noexcept { return ended_ || broken_; }
  int native_handle() const noexcept { return descriptor_.get(); }

 private:
  void send_some() {
    while (unsent_bytes() > 0 && !broken_) {
      const ssize_t sent = ::send(descriptor_.get(), unsent_.data() + sent_, unsent_bytes(),
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) {
        broken_ = errno != EAGAIN;
        return;
      }
      sent_ += static_cast<std::size_t>(sent);
    }
    if (ends_ && descriptor_.is_open()) {
      ::shutdown(descriptor_.get(), SHUT_WR);
      ends_ = false;
    }
  }

  void receive_some() {
    char buffer[16 * 1024];
    while (!gone() && received_.size() < received_max_) {
      const std::size_t room = std::min(sizeof buffer, received_max_ - received_.size());
      const ssize_t got = ::recv(descriptor_.get(), buffer, room, MSG_DONTWAIT);
      if (got < 0) {
        broken_ = errno != EAGAIN;
        return;
      }
      ended_ = got == 0;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  net::Descriptor descriptor_;
  std::string unsent_;
  std::size_t sent_ = 0;
  std::string received_;
  std::size_t received_max_ = std::numeric_limits<std::size_t>::max();
  bool ends_ = false;
  bool ended_ = false;
  bool broken_ = false;
};

/// Two connected ends: one for what is under test (non-blocking), one for the test.
struct ConnectedPair {
  net::Descriptor ours;
  Peer peer;

  static ConnectedPair tcp(std::string_view listen_at = "127.0.0.1:0") {
    const auto listening = net::ListeningSocket::open(net::Endpoint::parse(listen_at));
    Peer peer = Peer::connect(listening.local_endpoint());
    // The connection is in the backlog as soon as connect() returns.
    net::Descriptor ours(
        ::accept4(listening.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    REQUIRE(ours.is_open());
    return {std::move(ours), std::move(peer)};
  }

  static ConnectedPair local() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return {net::Descriptor(ends[0]), Peer(net::Descriptor(ends[1]))};
  }
};

/// Both kinds of stream sockets keep the same contract.
inline std::vector<ConnectedPair> pairs_of_each_kind() {
  std::vector<ConnectedPair> pairs;
  pairs.push_back(ConnectedPair::tcp());
  pairs.push_back(ConnectedPair::local());
  return pairs;
}

/// `bytes` of text in which a lost, doubled or moved piece shows.
inline std::string patterned_text(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>('a' + (state >> 24) % 26);
  }
  return text;
}

}  // namespace stadion::tests
