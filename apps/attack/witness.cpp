// SPDX-License-Identifier: MIT
#include "apps/attack/witness.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "apps/bench/machine.hpp"

namespace stadion::attack {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLoadCore = 1;
constexpr std::chrono::milliseconds kPause{2};
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};
constexpr std::string_view kRequest = "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n";
constexpr std::string_view kBody = "\r\n\r\nHello, World!";

}  // namespace

/// Comes anew when it is told that the server closes.
class Witness::Connection {
 public:
  explicit Connection(std::uint16_t port) : port_(port) {}
  ~Connection() { close(); }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// What is wrong with the answer; empty when nothing is.
  std::string ask() {
    if (socket_ < 0 && !connect()) {
      return std::string("cannot connect: ") + std::strerror(errno);
    }
    std::string answer;
    const ssize_t sent = ::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    while (sent > 0 && !answer.ends_with(kBody)) {
      char bytes[4096];
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) {
        const int error = got < 0 ? errno : 0;
        close();
        return error != 0 ? std::strerror(error) : "ended with '" + answer.substr(0, 60) + "'";
      }
      answer.append(bytes, static_cast<std::size_t>(got));
    }
    const bool is_right = answer.starts_with("HTTP/1.1 200 ");
    if (!is_right || answer.find("Connection: close") != std::string::npos) {
      close();
    }
    return is_right ? std::string() : "answered '" + answer.substr(0, 60) + "'";
  }

  void close() {
    if (socket_ >= 0) {
      ::close(socket_);
      socket_ = -1;
    }
  }

 private:
  bool connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(port_);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0) {
      return true;
    }
    close();
    return false;
  }

  std::uint16_t port_;
  int socket_ = -1;
};

Witness::Witness(std::uint16_t port) : thread_([this, port] { run(port); }) {}

Witness::~Witness() { stop(); }

Testimony Witness::stop() {
  is_over_ = true;
  if (thread_.joinable()) {
    thread_.join();
    std::sort(latencies_us_.begin(), latencies_us_.end());
    testimony_.requests = latencies_us_.size() + testimony_.errors;
    if (!latencies_us_.empty()) {
      testimony_.p99_us = latencies_us_[latencies_us_.size() * 99 / 100];
      testimony_.max_us = latencies_us_.back();
    }
  }
  return testimony_;
}

void Witness::run(std::uint16_t port) {
  bench::pin_this_thread(kLoadCore);
  Connection kept(port);
  while (!is_over_) {
    ask(kept);
    Connection single(port);
    ask(single);
    std::this_thread::sleep_for(kPause);
  }
}

void Witness::ask(Connection& connection) {
  const Clock::time_point begin = Clock::now();
  const std::string error = connection.ask();
  if (error.empty()) {
    latencies_us_.push_back(
        std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    return;
  }
  ++testimony_.errors;
  if (testimony_.first_error.empty()) {
    testimony_.first_error = error;
  }
}

}  // namespace stadion::attack
