// SPDX-License-Identifier: MIT
#include "core/hash.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace stadion {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  explicit SipState(HashSeed seed) noexcept
      : v0(seed.first ^ 0x736f6d6570736575U),
        v1(seed.second ^ 0x646f72616e646f6dU),
        v2(seed.first ^ 0x6c7967656e657261U),
        v3(seed.second ^ 0x7465646279746573U) {}

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    v0 ^= word;
  }

  std::uint64_t finish() noexcept {
    v2 ^= 0xff;
    round();
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

std::uint64_t random_word(std::random_device& source) {
  return (std::uint64_t{source()} << 32) | source();
}

}  // namespace

HashSeed process_hash_seed() noexcept {
  static const HashSeed seed = [] {
    std::random_device source;
    return HashSeed{random_word(source), random_word(source)};
  }();
  return seed;
}

std::uint64_t siphash(std::string_view bytes, HashSeed seed) noexcept {
  SipState state(seed);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.absorb(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  for (std::size_t i = 0; i < left; ++i) {
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  }
  state.absorb(last);
  return state.finish();
}

}  // namespace stadion
