// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "http/service.hpp"
#include "http/shard.hpp"
#include "net/listening_socket.hpp"
#include "net/thread_pool.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::tests {

/// A server's share of one Worker on a test's own loop: it serves while the test waits, and its time is
/// what the test says.
class ServedShard {
 public:
  using Clock = pool::Connection::Clock;

  /// When something was done: not before `begin`, not after `end`.
  struct Moment {
    Clock::time_point begin;
    Clock::time_point end;
  };

  /// `add_routes(http::Routes&)` sets it up.
  template <class AddRoutes>
  explicit ServedShard(AddRoutes&& add_routes, const http::ServerOptions& options = {})
      : service_(options) {
    http::Routes routes = service_.router.routes();
    add_routes(routes);
    auto socket = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
    endpoint_ = socket.local_endpoint();
    loop_.call([&] {
      shard_ = std::make_unique<http::Shard>(loop_.worker(), thread_pool_, service_, metrics_);
      shard_->listen(std::move(socket));
    });
  }
  ~ServedShard() {
    bool has_ended = false;
    loop_.call([&] { shard_->end([&has_ended] { has_ended = true; }); });
    loop_.run_until([&] { return has_ended; });
    loop_.call([this] { shard_.reset(); });
  }

  ServedShard(const ServedShard&) = delete;
  ServedShard& operator=(const ServedShard&) = delete;

  Peer connect() {
    Peer peer = Peer::connect(endpoint_);
    const std::size_t before = shard_->connections().added;
    loop_.run_until([&] { return shard_->connections().added > before; });
    return peer;
  }

  /// Sends, and has the bytes read.
  Moment send(Peer& peer, std::string_view bytes) {
    const std::uint64_t expected = shard_->connections().bytes_in + bytes.size();
    const Clock::time_point begin = Clock::now();
    peer.send(bytes);
    loop_.run_until([&] {
      peer.pump();
      return shard_->connections().bytes_in >= expected;
    });
    loop_.run_ready();
    return {begin, Clock::now()};
  }

  /// Lets the time be that; what the peer was sent by then is received.
  void sweep(Peer& peer, Clock::time_point now) {
    loop_.call([&] { shard_->sweep(now); });
    loop_.run_ready();
    peer.pump();
  }

  TestLoop& loop() noexcept { return loop_; }

 private:
  TestLoop loop_;
  net::ThreadPool thread_pool_;
  http::Service service_;
  http::WorkerMetrics metrics_;
  net::Endpoint endpoint_;
  std::unique_ptr<http::Shard> shard_;
};

}  // namespace stadion::tests
