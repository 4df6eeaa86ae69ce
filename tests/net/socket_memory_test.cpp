// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>

#include "core/finally.hpp"
#include "net/socket.hpp"
#include "net/worker.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/test_loop.hpp"

// This program's operator new counts while it is told to; the array and nothrow forms come to
// these. Not inlined: GCC would warn of a free() that it takes for operator new's.
namespace {

std::atomic<bool> counts_news{false};
std::atomic<std::size_t> news{0};

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  if (counts_news.load(std::memory_order_relaxed)) {
    news.fetch_add(1, std::memory_order_relaxed);
  }
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes) != 0) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return counted_allocation(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return ::operator new(bytes); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return ::operator new(bytes, alignment);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/,
                                         std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

namespace stadion::net {
namespace {

using tests::ConnectedPair;

/// How often the function calls operator new, on any thread.
template <class Function>
std::size_t news_in(Function&& function) {
  news = 0;
  counts_news = true;
  const auto stop_counting = finally([] { counts_news = false; });
  function();
  return news;
}

/// Two sockets that throw a ball to and fro, each with a gather write, until `rounds` are over.
class Rally {
 public:
  Rally(Socket& left, Socket& right, Worker& worker)
      : players_{&left, &right}, loop_(&worker.io_context()) {
    read_at(0);
    read_at(1);
  }

  void play(int rounds) {
    rounds_left_ = rounds;
    write_at(0);
    while (rounds_left_ > 0 && loop_->run_one_for(tests::kDeadline) > 0) {
    }
  }
  bool is_over() const noexcept { return rounds_left_ == 0; }

 private:
  void read_at(std::size_t player) {
    players_[player]->async_read_some(buffers_[player], {on_read, this, player});
  }
  void write_at(std::size_t player) {
    // Alternately in one part and in two: they are different operations.
    const std::string_view second = rounds_left_ % 2 == 0 ? "ll" : "";
    players_[player]->async_write_some("ba", second, {on_written, this, player});
  }
  static void on_written(void* /*rally*/, std::uint64_t /*player*/, std::error_code /*error*/,
                         std::size_t /*bytes*/) {}
  static void on_read(void* rally, std::uint64_t player, std::error_code /*error*/,
                      std::size_t /*bytes*/) {
    auto* self = static_cast<Rally*>(rally);
    self->read_at(player);
    if (--self->rounds_left_ > 0) {
      self->write_at(player);
    }
  }

  std::array<Socket*, 2> players_;
  asio::io_context* loop_;
  std::array<std::array<char, 16>, 2> buffers_{};
  int rounds_left_ = 0;
};

TEST_CASE("socket: the count of heap allocations sees one") {
  CHECK(news_in([] { ::operator delete(::operator new(100)); }) == 1);
  // Called by name: a new expression could be left out by the compiler.
  CHECK(news_in([] { ::operator delete[](::operator new[](100)); }) == 1);
}

TEST_CASE("socket: no operation allocates from the heap") {
  Worker worker;
  const ConnectedPair pair = ConnectedPair::local();
  Socket left(worker, ::fcntl(pair.ours.get(), F_DUPFD_CLOEXEC, 0));
  Socket right(worker, ::fcntl(pair.peer.native_handle(), F_DUPFD_CLOEXEC, 0));
  Rally rally(left, right, worker);
  rally.play(10);
  CHECK(news_in([&rally] { rally.play(1'000); }) == 0);
  CHECK(rally.is_over());
}

}  // namespace
}  // namespace stadion::net
