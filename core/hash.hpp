// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace stadion {

/// The secret half of a hash: without it nobody can choose keys that collide.
struct HashSeed {
  std::uint64_t first;
  std::uint64_t second;
};

/// This process's seed, drawn from the system's random source when it is first asked for. From any
/// thread.
HashSeed process_hash_seed() noexcept;

/// SipHash-1-3 of the bytes (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
std::uint64_t siphash(std::string_view bytes, HashSeed seed) noexcept;

/// How HashTable hashes a key; specialise it for key types of your own.
template <class Key>
struct Hash {
  static_assert(std::is_integral_v<Key> || std::is_enum_v<Key> || std::is_pointer_v<Key>,
                "specialise stadion::Hash for this key type");
  std::uint64_t operator()(Key key, HashSeed seed) const noexcept {
    return siphash({reinterpret_cast<const char*>(&key), sizeof key}, seed);
  }
};

template <class Key>
requires std::convertible_to<const Key&, std::string_view>
struct Hash<Key> {
  std::uint64_t operator()(std::string_view key, HashSeed seed) const noexcept {
    return siphash(key, seed);
  }
};

}  // namespace stadion
