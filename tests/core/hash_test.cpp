// SPDX-License-Identifier: MIT
#include "core/hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stadion {
namespace {

/// The key 00 01 … 0f of the reference vectors, as two little-endian words.
constexpr HashSeed kReferenceSeed{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

/// SipHash-1-3 of the messages (), (00), (00 01), … (00 … 3e) under that key. Computed by a
/// separate implementation that also gives the value which Appendix A of the SipHash paper prints
/// for SipHash-2-4.
constexpr std::array<std::uint64_t, 64> kReferenceHashes{
    0xabac0158050fc4dcU, 0xc9f49bf37d57ca93U, 0x82cb9b024dc7d44dU, 0x8bf80ab8e7ddf7fbU,
    0xcf75576088d38328U, 0xdef9d52f49533b67U, 0xc50d2b50c59f22a7U, 0xd3927d989bb11140U,
    0x369095118d299a8eU, 0x25a48eb36c063de4U, 0x79de85ee92ff097fU, 0x70c118c1f94dc352U,
    0x78a384b157b4d9a2U, 0x306f760c1229ffa7U, 0x605aa111c0f95d34U, 0xd320d86d2a519956U,
    0xcc4fdd1a7d908b66U, 0x9cf2689063dbd80cU, 0x8ffc389cb473e63eU, 0xf21f9de58d297d1cU,
    0xc0dc2f46a6cce040U, 0xb992abfe2b45f844U, 0x7ffe7b9ba320872eU, 0x525a0e7fdae6c123U,
    0xf464aeb267349c8cU, 0x45cd5928705b0979U, 0x3a3e35e3ca9913a5U, 0xa91dc74e4ade3b35U,
    0xfb0bed02ef6cd00dU, 0x88d93cb44ab1e1f4U, 0x540f11d643c5e663U, 0x2370dd1f8c21d1bcU,
    0x81157b6c16a7b60dU, 0x4d54b9e57a8ff9bfU, 0x759f12781f2a753eU, 0xcea1a3bebf186b91U,
    0x2cf508d3ada26206U, 0xb6101c2da3c33057U, 0xb3f47496ae3a36a1U, 0x626b57547b108392U,
    0xc1d2363299e41531U, 0x667cc1923f1ad944U, 0x65704ffec8138825U, 0x24f280d1c28949a6U,
    0xc2ca1cedfaf8876bU, 0xc2164bfc9f042196U, 0xa16e9c9368b1d623U, 0x49fb169c8b5114fdU,
    0x9f3143f8df074c46U, 0xc6fdaf2412cc86b3U, 0x7eaf49d10a52098fU, 0x1cf313559d292f9aU,
    0xc44a30dda2f41f12U, 0x36fae98943a71ed0U, 0x318fb34c73f0bce6U, 0xa27abf3670a7e980U,
    0xb4bcc0db243c6d75U, 0x23f8d852fdb71513U, 0x8f035f4da67d8a08U, 0xd89cd0e5b7e8f148U,
    0xf6f4e6bcf7a644eeU, 0xaec59ad80f1837f2U, 0xc3b2f6154b6694e0U, 0x9d199062b7bbb3a8U,
};

std::string counting_bytes(std::size_t length, unsigned step = 1) {
  std::string bytes;
  for (unsigned i = 0; i < length; ++i) {
    bytes.push_back(static_cast<char>(i * step & 0xFF));
  }
  return bytes;
}

TEST_CASE("siphash: gives the known answers for every length of tail [SipHash, Appendix A]") {
  for (std::size_t length = 0; length < kReferenceHashes.size(); ++length) {
    CAPTURE(length);
    CHECK(siphash(counting_bytes(length), kReferenceSeed) == kReferenceHashes[length]);
  }
}

TEST_CASE("siphash: gives the known answer for a long message under another key") {
  const HashSeed seed{0x123456789abcdef0U, 0xfedcba9876543210U};
  CHECK(siphash(counting_bytes(1000, 7), seed) == 0x2f432ffaf08073aeU);
}

TEST_CASE("siphash: the answer does not depend on where the bytes lie") {
  const std::string message = counting_bytes(40);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    CAPTURE(offset);
    const std::string shifted = std::string(offset, '#') + message;
    CHECK(siphash(std::string_view(shifted).substr(offset), kReferenceSeed) ==
          siphash(message, kReferenceSeed));
  }
}

TEST_CASE("siphash: messages that differ in trailing zeros only have different hashes") {
  std::set<std::uint64_t> hashes;
  for (std::size_t length = 0; length <= 64; ++length) {
    hashes.insert(siphash(std::string(length, '\0'), kReferenceSeed));
  }
  CHECK(hashes.size() == 65);
}

TEST_CASE("siphash: one changed bit of the message or the seed changes about half of the hash") {
  const std::string message = counting_bytes(24);
  const std::uint64_t hash = siphash(message, kReferenceSeed);
  const auto check_changed = [hash](std::uint64_t other) {
    const int changed_bits = std::popcount(hash ^ other);
    CHECK(changed_bits >= 10);
    CHECK(changed_bits <= 54);
  };
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string changed = message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    check_changed(siphash(changed, kReferenceSeed));
  }
  for (int bit = 0; bit < 64; ++bit) {
    CAPTURE(bit);
    const std::uint64_t mask = std::uint64_t{1} << bit;
    check_changed(siphash(message, {kReferenceSeed.first ^ mask, kReferenceSeed.second}));
    check_changed(siphash(message, {kReferenceSeed.first, kReferenceSeed.second ^ mask}));
  }
}

