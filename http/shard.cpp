// SPDX-License-Identifier: MIT
#include "http/shard.hpp"

#include <utility>

namespace stadion::http {

Shard::Shard(net::Worker& worker, const Router& router, const ServerOptions& options,
             WorkerMetrics& metrics)
    : worker_(worker),
      context_{.router = router,
               .limits = options.limits,
               .times = options.times,
               .metrics = metrics,
               .date = {}},
      sessions_(arena_),
      pool_(arena_, options.connections_max, options.buffer_bytes,
            {.idle = options.times.idle_max,
             .write_stalled = options.times.write_stalled_max,
             .linger = options.times.linger_max}) {
  pool_.start(worker, *this);
}

void Shard::listen(net::ListeningSocket socket) {
  listeners_.emplace_back(worker_, std::move(socket),
                          [this](net::Socket accepted) { pool_.add(std::move(accepted)); });
}

void Shard::drain(std::chrono::milliseconds timeout, std::function<void()> drained) {
  listeners_.clear();
  pool_.drain(timeout, std::move(drained));
}

void Shard::on_close(pool::Connection& connection) noexcept {
  if (connection.data() != nullptr) {  // Null when on_open() found no memory for a session.
    sessions_.release(session_of(connection));
  }
}

}  // namespace stadion::http
