// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/http_client.hpp"

namespace stadion::tests {

/// Clients that ask for /plaintext without a pause until it ends, and go on by a new connection where the
/// server said that it closes the old one. A request fails unless it is answered with 200, but for one
/// that RFC 9112 section 9.3.1 has clients repeat: on a connection that was used before and ended in order,
/// without a byte of a response.
class SteadyLoad {
 public:
  enum class Connections { kept, one_per_request };

  SteadyLoad(const net::Endpoint& endpoint, std::size_t clients, Connections connections) {
    for (std::size_t i = 0; i < clients; ++i) {
      threads_.emplace_back([this, endpoint, connections] { run(endpoint, connections); });
    }
  }
  ~SteadyLoad() { end(); }

  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  void end() {
    is_over_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

  std::size_t answered() const noexcept { return answered_; }
  std::size_t repeated() const noexcept { return repeated_; }
  /// What went wrong, a line each.
  std::string failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  void run(const net::Endpoint& endpoint, Connections connections) {
    const std::string request =
        "GET /plaintext HTTP/1.1\r\nHost: t\r\n" +
        std::string(connections == Connections::kept ? "" : "Connection: close\r\n") + "\r\n";
    std::optional<HttpClient> client;
    bool was_used = false;
    while (!is_over_) {
      try {
        if (!client.has_value()) {
          client.emplace(endpoint);
          was_used = false;
        }
        const HttpResponse response = client->exchange(request);
        if (response.status == 200 && response.is_complete) {
          ++answered_;
          was_used = true;
          if (response.field("Connection") == "close") {
            client.reset();
          }
        } else if (response.head.empty() && was_used && !client->was_reset()) {
          ++repeated_;
          client.reset();
        } else {
          fail("status " + std::to_string(response.status) +
               (client->was_reset() ? ", reset" : ", ended") + (was_used ? ", used" : ", new"));
          client.reset();
        }
      } catch (const std::exception& error) {
        fail(error.what());
        client.reset();
      }
    }
  }

  void fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    failures_ += what + "\n";
  }

  std::atomic<bool> is_over_ = false;
  std::atomic<std::size_t> answered_ = 0;
  std::atomic<std::size_t> repeated_ = 0;
  mutable std::mutex mutex_;
  std::string failures_;
  std::vector<std::thread> threads_;
};

}  // namespace stadion::tests
