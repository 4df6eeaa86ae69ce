// SPDX-License-Identifier: MIT
#include "pool/socket_pool.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/assert.hpp"
#include "core/log.hpp"
#include "core/poison.hpp"

namespace stadion::pool {
namespace {

constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

}  // namespace

/// The slots of all connections, in one block of the arena. A resize moves to another.
struct SocketPool::Table {
  struct Slot {
    std::uint64_t generation;  ///< 0 when there is no connection.
    std::uint32_t next_free;
  };

  Table* next_spare = nullptr;
  std::uint32_t capacity;
  std::uint32_t used = 0;  ///< Slots from here on were never taken.
  std::uint32_t first_free = kNoSlot;
  Slot* slots;
  Connection* connections;  ///< Memory for `capacity` of them, poisoned where there is none.

  std::uint32_t take_slot() noexcept {
    if (first_free == kNoSlot) {
      return used++;
    }
    return std::exchange(first_free, slots[first_free].next_free);
  }
  void free_slot(std::uint32_t index) noexcept {
    slots[index] = {.generation = 0, .next_free = first_free};
    first_free = index;
  }
};

SocketPoolStatistics& SocketPoolStatistics::operator+=(const SocketPoolStatistics& other) noexcept {
  active += other.active;
  max_connections += other.max_connections;
  peak += other.peak;
  added += other.added;
  removed += other.removed;
  refused += other.refused;
  timed_out += other.timed_out;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  return *this;
}

std::uint32_t SocketPool::checked_limit(std::size_t max_connections) {
  if (max_connections == 0 || max_connections > kConnectionsMax) {
    throw std::invalid_argument("a pool holds from 1 to 16777216 connections, not " +
                                std::to_string(max_connections));
  }
  return static_cast<std::uint32_t>(max_connections);
}

SocketPool::SocketPool(Arena& arena, std::size_t max_connections, std::size_t buffer_bytes,
                       SocketPoolTimes times)
    : arena_(&arena),
      buffer_bytes_(buffer_bytes),
      times_{.idle = net::bounded_delay(times.idle),
             .write_stalled = net::bounded_delay(times.write_stalled),
             .linger = net::bounded_delay(times.linger),
             .write_bytes_per_second_min = times.write_bytes_per_second_min},
      buffers_(arena, buffer_bytes),
      index_by_handle_(arena),
      per_address_(arena) {
  table_ = take_table(checked_limit(max_connections));
  max_connections_.add(max_connections);
}

SocketPool::~SocketPool() {
  drained_ = nullptr;
  for_each([this](Connection& connection) { remove(connection); });
}

void SocketPool::start(net::Worker& worker, ConnectionHandler& handler) {
  STADION_ASSERT(worker_ == nullptr);
  worker_ = &worker;
  handler_ = &handler;
  sweep_timer_.emplace(worker);
  arm_sweep();
  for_each([this](Connection& connection) {
    connection.last_activity_ = now_;
    connection.socket_.on_hang_up(completion_for<&SocketPool::on_hang_up>(connection));
    tell_handler(connection, &ConnectionHandler::on_open);
  });
}

Connection* SocketPool::add(net::Socket socket) {
  STADION_ASSERT(worker_ == nullptr || worker_->is_current());
  if (size() >= max_connections() || draining_ || resizing_) {
    refused_.increment();
    return nullptr;
  }
  const std::uint64_t client = per_address_max_ > 0 ? client_key(socket.remote_endpoint()) : 0;
  if (client != 0 && !per_address_.add(client, per_address_max_)) {
    refused_.increment();
    return nullptr;
  }
  const int handle = socket.native_handle();
  const std::uint32_t index = table_->take_slot();
  try {
    index_by_handle_.insert_or_assign(handle, index);
  } catch (...) {
    table_->free_slot(index);
    if (client != 0) {
      per_address_.remove(client);
    }
    throw;
  }
  const std::uint64_t generation = ++last_generation_;
  table_->slots[index].generation = generation;
  Connection* memory = table_->connections + index;
  stadion::detail::unpoison(memory, sizeof(Connection));
  auto* connection = ::new (memory) Connection(*this, index, generation, std::move(socket));
  connection->client_key_ = client;
  active_.increment();
  added_.increment();
  peak_.add(size() > peak_.value() ? 1 : 0);
  arm_sweep();
  connection->last_activity_ = now_;
  if (handler_ == nullptr) {
    return connection;
  }
  connection->socket_.on_hang_up(completion_for<&SocketPool::on_hang_up>(*connection));
  tell_handler(*connection, &ConnectionHandler::on_open);
  return lookup(index, generation);
}

Connection* SocketPool::get(int native_handle) noexcept {
  const std::uint32_t* index = index_by_handle_.find(native_handle);
  return index == nullptr ? nullptr : connection_at(*index);
}

void SocketPool::remove(Connection& connection) {
  if (connection.leaving_) {
    return;
  }
  connection.leaving_ = true;
  const std::uint32_t index = connection.index_;
  if (handler_ != nullptr) {
    connection.in_handler_ = true;
    handler_->on_close(connection);
  }
  Connection& gone = table_->connections[index];  // Elsewhere now, if on_close() resized the pool.
  index_by_handle_.erase(gone.socket_.native_handle());
  if (gone.client_key_ != 0) {
    per_address_.remove(gone.client_key_);
  }
  give_back(gone.input_);
  give_back(gone.output_);
  std::destroy_at(&gone);
  stadion::detail::scrub(&gone, sizeof gone);
  table_->free_slot(index);
  active_.subtract(1);
  removed_.increment();
  report_drained();
}

std::error_code SocketPool::resize(std::size_t max_connections) {
  const std::uint32_t limit = checked_limit(max_connections);
  if (limit < size() || resizing_) {
    return std::make_error_code(std::errc::device_or_resource_busy);
  }
  // References name slots, so a connection keeps its slot even where that is beyond a smaller
  // limit.
  Table* table = take_table(std::max(limit, table_->used));
  resizing_ = true;
  if (pre_resize_callback_ != nullptr) {
    pre_resize_callback_(*this, pre_resize_userdata_);
  }
  resizing_ = false;
  move_to_table(*table);
  max_connections_.add(limit - max_connections_.value());
  return {};
}

void SocketPool::set_pre_resize_callback(PreResizeCallback callback, void* userdata) noexcept {
  pre_resize_callback_ = callback;
  pre_resize_userdata_ = userdata;
}

void SocketPool::drain(std::chrono::milliseconds timeout, std::function<void()> drained) {
  if (draining_) {
    return;
  }
  draining_ = true;
  drain_deadline_ = Connection::Clock::now() + net::bounded_delay(timeout);
  drained_ = std::move(drained);
  for_each([this](Connection& connection) {
    if (connection.lingers_) {
      connection.expires_after(linger_time());
    } else if (handler_ != nullptr) {
      tell_handler(connection, &ConnectionHandler::on_drain);
    } else {
      remove(connection);
    }
  });
  report_drained();
}

SocketPoolStatistics SocketPool::statistics() const noexcept {
  return {
      .active = active_.value(),
      .max_connections = max_connections_.value(),
      .peak = peak_.value(),
      .added = added_.value(),
      .removed = removed_.value(),
      .refused = refused_.value(),
      .timed_out = timed_out_.value(),
      .bytes_in = bytes_in_.value(),
      .bytes_out = bytes_out_.value(),
  };
}

void SocketPool::sweep(Connection::Clock::time_point now) {
  now_ = now;
  const bool forced = draining_ && now >= drain_deadline_;
  for_each([this, forced](Connection& connection) {
    if (forced) {
      remove(connection);
    } else {
      sweep_connection(connection);
    }
  });
}

void SocketPool::sweep_connection(Connection& connection) {
  const auto waited = [this](Connection::Clock::time_point since, std::chrono::milliseconds limit) {
    return limit.count() > 0 && now_ - since >= limit;
  };
  const bool is_past_deadline = now_ >= connection.deadline_;
  const bool has_expired = is_past_deadline && !connection.lingers_;
  bool is_over = (is_past_deadline && connection.lingers_) ||
                 (connection.output_idle() && waited(connection.last_activity_, times_.idle));
  if (connection.output_idle()) {
    // What our system still has for the peer is output, too.
    const bool is_being_taken = is_over && is_still_being_taken(connection);
    connection.is_write_timed_ = connection.is_write_timed_ && is_being_taken;
    if (is_being_taken) {
      connection.begin_to_wait_for_room(now_);
      is_over = false;
    }
  }
  const bool stalled = has_stalled(connection);
  if (!has_expired && !is_over && !stalled) {
    return;
  }
  timed_out_.increment();
  if (stalled) {
    connection.socket_.reset_on_close();
  }
  if (stalled || connection.lingers_ || handler_ == nullptr) {
    return remove(connection);
  }
  connection.cancel_expiry();
  connection.last_activity_ = now_;  // A handler that doesn't close gets as much time again.
  tell_handler(connection, &ConnectionHandler::on_timeout);
}

// A stop does not wait for that: the system goes on when the process is gone.
bool SocketPool::is_still_being_taken(const Connection& connection) const noexcept {
  return times_.write_stalled.count() > 0 && !draining_ &&
         connection.socket_.send_queue_bytes() > 0;
}

// By what the peer's system has taken, not by what ours has: there may be megabytes in between.
bool SocketPool::has_stalled(Connection& connection) const noexcept {
  if (!connection.is_write_timed_ || times_.write_stalled.count() == 0) {
    return false;
  }
  const auto taken = [&connection] {
    return connection.sent_ - static_cast<std::int64_t>(connection.socket_.send_queue_bytes());
  };
  if (!connection.has_write_baseline_) {
    connection.has_write_baseline_ = true;
    connection.taken_before_ = taken();
  }
  if (now_ - connection.write_began_ < times_.write_stalled) {
    return false;
  }
  const std::int64_t taken_now = taken();
  const double least = std::chrono::duration<double>(times_.write_stalled).count() *
                       static_cast<double>(times_.write_bytes_per_second_min);
  if (static_cast<double>(taken_now - connection.taken_before_) < std::max(least, 1.0)) {
    return true;
  }
  connection.write_began_ = now_;
  connection.taken_before_ = taken_now;
  return false;
}

Connection* SocketPool::lookup(std::uint32_t index, std::uint64_t generation) noexcept {
  const bool present = index < table_->used && table_->slots[index].generation == generation;
  return present ? table_->connections + index : nullptr;
}

Connection* SocketPool::connection_at(std::uint32_t index) noexcept {
  const bool present = index < table_->used && table_->slots[index].generation != 0;
  return present ? table_->connections + index : nullptr;
}

std::uint32_t SocketPool::slots_used() const noexcept { return table_->used; }

// A spare table from an earlier resize, or a new one: resizing to and fro does not grow the arena.
SocketPool::Table* SocketPool::take_table(std::uint32_t capacity) {
  for (Table** at = &spare_tables_; *at != nullptr; at = &(*at)->next_spare) {
    if ((*at)->capacity >= capacity) {
      return std::exchange(*at, (*at)->next_spare);
    }
  }
  // All the memory first, so that a failure leaves nothing half made.
  void* memory = arena_->alloc(sizeof(Table), alignof(Table));
  const auto slots = static_cast<Table::Slot*>(arena_->alloc(capacity * sizeof(Table::Slot)));
  const auto connections = static_cast<Connection*>(arena_->alloc(capacity * sizeof(Connection)));
  stadion::detail::poison(connections, capacity * sizeof(Connection));
  auto* table =
      ::new (memory) Table{.capacity = capacity, .slots = slots, .connections = connections};
  return table;
}

void SocketPool::move_to_table(Table& table) noexcept {
  Table* old = std::exchange(table_, &table);
  table.used = old->used;
  table.first_free = kNoSlot;
  for (std::uint32_t index = old->used; index-- > 0;) {
    if (old->slots[index].generation == 0) {
      table.free_slot(index);
      continue;
    }
    table.slots[index] = old->slots[index];
    stadion::detail::unpoison(table.connections + index, sizeof(Connection));
    ::new (table.connections + index) Connection(std::move(old->connections[index]));
    std::destroy_at(old->connections + index);
  }
  stadion::detail::scrub(old->connections, old->used * sizeof(Connection));
  old->next_spare = std::exchange(spare_tables_, old);
}

void SocketPool::arm_sweep() {
  if (!sweep_timer_ || sweep_timer_->is_set()) {
    return;
  }
  now_ = Connection::Clock::now();
  const auto sweep_again = [](void* pool) {
    auto* self = static_cast<SocketPool*>(pool);
    self->sweep(Connection::Clock::now());
    if (self->size() > 0) {
      self->arm_sweep();
    }
  };
  sweep_timer_->expires_after(kSweepInterval, {sweep_again, this});
}

void SocketPool::report_drained() {
  if (!draining_ || size() > 0 || drained_ == nullptr) {
    return;
  }
  if (worker_ != nullptr) {
    worker_->post(std::exchange(drained_, nullptr));
  } else {
    std::exchange(drained_, nullptr)();
  }
}

}  // namespace stadion::pool
