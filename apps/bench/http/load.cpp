// SPDX-License-Identifier: MIT
#include "apps/bench/http/load.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace stadion::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPatienceMs = 30'000;
constexpr std::size_t kLatencyMaxUs = 1'000'000;

[[noreturn]] void fail(const std::string& what) { throw LoadFailed(what); }
[[noreturn]] void fail_with_errno(const std::string& what) {
  fail(what + ": " + std::strerror(errno));
}

int connect_to(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (descriptor < 0 ||
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(descriptor);
    errno = error;
    fail_with_errno("cannot connect");
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

void wait_for(int descriptor, short events) {
  pollfd waited{.fd = descriptor, .events = events, .revents = 0};
  if (poll(&waited, 1, kPatienceMs) != 1) {
    fail("the server did nothing for 30 s");
  }
}

/// How often how long, in microseconds.
class Latencies {
 public:
  void add(Clock::duration time) noexcept {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    ++counts_[std::min(static_cast<std::size_t>(us), kLatencyMaxUs)];
    ++total_;
  }
  double percentile(double part) const noexcept {
    auto left = static_cast<std::uint64_t>(part * static_cast<double>(total_));
    for (std::size_t us = 0; us < counts_.size(); ++us) {
      if (counts_[us] > left) {
        return static_cast<double>(us);
      }
      left -= counts_[us];
    }
    return kLatencyMaxUs;
  }

 private:
  std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(kLatencyMaxUs + 1);
  std::uint64_t total_ = 0;
};

/// The bytes of a response's head and body together, by its Content-Length.
std::size_t response_bytes_of(std::string_view head, std::size_t head_bytes) {
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view label = "\r\ncontent-length:";
  const std::size_t at = lower.find(label);
  if (!lower.starts_with("http/1.1 200") || at == std::string::npos) {
    fail("the server answered: " + std::string(head.substr(0, 200)));
  }
  const char* digits = lower.data() + lower.find_first_not_of(' ', at + label.size());
  std::size_t length = 0;
  std::from_chars(digits, lower.data() + lower.size(), length);
  return head_bytes + length;
}

}  // namespace

struct LoadGenerator::Connection {
  int descriptor = -1;
  std::size_t to_send = 0;
  std::size_t to_receive = 0;
  bool waits_for_room = false;
  Clock::time_point sent{};
};

struct LoadGenerator::Clients {
  Load load;
  std::string batch{};
  std::size_t response_bytes = 0;
  std::vector<Connection> connections{};
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::array<char, 256 * 1024> buffer{};

  ~Clients() {
    for (const Connection& connection : connections) {
      close(connection.descriptor);
    }
    close(epoll);
  }

  /// Sends one request and reads the whole response, to know how long it is.
  void read_first_response(int descriptor) {
    send_all(descriptor, load.request);
    std::string text;
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
      receive(descriptor, text);
    }
    response_bytes = response_bytes_of(std::string_view(text).substr(0, end), end + 4);
    while (text.size() < response_bytes) {
      receive(descriptor, text);
    }
    if (text.size() > response_bytes ||
        (!load.body.empty() && std::string_view(text).substr(end + 4) != load.body)) {
      fail("the server answered: " + text.substr(0, 400));
    }
  }

  static void send_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        fail_with_errno("cannot send");
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void receive(int descriptor, std::string& text) {
    wait_for(descriptor, POLLIN);
    const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      fail("the server ended the connection after: " + text.substr(0, 400));
    }
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }

  void begin(Connection& connection) {
    connection.to_send = batch.size();
    connection.to_receive = response_bytes * load.pipeline;
    connection.sent = Clock::now();
    go_on_sending(connection);
  }

  void go_on_sending(Connection& connection) {
    while (connection.to_send > 0) {
      const ssize_t sent =
          send(connection.descriptor, batch.data() + batch.size() - connection.to_send,
               connection.to_send, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EAGAIN) {
        return watch(connection, EPOLL_CTL_MOD, true);
      }
      if (sent < 0) {
        fail_with_errno("cannot send");
      }
      connection.to_send -= static_cast<std::size_t>(sent);
    }
    if (connection.waits_for_room) {
      watch(connection, EPOLL_CTL_MOD, false);
    }
  }

  void watch(Connection& connection, int operation, bool for_room) {
    epoll_event event{.events = EPOLLIN | (for_room ? EPOLLOUT : 0U), .data = {.ptr = &connection}};
    if (epoll_ctl(epoll, operation, connection.descriptor, &event) != 0) {
      fail_with_errno("cannot watch a socket");
    }
    connection.waits_for_room = for_room;
  }

  /// Whether the batch is answered. What has come is thrown away in the kernel (MSG_TRUNC).
  bool go_on_receiving(Connection& connection, int flags) {
    const ssize_t size = recv(connection.descriptor, buffer.data(),
                              std::max(connection.to_receive, std::size_t{1}), MSG_TRUNC | flags);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
      return false;
    }
    if (size <= 0) {
      fail("the server ended a connection");
    }
    if (static_cast<std::size_t>(size) > connection.to_receive) {
      fail("the server sent more than it was asked for");
    }
    connection.to_receive -= static_cast<std::size_t>(size);
    return connection.to_receive == 0;
  }
};

LoadGenerator::LoadGenerator(Load load) : clients_(new Clients{.load = std::move(load)}) {
  try {
    for (std::size_t i = 0; i < clients_->load.pipeline; ++i) {
      clients_->batch += clients_->load.request;
    }
    clients_->connections.resize(clients_->load.connections);
    for (Connection& connection : clients_->connections) {
      connection.descriptor = connect_to(clients_->load.port);
      clients_->read_first_response(connection.descriptor);
      clients_->watch(connection, EPOLL_CTL_ADD, false);
    }
  } catch (...) {
    delete clients_;
    throw;
  }
}

LoadGenerator::~LoadGenerator() { delete clients_; }

LoadFigures LoadGenerator::run_for(std::chrono::duration<double> time) {
  Clients& clients = *clients_;
  Latencies latencies;
  std::uint64_t batches = 0;
  std::size_t busy = clients.connections.size();
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::duration_cast<Clock::duration>(time);
  Clock::time_point now = begin;
  for (Connection& connection : clients.connections) {
    clients.begin(connection);
  }
  std::array<epoll_event, 256> events;
  double seconds = 0;
  while (busy > 0) {
    const int count = epoll_wait(clients.epoll, events.data(), events.size(), kPatienceMs);
    if (count == 0) {
      fail("the server did nothing for 30 s");
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) {
        clients.go_on_sending(connection);
      }
      if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) == 0 ||
          !clients.go_on_receiving(connection, MSG_DONTWAIT)) {
        continue;
      }
      now = Clock::now();
      if (now >= end) {
        --busy;  // Too late to be counted.
        seconds = seconds > 0 ? seconds : std::chrono::duration<double>(now - begin).count();
        continue;
      }
      latencies.add(now - connection.sent);
      ++batches;
      clients.begin(connection);
    }
  }
  const auto requests = static_cast<double>(batches * clients.load.pipeline);
  return {requests / seconds, latencies.percentile(0.5), latencies.percentile(0.99)};
}

void LoadGenerator::run_rounds(std::size_t rounds) {
  Clients& clients = *clients_;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Connection& connection : clients.connections) {
      connection.to_receive = clients.response_bytes * clients.load.pipeline;
      Clients::send_all(connection.descriptor, clients.batch);
    }
    for (Connection& connection : clients.connections) {
      do {
        wait_for(connection.descriptor, POLLIN);
      } while (!clients.go_on_receiving(connection, 0));
    }
  }
}

}  // namespace stadion::bench
