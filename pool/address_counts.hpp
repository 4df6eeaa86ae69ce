// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/arena.hpp"
#include "core/hash_table.hpp"
#include "net/endpoint.hpp"

namespace stadion::pool {

/// Whom an address belongs to, as far as can be known: an IPv4 address, or the first 64 bits of an
/// IPv6 one, of which each customer has all the others (RFC 6177). 0 for a Unix socket.
std::uint64_t client_key(const net::Endpoint& remote) noexcept;

/// How many connections each client has. The memory is that of the most clients there were at a time.
///
/// Threads    One at a time.
/// Throws     ArenaFailed, when one more client is to be remembered.
class AddressCounts {
 public:
  explicit AddressCounts(Arena& arena) : counts_(arena) {}

  /// False, and nothing is counted, when the client has `max` already.
  bool add(std::uint64_t client, std::size_t max);
  void remove(std::uint64_t client) noexcept;

 private:
  HashTable<std::uint64_t, std::uint32_t> counts_;
};

}  // namespace stadion::pool
