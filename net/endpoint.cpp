// SPDX-License-Identifier: MIT
#include "net/endpoint.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace stadion::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw std::invalid_argument("'" + std::string(text) + "' is not an address to listen on: " +
                              std::string(why) + "; give HOST:PORT, [IPv6]:PORT or unix:/PATH");
}

Endpoint unix_endpoint(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) {
    refuse(text, "the path is empty");
  }
  if (path.size() >= sizeof address.sun_path) {
    refuse(text, "the path is longer than 107 bytes");
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return {reinterpret_cast<const sockaddr*>(&address), length};
}

std::uint16_t parse_port(std::string_view text, std::string_view port) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    refuse(text, "the port is not a number from 0 to 65535");
  }
  return number;
}

Endpoint resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw std::runtime_error("cannot find the address of '" + host + "': " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  return {found->ai_addr, found->ai_addrlen};
}

}  // namespace

Endpoint::Endpoint(const sockaddr* address, socklen_t length) noexcept
    : length_(std::min<socklen_t>(length, sizeof address_)) {
  std::memcpy(&address_, address, length_);
}

Endpoint Endpoint::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    return unix_endpoint(text);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    refuse(text, "there is no port");
  }
  const std::uint16_t port = parse_port(text, text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) {
      refuse(text, "there is no address in the brackets");
    }
  } else if (host.find(':') != std::string_view::npos) {
    refuse(text, "an IPv6 address needs brackets");
  }
  return resolve(host.empty() ? "0.0.0.0" : std::string(host), port);
}

std::string Endpoint::to_string() const {
  switch (family()) {
    case AF_UNIX: return std::string(kUnixPrefix).append(address());
    case AF_INET: return address().append(":").append(std::to_string(port()));
    case AF_INET6:
      return std::string("[").append(address()).append("]:").append(std::to_string(port()));
    default: return "unknown";
  }
}

std::string Endpoint::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_UNIX: {
      // A client's socket is unnamed: its address ends before the path.
      const auto* unix_address = reinterpret_cast<const sockaddr_un*>(&address_);
      const bool unnamed = length_ <= offsetof(sockaddr_un, sun_path);
      return unnamed ? std::string() : std::string(unix_address->sun_path);
    }
    case AF_INET:
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address_)->sin_addr, text,
                sizeof text);
      return text;
    case AF_INET6:
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_addr, text,
                sizeof text);
      return text;
    default: return "unknown";
  }
}

std::uint16_t Endpoint::port() const noexcept {
  switch (family()) {
    case AF_INET: return ntohs(reinterpret_cast<const sockaddr_in*>(&address_)->sin_port);
    case AF_INET6: return ntohs(reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_port);
    default: return 0;
  }
}

}  // namespace stadion::net
