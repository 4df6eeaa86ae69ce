// SPDX-License-Identifier: MIT
#include "pool/address_counts.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "core/arena.hpp"
#include "net/endpoint.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::pool {
namespace {

using tests::LiveArenas;

std::uint64_t key_of(const char* endpoint) { return client_key(net::Endpoint::parse(endpoint)); }

TEST_CASE("address counts: an IPv4 address is a client, whatever its port") {
  CHECK(key_of("192.0.2.1:1000") == key_of("192.0.2.1:2000"));
  CHECK(key_of("192.0.2.1:1000") != key_of("192.0.2.2:1000"));
  CHECK(key_of("192.0.2.1:1000") == key_of("[::ffff:192.0.2.1]:1000"));
}

TEST_CASE("address counts: an IPv6 network of 64 bits is a client") {
  CHECK(key_of("[2001:db8::1]:1000") == key_of("[2001:db8::ffff:ffff:ffff:ffff]:1000"));
  CHECK(key_of("[2001:db8::1]:1000") != key_of("[2001:db8:0:1::1]:1000"));
  CHECK(key_of("[2001:db8::1]:1000") != key_of("192.0.2.1:1000"));
}

TEST_CASE("address counts: those of this machine have no limit over Unix sockets alone") {
  CHECK(key_of("unix:/run/stadion.sock") == 0);
  CHECK(key_of("127.0.0.1:1000") != 0);
  CHECK(key_of("[::1]:1000") != 0);
}

TEST_CASE_FIXTURE(LiveArenas, "address counts: a client has as many as it may, others their own") {
  Arena arena;
  AddressCounts counts(arena);
  CHECK(counts.add(1, 2));
  CHECK(counts.add(1, 2));
  CHECK(!counts.add(1, 2));
  CHECK(counts.add(2, 2));
  counts.remove(1);
  CHECK(counts.add(1, 2));
  CHECK(!counts.add(1, 2));
}

TEST_CASE_FIXTURE(LiveArenas, "address counts: clients that have gone take no memory") {
  Arena arena;
  AddressCounts counts(arena);
  const auto come_and_go = [&](std::uint64_t first) {
    for (std::uint64_t client = first; client < first + 1'000; ++client) {
      CHECK(counts.add(client, 1));
      counts.remove(client);
    }
  };
  come_and_go(1);
  const std::size_t used = arena.bytes_used();
  for (std::uint64_t round = 1; round < 20; ++round) {
    come_and_go(round * 1'000);
  }
  CHECK(arena.bytes_used() == used);
}

}  // namespace
}  // namespace stadion::pool
