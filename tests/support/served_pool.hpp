// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>

#include "core/arena.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/scripted_handler.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::tests {

/// A SocketPool that serves real connections on a test's loop, with a handler that the test
/// scripts.
struct ServedPool {
  /// A connection, seen from both ends.
  struct Client {
    pool::ConnectionRef ref;
    Peer peer;

    pool::Connection& connection() const {
      REQUIRE(!ref.is_stale());
      return *ref.get();
    }
  };

  explicit ServedPool(std::size_t max_connections, std::size_t buffer_bytes,
                      pool::SocketPoolTimes times = {})
      : pool(arena, max_connections, buffer_bytes, times) {
    pool.start(loop.worker(), handler);
  }

  Client connect(ConnectedPair pair = ConnectedPair::tcp()) {
    pool::ConnectionRef ref;
    loop.call([&] {
      net::Socket socket(loop.worker(), pair.ours.release());
      if (pool::Connection* connection = pool.add(std::move(socket))) {
        ref = connection->ref();
      }
    });
    return {ref, std::move(pair.peer)};
  }

  /// Runs the loop until what is under way has come to rest: no byte more comes or goes.
  void run_to_rest(Peer& peer) {
    const auto progress = [&] {
      const pool::SocketPoolStatistics now = pool.statistics();
      return now.bytes_in + now.bytes_out + peer.received().size() + peer.unsent_bytes();
    };
    std::size_t before = 0;
    int turns_at_rest = 0;
    while (turns_at_rest < 10) {
      loop.run_ready();
      peer.pump();
      turns_at_rest = progress() == before ? turns_at_rest + 1 : 0;
      before = progress();
    }
  }

  TestLoop loop;
  Arena arena;
  ScriptedHandler handler;
  pool::SocketPool pool;
};

}  // namespace stadion::tests
