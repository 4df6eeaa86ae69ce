// SPDX-License-Identifier: MIT

// What the system calls of a server cost, and nothing else: reads what there is, counts the empty
// lines that end a request, and answers as many fixed texts in one write. It parses nothing, checks
// nothing, has no limits and no time: the reference that the benchmark's ratios are to.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/http/servers/arguments.hpp"

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kAnswersAtOnce = 1024;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// How many heads end in the bytes. `matched` is how much of an end the bytes before had.
std::size_t count_heads(std::string_view bytes, unsigned& matched) {
  std::size_t heads = 0;
  while (matched > 0 && !bytes.empty()) {
    matched = bytes.front() == kEndOfHead[matched] ? matched + 1 : bytes.front() == '\r' ? 1 : 0;
    bytes.remove_prefix(1);
    if (matched == kEndOfHead.size()) {
      ++heads;
      matched = 0;
    }
  }
  while (const void* end =
             memmem(bytes.data(), bytes.size(), kEndOfHead.data(), kEndOfHead.size())) {
    ++heads;
    bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) +
                        kEndOfHead.size());
  }
  for (unsigned size = kEndOfHead.size() - 1; size > 0 && matched == 0; --size) {
    matched = bytes.ends_with(kEndOfHead.substr(0, size)) ? size : 0;
  }
  return heads;
}

int listening_socket(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0) {
    give_up("listen");
  }
  return listener;
}

void watch(int epoll, int descriptor) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    give_up("epoll_ctl");
  }
}

void serve(int listener) {
  const int epoll = epoll_create1(0);
  watch(epoll, listener);
  std::string answers;
  for (std::size_t i = 0; i < kAnswersAtOnce; ++i) {
    answers += kAnswer;
  }
  std::vector<unsigned> matched;  // By descriptor.
  std::array<char, 16 * 1024> buffer;
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == listener) {
        for (int accepted = 0;
             (accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          const int on = 1;
          setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          matched.resize(std::max(matched.size(), static_cast<std::size_t>(accepted) + 1));
          matched[static_cast<std::size_t>(accepted)] = 0;
          watch(epoll, accepted);
        }
        continue;
      }
      const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
      if (size > 0) {
        const std::size_t heads = count_heads({buffer.data(), static_cast<std::size_t>(size)},
                                              matched[static_cast<std::size_t>(descriptor)]);
        send(descriptor, answers.data(), heads * kAnswer.size(), MSG_NOSIGNAL);
      } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(descriptor);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = stadion::bench::read_arguments(argc, argv, STADION_BENCH_VERSION);
  serve(listening_socket(arguments.port));
}
