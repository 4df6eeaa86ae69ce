// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>

#include "core/arena.hpp"
#include "core/object_pool.hpp"
#include "http/service.hpp"
#include "http/session.hpp"
#include "http/session_context.hpp"
#include "net/listener.hpp"
#include "net/timer.hpp"
#include "net/worker.hpp"
#include "pool/socket_pool.hpp"

namespace stadion::http {

/// One Worker's share of a server: its listeners, the pool of its connections, and a Session for
/// each of these, all in one arena of its own.
///
/// Threads    Made, used and destroyed on its Worker.
class Shard final : private pool::ConnectionHandler {
 public:
  Shard(net::Worker& worker, net::ThreadPool& thread_pool, const Service& service,
        WorkerMetrics& metrics);
  ~Shard() override = default;

  void listen(net::ListeningSocket socket);
  /// Stops accepting, lets requests in flight end, and calls `drained`, from the Worker's loop, when no
  /// connection and no handler is left, or the time is up. A second call changes nothing.
  void drain(std::chrono::milliseconds timeout, std::function<void()> drained);
  /// Closes every connection, and calls `ended`, from the Worker's loop, when no handler is left:
  /// what waits on another thread is waited for. Only then may the shard be destroyed.
  void end(std::function<void()> ended);

  /// See SocketPool::sweep().
  void sweep(pool::Connection::Clock::time_point now) { pool_.sweep(now); }

  /// From any thread.
  pool::SocketPoolStatistics connections() const noexcept { return pool_.statistics(); }

 private:
  static Session& session_of(pool::Connection& connection) noexcept {
    return *static_cast<Session*>(connection.data());
  }

  // None of the others is called for a connection that has no session: it is closing.
  void on_open(pool::Connection& connection) override;
  void on_input(pool::Connection& connection) override {
    session_of(connection).advance(connection);
  }
  void on_input_end(pool::Connection& connection) override {
    session_of(connection).advance(connection);
  }
  void on_output_sent(pool::Connection& connection) override {
    session_of(connection).advance(connection);
  }
  void on_notify(pool::Connection& connection) override {
    session_of(connection).advance(connection);
  }
  void on_timeout(pool::Connection& connection) override {
    session_of(connection).on_timeout(connection);
  }
  void on_drain(pool::Connection& connection) override {
    if (connection.data() != nullptr) {
      session_of(connection).on_drain(connection);
    }
  }
  void on_no_memory(pool::Connection& connection) override;
  void on_close(pool::Connection& connection) noexcept override;

  void close_idle();
  static void report_drained(void* shard);

  Arena arena_;
  SessionContext context_;
  ObjectPool<Session> sessions_;
  pool::SocketPool pool_;
  std::list<net::Listener> listeners_;
  net::Timer drain_timer_;
  std::function<void()> drained_;
};

}  // namespace stadion::http
