// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace stadion::attack {

/// What a client saw.
struct Testimony {
  std::size_t requests = 0;
  std::size_t errors = 0;
  double p99_us = 0;
  double max_us = 0;
  std::string first_error{};
};

/// A client that means no harm: it asks for /plaintext some 500 times a second, every second time on a new
/// connection, and wants a 200 with the right text.
class Witness {
 public:
  explicit Witness(std::uint16_t port);
  ~Witness();

  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  Testimony stop();

 private:
  class Connection;

  void run(std::uint16_t port);
  void ask(Connection& connection);

  std::atomic<bool> is_over_ = false;
  std::vector<double> latencies_us_;
  Testimony testimony_;
  std::thread thread_;
};

}  // namespace stadion::attack
