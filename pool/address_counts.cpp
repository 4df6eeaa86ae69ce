// SPDX-License-Identifier: MIT
#include "pool/address_counts.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "core/assert.hpp"

namespace stadion::pool {
namespace {

constexpr std::uint64_t kLoopback = 1;

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number = number << 8U | bytes[i];
  }
  return number;
}

}  // namespace

// IPv4 addresses are where but one IPv6 network is, that of ::1: 0000::/8 is reserved (RFC 4291 section
// 2.4). That one stands beside 0.0.0.0/8, which is nobody's (RFC 1122 section 3.2.1.3).
std::uint64_t client_key(const net::Endpoint& remote) noexcept {
  if (remote.family() == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, remote.data(), sizeof address);
    return ntohl(address.sin_addr.s_addr);
  }
  if (remote.family() == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, remote.data(), sizeof address);
    const unsigned char* bytes = address.sin6_addr.s6_addr;
    return IN6_IS_ADDR_V4MAPPED(&address.sin6_addr) ? big_endian(bytes + 12, 4)
                                                    : std::max(big_endian(bytes, 8), kLoopback);
  }
  return 0;
}

bool AddressCounts::add(std::uint64_t client, std::size_t max) {
  std::uint32_t& count = counts_.try_emplace(client, 0U).first;
  if (count >= max) {
    return false;
  }
  ++count;
  return true;
}

void AddressCounts::remove(std::uint64_t client) noexcept {
  std::uint32_t* count = counts_.find(client);
  STADION_ASSERT(count != nullptr);
  if (--*count == 0) {
    counts_.erase(client);
  }
}

}  // namespace stadion::pool
