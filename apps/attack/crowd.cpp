// SPDX-License-Identifier: MIT
#include "apps/attack/crowd.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/bench/machine.hpp"

namespace stadion::attack {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLoadCore = 1;
constexpr int kEventsAtOnce = 256;
/// So that the crowd does not spend all its time on connecting, nor runs out of ports.
constexpr std::size_t kConnectsPerTurn = 50;

sockaddr_in address_of(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

}  // namespace

struct Crowd::Member {
  int socket = -1;
  std::string unsent{};
  std::string answer{};  ///< Its first bytes.
  Clock::time_point next_drip{};
};

Crowd::Crowd(std::uint16_t port, Behaviour behaviour)
    : port_(port), behaviour_(std::move(behaviour)), thread_([this] { run(); }) {}

void Crowd::stop() {
  is_over_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Crowd::run() {
  bench::pin_this_thread(kLoadCore);
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Member> members(behaviour_.connections);
  while (!is_over_) {
    const Clock::time_point now = Clock::now();
    std::size_t connects = 0;
    for (Member& member : members) {
      if (member.socket < 0 && connects < kConnectsPerTurn) {
        ++connects;
        if (connect(member)) {
          epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.ptr = &member}};
          ::epoll_ctl(set, EPOLL_CTL_ADD, member.socket, &event);
        }
      }
      if (member.socket >= 0) {
        act(member, now);
      }
    }
    epoll_event events[kEventsAtOnce];
    const int count = ::epoll_wait(set, events, kEventsAtOnce, connects > 0 ? 0 : 5);
    for (int i = 0; i < count; ++i) {
      auto& member = *static_cast<Member*>(events[i].data.ptr);
      const bool is_over = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0U;
      const bool reads = behaviour_.reads == Behaviour::Reads::all;
      if (member.socket >= 0 && ((reads && !receive(member)) || is_over)) {
        leave(member, false);
      }
    }
  }
  for (Member& member : members) {
    leave(member, true);
  }
  ::close(set);
}

bool Crowd::connect(Member& member) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in own = address_of("127.0.0.2", 0);
  const sockaddr_in server = address_of("127.0.0.1", port_);
  const int small = 4096;  // Of what it does not read, the server is to feel the most.
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
    ::close(socket);
    return false;
  }
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
  ++connected_;
  member = {.socket = socket,
            .unsent = behaviour_.opening,
            .next_drip = Clock::now() + behaviour_.interval};
  return true;
}

void Crowd::act(Member& member, Clock::time_point now) {
  if (member.unsent.empty() && !behaviour_.drip.empty() && now >= member.next_drip) {
    member.unsent = behaviour_.drip;
    member.next_drip = now + behaviour_.interval;
  }
  if (member.unsent.empty()) {
    return;
  }
  const ssize_t sent =
      ::send(member.socket, member.unsent.data(), member.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    receive(member);
    return leave(member, false);
  }
  member.unsent.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
  if (!member.unsent.empty()) {
    return;
  }
  if (behaviour_.leaves == Behaviour::Leaves::after_opening_by_reset) {
    leave(member, true);
  } else if (behaviour_.leaves == Behaviour::Leaves::half) {
    ::shutdown(member.socket, SHUT_WR);
  }
}

/// False when the end has come.
bool Crowd::receive(Member& member) {
  char bytes[16 * 1024];
  for (;;) {
    const ssize_t got = ::recv(member.socket, bytes, sizeof bytes, 0);
    if (got <= 0) {
      return got < 0 && errno == EAGAIN;
    }
    constexpr std::size_t kAnswerBytes = 12;  // "HTTP/1.1 408"
    if (member.answer.size() < kAnswerBytes) {
      member.answer.append(bytes, static_cast<std::size_t>(got));
      member.answer.resize(std::min(member.answer.size(), kAnswerBytes));
    }
  }
}

void Crowd::leave(Member& member, bool by_reset) {
  if (member.socket < 0) {
    return;
  }
  if (!by_reset) {
    note_answer(member);
  }
  // No connection is to wait for its end (TIME_WAIT): there are only so many ports.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(member.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(member.socket);
  member.socket = -1;
}

void Crowd::note_answer(const Member& member) {
  const std::string_view answer = member.answer;
  ++answers_[answer.size() < 12 ? "closed" : std::string(answer.substr(9, 3))];
}

}  // namespace stadion::attack
