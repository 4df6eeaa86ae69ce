// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <asio/io_context.hpp>
#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/descriptor.hpp"
#include "net/worker.hpp"
#include "tests/fuzz/expect.hpp"

namespace stadion::tests {

/// A Worker and its clients on one thread: each input has the same outcome every time.
class Loopback {
 public:
  net::Worker& worker() noexcept { return worker_; }

  /// Sends the pieces, each when the last one was dealt with, and then the end. Answers all that comes
  /// until the other side ends, which it must.
  std::string talk(net::Descriptor client, const std::vector<std::string_view>& pieces) {
    std::string received;
    bool is_open = true;
    for (std::string_view piece : pieces) {
      while (!piece.empty() && is_open) {
        const ssize_t sent =
            ::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        piece.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
        run_ready();
        is_open = receive(client.get(), received) && (sent > 0 || errno == EAGAIN);
      }
    }
    ::shutdown(client.get(), SHUT_WR);
    for (int turns = 0; receive(client.get(), received); ++turns) {
      expect(turns < 10'000, "the other side ends");
      run_ready();
    }
    client.close();
    run_ready();
    return received;
  }

  /// Whatever is ready, and what that makes ready.
  void run_ready() {
    turns_ = 0;
    worker_.post([this] { turn(); });
    worker_.io_context().restart();  // A Worker's loop runs once; this one again and again.
    worker_.run();
  }

 private:
  static constexpr int kTurns = 4;

  void turn() {
    if (++turns_ == kTurns) {
      worker_.stop();
    } else {
      worker_.post([this] { turn(); });
    }
  }

  /// False when the end has come.
  static bool receive(int client, std::string& received) {
    char bytes[16 * 1024];
    for (;;) {
      const ssize_t got = ::recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got <= 0) {
        return got < 0 && errno == EAGAIN;
      }
      received.append(bytes, static_cast<std::size_t>(got));
    }
  }

  net::Worker worker_{"fuzz"};
  int turns_ = 0;
};

}  // namespace stadion::tests
