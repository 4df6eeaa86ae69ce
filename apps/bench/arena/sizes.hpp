// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stadion::bench {

inline constexpr std::size_t kHttpAllocations = 42;
inline constexpr std::size_t kHttpBytes = 23'520;
inline constexpr std::size_t kMixedAllocations = 1024;

struct Request {
  std::uint16_t bytes;
  std::uint16_t alignment;
};

/// What a request of HTTP allocates: names and values of its head, small objects, a body, and the
/// buffer of a response. Behind a function, so that no compiler knows the sizes.
std::span<const std::uint16_t, kHttpAllocations> http_sizes() noexcept;

/// Sizes of 1 to 512 bytes and alignments of 1 to 64, from a fixed seed.
std::span<const Request, kMixedAllocations> mixed_requests() noexcept;

}  // namespace stadion::bench
