// SPDX-License-Identifier: MIT
#include "http/shard.hpp"

#include <string>
#include <utility>

#include "core/log.hpp"

namespace stadion::http {

Shard::Shard(net::Worker& worker, net::ThreadPool& thread_pool, const Service& service,
             WorkerMetrics& metrics)
    : context_{.worker = worker,
               .thread_pool = thread_pool,
               .service = service,
               .metrics = metrics,
               .exchanges = ExchangePool(arena_),
               .date = {}},
      sessions_(arena_),
      pool_(arena_, service.options.connections_max, service.options.buffer_bytes,
            {.idle = service.options.times.idle_max,
             .write_stalled = service.options.times.write_stalled_max,
             .linger = service.options.times.linger_max,
             .write_bytes_per_second_min = service.options.times.write_bytes_per_second_min}),
      drain_timer_(worker) {
  context_.close_idle = [this] { close_idle(); };
  context_.pool_arena = &arena_;
  pool_.set_connections_per_address_max(service.options.connections_per_address_max);
  pool_.start(worker, *this);
}

void Shard::listen(net::ListeningSocket socket) {
  listeners_.emplace_back(
      context_.worker, std::move(socket),
      [this](net::Socket accepted) { pool_.add(std::move(accepted)); },
      net::ListenerOptions{.accepts_per_second_max =
                               context_.service.options.accepts_per_second_max});
}

void Shard::drain(std::chrono::milliseconds timeout, std::function<void()> drained) {
  if (context_.is_stopping) {
    return;  // It is on its way, and would begin anew.
  }
  for (net::Listener& listener : listeners_) {
    listener.drain();
  }
  listeners_.clear();
  context_.is_stopping = true;
  drained_ = std::move(drained);
  drain_timer_.expires_after(timeout, {&report_drained, this});
  pool_.drain(timeout, [this] {
    if (!drained_) {
      return;  // end() was called meanwhile.
    }
    context_.exchanges.when_empty([this] {
      drain_timer_.expires_after({}, {&report_drained, this});
    });
  });
}

void Shard::close_idle() {
  pool_.for_each([](pool::Connection& connection) {
    if (connection.data() != nullptr && session_of(connection).is_idle() &&
        connection.input().empty() && connection.output_bytes() == 0) {
      connection.close();
    }
  });
}

void Shard::report_drained(void* shard) {
  if (auto drained = std::exchange(static_cast<Shard*>(shard)->drained_, nullptr)) {
    drained();
  }
}

void Shard::end(std::function<void()> ended) {
  listeners_.clear();
  drained_ = nullptr;
  drain_timer_.cancel();
  context_.is_stopping = true;
  pool_.for_each([this](pool::Connection& connection) { pool_.remove(connection); });
  // From the loop: a handler's last steps are still on the stack when its exchange ends.
  context_.exchanges.end_all([worker = &context_.worker, done = std::move(ended)]() mutable {
    worker->post(std::move(done));
  });
}

void Shard::on_open(pool::Connection& connection) {
  context_.note_pool_bytes();
  try {
    connection.set_data(&sessions_.acquire(context_, connection.ref()));
  } catch (const ArenaFailed& failure) {
    log(LogLevel::error, {"no memory for a session: ", failure.what()});
    Session::refuse(context_, connection);
  }
}

void Shard::on_no_memory(pool::Connection& connection) {
  session_of(connection).on_no_memory(connection);
}

void Shard::on_close(pool::Connection& connection) noexcept {
  if (connection.data() != nullptr) {  // Null when on_open() found no memory for a session.
    sessions_.release(session_of(connection));
  }
}

}  // namespace stadion::http
