// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <asio/io_context.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/socket.hpp"
#include "net/worker.hpp"
#include "tests/support/counted_news.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/temporary_file.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::net {
namespace {

using tests::ConnectedPair;
using tests::news_in;

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

/// Sends a file again and again to a socket of the same loop, whose reader is slower.
class FileSender {
 public:
  FileSender(Socket& from, Socket& to, int file, std::size_t bytes, Worker& worker)
      : from_(&from), to_(&to), file_(file), bytes_(bytes), loop_(&worker.io_context()) {
    read();
  }

  void send(int times) {
    times_left_ = times;
    send_rest();
    while (times_left_ > 0 && loop_->run_one_for(tests::kDeadline) > 0) {
    }
  }
  bool is_over() const noexcept { return times_left_ == 0; }
  std::size_t calls() const noexcept { return calls_; }

 private:
  void read() { to_->async_read_some(buffer_, {on_read, this, 0}); }
  void send_rest() {
    from_->async_send_file_some(file_, sent_, bytes_ - sent_, {on_sent, this, 0});
  }
  static void on_read(void* sender, std::uint64_t /*tag*/, std::error_code /*error*/,
                      std::size_t /*bytes*/) {
    static_cast<FileSender*>(sender)->read();
  }
  static void on_sent(void* sender, std::uint64_t /*tag*/, std::error_code error,
                      std::size_t bytes) {
    auto* self = static_cast<FileSender*>(sender);
    REQUIRE(!error);
    ++self->calls_;
    self->sent_ += bytes;
    if (self->sent_ == self->bytes_) {
      self->sent_ = 0;
      --self->times_left_;
    }
    if (self->times_left_ > 0) {
      self->send_rest();
    }
  }

  Socket* from_;
  Socket* to_;
  int file_;
  std::size_t bytes_;
  std::size_t sent_ = 0;
  std::size_t calls_ = 0;
  asio::io_context* loop_;
  std::array<char, 16 * 1024> buffer_{};
  int times_left_ = 0;
};

TEST_CASE("socket: sending from a file allocates nothing, whether it waits for room or not") {
  Worker worker;
  const ConnectedPair pair = ConnectedPair::local();
  Socket left(worker, ::fcntl(pair.ours.get(), F_DUPFD_CLOEXEC, 0));
  Socket right(worker, ::fcntl(pair.peer.native_handle(), F_DUPFD_CLOEXEC, 0));
  const std::string text = tests::patterned_text(1024 * 1024);
  const tests::TemporaryFile file(text);
  FileSender sender(left, right, file.descriptor(), text.size(), worker);
  sender.send(2);
  CHECK(news_in([&sender] { sender.send(20); }) == 0);
  CHECK(sender.is_over());
  CHECK(sender.calls() > 2 * 22);  // So it has waited.
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
