// SPDX-License-Identifier: MIT
#include "net/event_set.hpp"

#include "net/asio.hpp"

// What io_context.hpp includes in an order of its own.
#include <asio/detail/reactor.hpp>
#include <asio/detail/reactor_op.hpp>
#include <asio/detail/scheduler.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/finally.hpp"

namespace stadion::net::detail {

// Asio has no public way to wait for a descriptor again and again without a system call each time.
// This is how it waits for its own signals, by operations of its reactor as they are in 1.22.
struct EventSet::AsioSide {
  /// Is done at each change, and waits for the next at once: as what it tells of is exhausted (all
  /// is told only once, edge-triggered), Asio makes no system call for that.
  struct Ready final : asio::detail::reactor_op {
    explicit Ready(EventSet& event_set)
        : reactor_op(asio::error_code(), &perform, &run), set(event_set) {}
    static status perform(reactor_op* /*op*/) { return done_and_exhausted; }
    static void run(void* loop, asio::detail::operation* op, const asio::error_code&, std::size_t) {
      if (loop != nullptr) {  // Else the io_context is being destroyed.
        auto* self = static_cast<Ready*>(op);
        self->set.asio_->wait_again();
        self->set.is_ready_ = true;
        self->set.dispatch();
      }
    }
    EventSet& set;
  };

  /// What is run by the loop, as any other handler is.
  struct Dispatch final : asio::detail::operation {
    explicit Dispatch(EventSet& event_set) : asio::detail::operation(&run), set(event_set) {}
    static void run(void* loop, asio::detail::operation* op, const asio::error_code&, std::size_t) {
      if (loop != nullptr) {
        EventSet& set = static_cast<Dispatch*>(op)->set;
        set.is_scheduled_ = false;
        set.dispatch();
      }
    }
    EventSet& set;
  };

  AsioSide(EventSet& set, asio::io_context& context)
      : reactor(asio::use_service<asio::detail::reactor>(context)),
        scheduler(asio::use_service<asio::detail::scheduler>(context)),
        descriptor(set.epoll_.get()),
        ready(set),
        dispatch(set) {
    reactor.init_task();
    const int error = reactor.register_internal_descriptor(asio::detail::reactor::read_op,
                                                           descriptor, data, &ready);
    if (error != 0) {
      throw std::system_error(error, std::system_category(), "cannot watch an epoll set");
    }
  }

  void wait_again() {
    constexpr bool kContinues = true;
    constexpr bool kTriesAtOnce = true;  // Not so: it was exhausted. But without, there is a call.
    reactor.start_op(asio::detail::reactor::read_op, descriptor, data, &ready, kContinues,
                     kTriesAtOnce);
  }

  asio::detail::reactor& reactor;
  asio::detail::scheduler& scheduler;
  int descriptor;
  asio::detail::reactor::per_descriptor_data data{};
  Ready ready;
  Dispatch dispatch;
};

EventSet::EventSet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) {
    throw std::system_error(errno, std::system_category(), "cannot make an epoll set");
  }
}

EventSet::~EventSet() = default;

void EventSet::attach(asio::io_context& context) {
  asio_ = std::make_unique<AsioSide>(*this, context);
}

void EventSet::detach() noexcept {
  stop();
  asio_->reactor.deregister_internal_descriptor(epoll_.get(), asio_->data);
  asio_->reactor.cleanup_descriptor_data(asio_->data);
}

std::error_code EventSet::add(int descriptor, EventSource& source) noexcept {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &source}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return {errno, std::system_category()};
  }
  return {};
}

void EventSet::remove(int descriptor, EventSource& source) noexcept {
  // Though close() would do it: not where another process has inherited the descriptor.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &source) {
      events_[i].data.ptr = nullptr;
    }
  }
  if (source.deferred_in_ != 0) {
    unlink(source);
  }
}

void EventSet::defer(EventSource& source) {
  if (source.deferred_in_ != 0) {
    return;
  }
  source.deferred_in_ = turn_;
  source.previous_ = last_deferred_;
  (last_deferred_ == nullptr ? first_deferred_ : last_deferred_->next_) = &source;
  last_deferred_ = &source;
  schedule();
}

void EventSet::go_on() {
  is_stopped_.store(false, std::memory_order_relaxed);
  if (has_more()) {
    schedule();
  }
}

bool EventSet::has_more() const noexcept {
  return is_ready_ || next_ < count_ || first_deferred_ != nullptr;
}

void EventSet::schedule() {
  if (!std::exchange(is_scheduled_, true)) {
    asio_->scheduler.post_immediate_completion(&asio_->dispatch, true);
  }
}

void EventSet::dispatch() {
  // However this ends, an exception of a source included: a change is told by the system only once.
  const auto go_on = finally([this] {
    if (has_more() && !is_stopped_.load(std::memory_order_relaxed)) {
      schedule();
    }
  });
  // Those that are deferred from here on are not meant yet, nor all of many: a thousand whose peers take
  // little at a time would keep the others from being heard.
  turn_ = std::max(turn_ + 1, 1U);
  for (std::size_t told = 0;
       told < kEventsAtOnce && first_deferred_ != nullptr &&
       first_deferred_->deferred_in_ != turn_ && !is_stopped_.load(std::memory_order_relaxed);
       ++told) {
    EventSource& source = *first_deferred_;
    unlink(source);
    source.on_events(0);
  }
  if (next_ == count_ && is_ready_) {
    const int count = ::epoll_wait(epoll_.get(), events_.data(), kEventsAtOnce, 0);
    next_ = 0;
    count_ = static_cast<std::size_t>(std::max(count, 0));
    is_ready_ = count_ == kEventsAtOnce || count < 0;  // There are none, for the moment.
  }
  while (next_ < count_ && !is_stopped_.load(std::memory_order_relaxed)) {
    const epoll_event& event = events_[next_++];
    if (event.data.ptr != nullptr) {
      static_cast<EventSource*>(event.data.ptr)->on_events(event.events);
    }
  }
}

void EventSet::unlink(EventSource& source) noexcept {
  (source.previous_ == nullptr ? first_deferred_ : source.previous_->next_) = source.next_;
  (source.next_ == nullptr ? last_deferred_ : source.next_->previous_) = source.previous_;
  source.previous_ = source.next_ = nullptr;
  source.deferred_in_ = 0;
}

}  // namespace stadion::net::detail
