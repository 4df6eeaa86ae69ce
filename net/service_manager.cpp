// SPDX-License-Identifier: MIT
#include "net/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/descriptor.hpp"

namespace stadion::net {
namespace {

constexpr int kFirstDescriptor = 3;  ///< SD_LISTEN_FDS_START
constexpr int kDescriptorsMax = 1024;

/// The variable's number, and the variable unset; none where it isn't set.
std::optional<int> take_number(const char* variable, int max) {
  const char* value = std::getenv(variable);
  if (value == nullptr) {
    return std::nullopt;
  }
  const std::string text(value);
  ::unsetenv(variable);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || number > max) {
    throw std::invalid_argument(std::string(variable) + " is a number from 0 to " +
                                std::to_string(max) + ", not '" + text + "'");
  }
  return number;
}

}  // namespace

std::vector<ListeningSocket> inherited_listening_sockets() {
  const std::optional<int> pid = take_number("LISTEN_PID", std::numeric_limits<int>::max());
  const std::optional<int> count = take_number("LISTEN_FDS", kDescriptorsMax);
  ::unsetenv("LISTEN_FDNAMES");
  std::vector<ListeningSocket> sockets;
  if (pid != ::getpid()) {
    return sockets;
  }
  for (int i = 0; i < count.value_or(0); ++i) {
    sockets.push_back(ListeningSocket::adopt(Descriptor(kFirstDescriptor + i)));
  }
  return sockets;
}

bool notify_service_manager(std::string_view assignments) noexcept {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) {
    return false;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) {
    return false;
  }
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';  // An abstract one.
  }
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return socket.is_open() && ::sendto(socket.get(), assignments.data(), assignments.size(),
                                      MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                                      size) == static_cast<ssize_t>(assignments.size());
}

}  // namespace stadion::net
