// SPDX-License-Identifier: MIT
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <system_error>

#include "net/descriptor.hpp"
#include "net/operation_memory.hpp"

namespace asio {
class io_context;
}

namespace stadion::net::detail {

/// Who is told what has become possible on a descriptor of an EventSet.
class EventSource {
 public:
  EventSource() noexcept = default;

  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  /// epoll's EPOLLIN, EPOLLOUT and so on, of what has changed; 0 after defer(). May remove any
  /// source, this one too.
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EventSource() = default;

 private:
  friend class EventSet;

  EventSource* previous_ = nullptr;  ///< In the list of those that are deferred.
  EventSource* next_ = nullptr;
  std::uint32_t deferred_in_ = 0;  ///< The turn; 0 when it is not.
};

/// The descriptors of one Worker that are read and written, in an epoll set of their own, which Asio
/// watches as one descriptor among its others. Internal to net/.
///
/// Asio's own way costs some 2,000 instructions for a read and a write: operations are made, queued
/// and looked up for each, and a read is tried before there is anything to read. Here a descriptor
/// is registered once, for changes (edge-triggered), and an event is a call. The price is one
/// epoll_wait() more at each turn of the loop in which there were any, whatever their number. Asio's
/// timers, posts and the operations of others go on as ever, on the same thread, between the turns.
///
/// Lifetime   Outlives the io_context and its handlers, which may own sources; detach() comes first.
/// Threads    The loop's alone, but for stop().
/// Limits     128 events per turn, and as many that are deferred; the others have theirs in the next.
class EventSet {
 public:
  EventSet();
  ~EventSet();

  EventSet(const EventSet&) = delete;
  EventSet& operator=(const EventSet&) = delete;

  void attach(asio::io_context& context);
  /// From here on sources can still be removed, but none is told anything.
  void detach() noexcept;

  /// Watches a descriptor for everything, until remove(). What is so already is told, too. An error
  /// of epoll_ctl() otherwise.
  std::error_code add(int descriptor, EventSource& source) noexcept;
  /// The source is told nothing more.
  void remove(int descriptor, EventSource& source) noexcept;
  /// Calls the source's on_events(0) in the next turn, or where many are deferred in one of those behind.
  void defer(EventSource& source);

  /// The loop is to stop: what has not been told yet waits until go_on(). From any thread.
  void stop() noexcept { is_stopped_.store(true, std::memory_order_relaxed); }
  void go_on();

  /// For what is made and ended together with a source.
  RecycledMemory& memory() noexcept { return memory_; }

 private:
  struct AsioSide;

  static constexpr std::size_t kEventsAtOnce = 128;

  bool has_more() const noexcept;
  void schedule();
  void dispatch();
  void unlink(EventSource& source) noexcept;

  RecycledMemory memory_;
  Descriptor epoll_;
  std::unique_ptr<AsioSide> asio_;
  std::atomic<bool> is_stopped_ = false;
  bool is_scheduled_ = false;
  bool is_ready_ = false;  ///< There are events to be fetched.

  std::array<epoll_event, kEventsAtOnce> events_;  ///< From next_ to count_ not told yet.
  std::size_t next_ = 0;
  std::size_t count_ = 0;

  std::uint32_t turn_ = 1;
  EventSource* first_deferred_ = nullptr;
  EventSource* last_deferred_ = nullptr;
};

}  // namespace stadion::net::detail
