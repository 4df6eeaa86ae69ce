// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <system_error>

#include "core/arena.hpp"
#include "core/block_pool.hpp"
#include "core/counter.hpp"
#include "core/hash_table.hpp"
#include "net/socket.hpp"
#include "net/timer.hpp"
#include "net/worker.hpp"
#include "pool/address_counts.hpp"
#include "pool/connection.hpp"

namespace stadion::pool {

/// How often a pool looks for connections whose time has come.
inline constexpr std::chrono::milliseconds kSweepInterval{250};

/// For the first two times, zero means no limit; each is taken as net::bounded_delay() has it. As long as
/// our system still has something for the peer, write_stalled counts, not idle or linger.
struct SocketPoolTimes {
  /// A connection on which no byte came or went for so long is timed out. Default is none.
  std::chrono::milliseconds idle{0};
  /// A peer that takes fewer than write_bytes_per_second_min of waiting output for so long is
  /// disconnected. Default is 30 s.
  std::chrono::milliseconds write_stalled{30'000};
  /// How long to wait for the peer's end after we ended our side; zero closes at once. Default is
  /// 2 s, and half a second at the most while draining.
  std::chrono::milliseconds linger{2'000};
  /// On the average of write_stalled; one byte at the least. Default is 1 KiB.
  std::size_t write_bytes_per_second_min = 1024;
};

/// Numbers since the pool was made, but for the first three.
struct SocketPoolStatistics {
  std::uint64_t active = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t peak = 0;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t refused = 0;    ///< The pool was full or draining, or the client had too many.
  std::uint64_t timed_out = 0;  ///< Idle, past their expiry, or stalled in writing.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  SocketPoolStatistics& operator+=(const SocketPoolStatistics& other) noexcept;
};

/// The connections of one Worker, whose buffers are carved from a shared arena: the document's
/// connection pool.
///
///     Arena arena;
///     SocketPool pool(arena, 1000, 4096);
///     pool.start(worker, handler);  // Reads, writes and keeps the time on the handler's behalf.
///     Listener listener(worker, endpoint, [&](Socket socket) { pool.add(std::move(socket)); });
///
/// Without start() it holds connections and does no I/O. A connection has buffers only while there
/// is something in them, so one that is idle costs little; they are recycled within the pool. Thus
/// adding and removing for ever does not grow the arena, whose size is bounded by the most
/// connections and the most buffers there were at a time.
///
/// Lifetime   The arena outlives it; `arena.make<SocketPool>(arena, …)` has dispose() free pool and
///            buffers together. Destroying it closes every connection, on_close() included.
/// Threads    The Worker's alone after start(); statistics() from any thread.
/// Limits     max_connections is from 1 to 2^24; with so many, add() refuses. buffer_bytes each for
///            input and output.
/// Throws     ArenaFailed when the arena is short of memory, std::invalid_argument for a
///            max_connections out of range; the pool is then as it was. A connection for which there
///            is no buffer when it needs one is closed, see ConnectionHandler::on_no_memory().
/// Source     Document Pattern 2 "Pool with Shared Arena", Rule 3 "Handle Pool Resize Carefully".
class SocketPool {
 public:
  /// Must not throw.
  using PreResizeCallback = void (*)(SocketPool& pool, void* userdata);

  SocketPool(Arena& arena, std::size_t max_connections, std::size_t buffer_bytes,
             SocketPoolTimes times = {});
  ~SocketPool();

  SocketPool(const SocketPool&) = delete;
  SocketPool& operator=(const SocketPool&) = delete;

  /// From here on the pool reads from its connections, tells the handler, sends what it wrote, and
  /// watches the time. Both outlive the pool. Once.
  void start(net::Worker& worker, ConnectionHandler& handler);

  /// Takes the socket. Null when the pool is full, draining or being resized, or the client has as
  /// many connections as it may: the socket is then closed.
  Connection* add(net::Socket socket);
  /// The connection of a socket's native handle, or null.
  Connection* get(int native_handle) noexcept;
  /// The first connection that `matches(Connection&)` is true of, or null.
  template <class Predicate>
  Connection* find(Predicate&& matches);
  /// Closes the connection and takes its buffers back.
  void remove(Connection& connection);

  /// Calls `visit(Connection&)` for every connection; it may remove or close the one it is given.
  template <class Visit>
  void for_each(Visit&& visit);

  /// Changes the limit. Connections may move in memory: first the callback is called, then every
  /// Connection pointer is invalid (and poisoned under AddressSanitizer), while each ConnectionRef
  /// stays good. An error, and nothing has happened, when there are more connections than that
  /// already.
  std::error_code resize(std::size_t max_connections);
  /// The place to forget cached Connection pointers (document Rule 3).
  void set_pre_resize_callback(PreResizeCallback callback, void* userdata) noexcept;

  /// How many connections one client may have here: an IPv4 address, an IPv6 network of 64 bits. Those
  /// that are added from here on are counted; for those that a proxy passes on it is the proxy's. 0 for
  /// no limit, the default.
  void set_connections_per_address_max(std::size_t count) noexcept { per_address_max_ = count; }

  /// Refuses new connections, tells the handler of each present one with on_drain(), and after
  /// `timeout` closes what is left. Calls `drained`, from the Worker's loop, when none is left.
  /// A second call changes nothing.
  void drain(std::chrono::milliseconds timeout, std::function<void()> drained);
  bool is_draining() const noexcept { return draining_; }

  std::size_t size() const noexcept { return static_cast<std::size_t>(active_.value()); }
  std::size_t max_connections() const noexcept {
    return static_cast<std::size_t>(max_connections_.value());
  }
  std::size_t buffer_bytes() const noexcept { return buffer_bytes_; }
  SocketPoolStatistics statistics() const noexcept;

  /// Times out what is due at `now`, and closes what its peer has reset meanwhile. The pool does
  /// this by itself after start(); for tests, with a time of their own.
  void sweep(Connection::Clock::time_point now);
  /// The time of the last sweep: coarse, and free to read.
  Connection::Clock::time_point now() const noexcept { return now_; }

 private:
  friend class Connection;
  friend class ConnectionRef;

  static constexpr unsigned kIndexBits = 24;
  static constexpr std::size_t kConnectionsMax = std::size_t{1} << kIndexBits;

  struct Table;

  static std::uint32_t checked_limit(std::size_t max_connections);
  Connection* lookup(std::uint32_t index, std::uint64_t generation) noexcept;
  Connection* connection_at(std::uint32_t index) noexcept;
  std::uint32_t slots_used() const noexcept;
  Table* take_table(std::uint32_t capacity);
  void move_to_table(Table& table) noexcept;

  /// Whether output is sent at once, or in the loop's next turn.
  enum class Sending : bool { now, later };

  template <void (SocketPool::*Told)(Connection&)>
  net::IoCompletion completion_for(const Connection& connection) noexcept;
  void on_readable(Connection& connection);
  void discard_input(Connection& connection);
  void on_writable(Connection& connection);
  void on_hang_up(Connection& connection);
  static void log_file_failure(const Connection& connection, const std::error_code& error);
  void tell_handler(Connection& connection, void (ConnectionHandler::*function)(Connection&));
  void move_on(Connection& connection, Sending sending);
  void wait_for_input(Connection& connection);
  void wait_for_room(Connection& connection);
  void wait_writable(Connection& connection);
  bool send(Connection& connection);
  bool ensure_memory(Connection& connection, Connection::Buffer& buffer) noexcept {
    if (buffer.memory == nullptr) {
      buffer.memory = static_cast<char*>(buffers_.acquire_released());
    }
    return buffer.memory != nullptr || carve_memory(connection, buffer);
  }
  bool carve_memory(Connection& connection, Connection::Buffer& buffer) noexcept;
  void give_back(Connection::Buffer& buffer) noexcept;
  void begin_linger(Connection& connection);
  std::chrono::milliseconds linger_time() const noexcept;
  void sweep_connection(Connection& connection);
  bool is_still_being_taken(const Connection& connection) const noexcept;
  bool has_stalled(Connection& connection) const noexcept;
  void arm_sweep();
  void report_drained();

  Arena* arena_;
  std::size_t buffer_bytes_;
  SocketPoolTimes times_;
  net::Worker* worker_ = nullptr;
  ConnectionHandler* handler_ = nullptr;
  std::optional<net::Timer> sweep_timer_;

  Table* table_ = nullptr;
  Table* spare_tables_ = nullptr;
  BlockPool buffers_;
  HashTable<int, std::uint32_t> index_by_handle_;
  AddressCounts per_address_;
  std::size_t per_address_max_ = 0;
  std::uint64_t last_generation_ = 0;
  Connection::Clock::time_point now_{};

  PreResizeCallback pre_resize_callback_ = nullptr;
  void* pre_resize_userdata_ = nullptr;
  bool resizing_ = false;

  bool draining_ = false;
  Connection::Clock::time_point drain_deadline_ = Connection::Clock::time_point::max();
  std::function<void()> drained_;

  Counter active_;
  Counter max_connections_;
  Counter peak_;
  Counter added_;
  Counter removed_;
  Counter refused_;
  Counter timed_out_;
  Counter bytes_in_;
  Counter bytes_out_;
};

template <class Predicate>
Connection* SocketPool::find(Predicate&& matches) {
  for (std::uint32_t index = 0; index < slots_used(); ++index) {
    Connection* connection = connection_at(index);
    if (connection != nullptr && matches(*connection)) {
      return connection;
    }
  }
  return nullptr;
}

template <class Visit>
void SocketPool::for_each(Visit&& visit) {
  for (std::uint32_t index = 0; index < slots_used(); ++index) {
    if (Connection* connection = connection_at(index)) {
      visit(*connection);
    }
  }
}

template <void (SocketPool::*Told)(Connection&)>
net::IoCompletion SocketPool::completion_for(const Connection& connection) noexcept {
  // By slot and generation: the connection may have moved by the time that it is told.
  const auto tell = [](void* pool, std::uint64_t tag, std::error_code, std::size_t) {
    auto* self = static_cast<SocketPool*>(pool);
    const auto index = static_cast<std::uint32_t>(tag & (kConnectionsMax - 1));
    if (Connection* told = self->lookup(index, tag >> kIndexBits)) {
      (self->*Told)(*told);
    }
  };
  return {tell, this, (connection.generation_ << kIndexBits) | connection.index_};
}

}  // namespace stadion::pool
