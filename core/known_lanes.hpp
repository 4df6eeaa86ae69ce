// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/lane.hpp"
#include "core/thread_local.hpp"

/// Where this thread's lanes are in arenas that it does not own. Internal to core/.
namespace stadion::detail {

/// An entry is followed only when the id is that of the arena, and no id comes twice: so a stale one
/// is never followed.
struct KnownLane {
  std::uint64_t lanes_id = 0;
  OtherLane* lane = nullptr;
};

inline constexpr std::size_t kKnownLanes = 4;
inline STADION_HOT_THREAD_LOCAL std::array<KnownLane, kKnownLanes> known_lanes{};

inline KnownLane& known_lane(std::uint64_t lanes_id) noexcept {
  return known_lanes[lanes_id % kKnownLanes];
}

}  // namespace stadion::detail
