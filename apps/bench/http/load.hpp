// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace stadion::bench {

/// What a load consists of: the same request again and again, on connections that stay open.
struct Load {
  std::uint16_t port = 0;
  std::string request{};
  std::size_t connections = 64;
  std::size_t pipeline = 1;  ///< Requests that are sent at once, before their responses are read.
  /// What the response's body has to be, where it is not empty.
  std::string body{};
};

struct LoadFigures {
  double requests_per_second = 0;
  double p50_us = 0;  ///< Of a batch of `pipeline` requests, from its sending to its last byte.
  double p99_us = 0;
};

/// A server that does not do as it should. The text says what it did.
class LoadFailed : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

/// The lightest client that there can be: requests and the number of bytes of their responses are
/// known beforehand, so what comes is counted, and thrown away in the kernel. One thread, which
/// should have a core of its own. What it does not do is to look into each response: the first is
/// read, and all others are to have as many bytes.
///
/// Throws     LoadFailed, for an answer that is no 200 of a known length, another length later on, a
///            connection that ends, or nothing that comes for 30 s.
class LoadGenerator {
 public:
  /// Connects, and makes one request on each connection.
  explicit LoadGenerator(Load load);
  ~LoadGenerator();

  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;

  /// Keeps every connection busy for that long.
  LoadFigures run_for(std::chrono::duration<double> time);
  /// Sends a batch on every connection, then waits for all responses; so many times. The server has
  /// the same to do each time, which is what exact counts want.
  void run_rounds(std::size_t rounds);

 private:
  struct Connection;
  struct Clients;

  Clients* clients_;
};

}  // namespace stadion::bench
