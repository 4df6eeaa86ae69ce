// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stadion::net {

/// Where a socket listens or is connected to: an IPv4 or IPv6 address and port, or the path of a
/// Unix socket.
class Endpoint {
 public:
  /// An unspecified endpoint; to_string() answers "unknown".
  Endpoint() noexcept = default;
  Endpoint(const sockaddr* address, socklen_t length) noexcept;

  /// Understands `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` (every IPv4 address),
  /// `unix:/run/app.sock`. A host name is looked up, which may block; its first address is taken.
  ///
  /// Throws     std::invalid_argument that says what was given and what would be right;
  ///            std::runtime_error when the name cannot be found.
  static Endpoint parse(std::string_view text);

  /// In the form that parse() takes.
  std::string to_string() const;
  /// The address alone, without port: `127.0.0.1`, `::1`, or the Unix socket's path.
  std::string address() const;
  std::uint16_t port() const noexcept;
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  /// Whether a TCP port is still to be chosen by the system.
  bool wants_any_port() const noexcept { return !is_unix() && port() == 0; }

  int family() const noexcept { return address_.ss_family; }
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const noexcept { return length_; }

 private:
  sockaddr_storage address_{};
  socklen_t length_ = 0;
};

}  // namespace stadion::net
