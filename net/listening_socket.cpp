// SPDX-License-Identifier: MIT
#include "net/listening_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace stadion::net {
namespace {

[[noreturn]] void fail(const Endpoint& endpoint, const char* what) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(),
                          "cannot listen on " + endpoint.to_string() + ": " + what);
}

Descriptor stream_socket(const Endpoint& endpoint) {
  Descriptor descriptor(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) {
    fail(endpoint, "socket");
  }
  return descriptor;
}

void set_option(const Endpoint& endpoint, int socket, int level, int option, const char* name) {
  const int on = 1;
  if (::setsockopt(socket, level, option, &on, sizeof on) != 0) {
    fail(endpoint, name);
  }
}

Endpoint local_endpoint_of(int socket) noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return {reinterpret_cast<const sockaddr*>(&address), length};
}

// Only a socket that nobody answers on is removed: never another kind of file, never a living
// server's.
void remove_abandoned_socket_file(const Endpoint& endpoint) {
  struct stat status {};
  if (::stat(endpoint.address().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return;
  }
  const Descriptor probe = stream_socket(endpoint);
  if (::connect(probe.get(), endpoint.data(), endpoint.size()) != 0 && errno == ECONNREFUSED) {
    ::unlink(endpoint.address().c_str());
  }
}

Descriptor bound_socket(const Endpoint& endpoint, bool reuse_port) {
  if (endpoint.is_unix()) {
    remove_abandoned_socket_file(endpoint);
  }
  Descriptor descriptor = stream_socket(endpoint);
  if (!endpoint.is_unix()) {
    set_option(endpoint, descriptor.get(), SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
  }
  if (reuse_port && !endpoint.is_unix()) {
    set_option(endpoint, descriptor.get(), SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT");
  }
  if (endpoint.family() == AF_INET6) {
    // An IPv6 address means just that, whatever the system's default: IPv4 clients have an address
    // of their own.
    set_option(endpoint, descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
  }
  if (::bind(descriptor.get(), endpoint.data(), endpoint.size()) != 0) {
    fail(endpoint, "bind");
  }
  return descriptor;
}

}  // namespace

ListeningSocket::ListeningSocket(Descriptor descriptor, bool removes_file)
    : descriptor_(std::move(descriptor)),
      local_endpoint_(local_endpoint_of(descriptor_.get())),
      removes_file_(removes_file) {}

ListeningSocket::~ListeningSocket() {
  if (descriptor_.is_open() && removes_file_) {
    ::unlink(local_endpoint_.address().c_str());
  }
}

ListeningSocket ListeningSocket::open(const Endpoint& endpoint, ListenOptions options) {
  Descriptor descriptor = bound_socket(endpoint, options.reuse_port);
  if (::listen(descriptor.get(), options.backlog) != 0) {
    fail(endpoint, "listen");
  }
  return {std::move(descriptor), endpoint.is_unix()};
}

std::vector<ListeningSocket> ListeningSocket::open_group(const Endpoint& endpoint,
                                                         std::size_t count, ListenOptions options) {
  std::vector<ListeningSocket> group;
  group.reserve(count);
  const bool shares_port = (count > 1 || options.reuse_port) && !endpoint.is_unix();
  if (shares_port && !options.reuse_port && !endpoint.wants_any_port()) {
    // SO_REUSEPORT would let a second server of the same user join in unnoticed: a bind without it
    // tells.
    (void)bound_socket(endpoint, false);
  }
  options.reuse_port = shares_port;
  group.push_back(open(endpoint, options));
  while (group.size() < count) {
    const ListeningSocket& first = group.front();
    group.push_back(shares_port ? open(first.local_endpoint(), options) : first.duplicate());
  }
  return group;
}

ListeningSocket ListeningSocket::adopt(Descriptor descriptor) {
  const auto is_set = [&descriptor](int option, int wanted) {
    int value = 0;
    socklen_t length = sizeof value;
    return ::getsockopt(descriptor.get(), SOL_SOCKET, option, &value, &length) == 0 &&
           value == wanted;
  };
  if (!is_set(SO_ACCEPTCONN, 1) || !is_set(SO_TYPE, SOCK_STREAM)) {
    throw std::invalid_argument("file descriptor " + std::to_string(descriptor.get()) +
                                " is no stream socket that listens");
  }
  const int flags = ::fcntl(descriptor.get(), F_GETFL);
  if (flags < 0 || ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC) != 0) {
    fail(local_endpoint_of(descriptor.get()), "fcntl");
  }
  return {std::move(descriptor), false};
}

ListeningSocket ListeningSocket::duplicate() const {
  Descriptor duplicate(::fcntl(native_handle(), F_DUPFD_CLOEXEC, 0));
  if (!duplicate.is_open()) {
    fail(local_endpoint(), "duplicate");
  }
  return {std::move(duplicate), false};
}

}  // namespace stadion::net