/// The largest number of the keys that share their hash's lowest 10 bits, 4,096 keys being given.
template <class Key, class MakeKey>
std::size_t fullest_bucket(HashSeed seed, MakeKey&& make_key) {
  std::vector<std::size_t> buckets(1024);
  for (std::uint64_t i = 0; i < 4096; ++i) {
    ++buckets[Hash<Key>{}(make_key(i), seed) & 1023];
  }
  return *std::max_element(buckets.begin(), buckets.end());
}

TEST_CASE(
    "Hash: keys equal in their low or high bits, and numbered names, spread over the low bits") {
  // Four keys to a bucket on average: a random function passes 20 in one table of several million.
  for (std::uint64_t half = 1; half <= 20; ++half) {
    CAPTURE(half);
    const HashSeed seed{half, ~half};
    CHECK(fullest_bucket<std::uint64_t>(seed, [](std::uint64_t i) { return i; }) <= 20);
    CHECK(fullest_bucket<std::uint64_t>(seed, [](std::uint64_t i) { return i << 20; }) <= 20);
    CHECK(fullest_bucket<std::uint64_t>(seed, [](std::uint64_t i) { return i << 52; }) <= 20);
    CHECK(fullest_bucket<std::string>(
              seed, [](std::uint64_t i) { return "user-" + std::to_string(i); }) <= 20);
  }
}

TEST_CASE("Hash: a number hashes as its bytes, text of any type as its characters") {
  const HashSeed seed = kReferenceSeed;
  CHECK(Hash<std::uint64_t>{}(42, seed) == 0x2d9b012a807294cbU);
  CHECK(Hash<std::string>{}("abc", seed) == siphash("abc", seed));
  CHECK(Hash<std::string_view>{}("abc", seed) == siphash("abc", seed));
  CHECK(Hash<std::string>{}(std::string("a\0b", 3), seed) == siphash({"a\0b", 3}, seed));
}

TEST_CASE("Hash: enumerators and pointers are keys, too") {
  enum class Colour : std::uint8_t { red, green };
  CHECK(Hash<Colour>{}(Colour::red, kReferenceSeed) !=
        Hash<Colour>{}(Colour::green, kReferenceSeed));
  CHECK(Hash<Colour>{}(Colour::green, kReferenceSeed) == Hash<std::uint8_t>{}(1, kReferenceSeed));
  const int numbers[2] = {};
  CHECK(Hash<const int*>{}(&numbers[0], kReferenceSeed) !=
        Hash<const int*>{}(&numbers[1], kReferenceSeed));
}

TEST_CASE(
    "process_hash_seed: one per process, the same from every thread, and not a constant zero") {
  const HashSeed seed = process_hash_seed();
  HashSeed elsewhere{};
  std::thread([&elsewhere] { elsewhere = process_hash_seed(); }).join();
  CHECK(elsewhere.first == seed.first);
  CHECK(elsewhere.second == seed.second);
  CHECK((seed.first | seed.second) != 0);
  CHECK(seed.first != seed.second);
}

}  // namespace
}  // namespace stadion
