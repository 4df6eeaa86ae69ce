// SPDX-License-Identifier: MIT
#include "apps/bench/arena/sizes.hpp"

#include <array>
#include <numeric>

namespace stadion::bench {
namespace {

constexpr std::array<std::uint16_t, kHttpAllocations> kHttpSizes = {
    512, 16, 61, 35,  48, 29,   128, 32, 67, 96,  45, 64, 33,    31, 128, 51, 48, 95, 32, 256, 62,
    30,  48, 34, 117, 97, 4096, 32,  66, 48, 139, 59, 64, 16384, 44, 37,  96, 64, 52, 64, 32,  48};
static_assert(std::accumulate(kHttpSizes.begin(), kHttpSizes.end(), std::size_t{0}) == kHttpBytes);

// splitmix64
constexpr std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

constexpr auto make_mixed_requests() {
  std::array<Request, kMixedAllocations> requests{};
  std::uint64_t state = 1;
  for (Request& request : requests) {
    request.bytes = static_cast<std::uint16_t>(1 + next_random(state) % 512);
    request.alignment = static_cast<std::uint16_t>(1U << (next_random(state) % 7));
  }
  return requests;
}
constexpr auto kMixedRequests = make_mixed_requests();

}  // namespace

std::span<const std::uint16_t, kHttpAllocations> http_sizes() noexcept { return kHttpSizes; }
std::span<const Request, kMixedAllocations> mixed_requests() noexcept { return kMixedRequests; }

}  // namespace stadion::bench
