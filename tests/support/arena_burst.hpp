// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/arena_model.hpp"

namespace stadion::tests {

/// What one thread got from an arena while others were at it too.
struct BurstOutcome {
  std::vector<ModelBlock> blocks;  ///< Those that are still valid, filled with their patterns.
  std::size_t refusal_count = 0;
  const char* complaint = nullptr;  ///< What did not hold, or null.
};

/// Allocates this and that from an arena, in scopes or not, makes arenas of its own meanwhile, and
/// asks what may be asked from any thread.
///
/// Threads    On any number of threads at once, with one arena.
BurstOutcome burst(Arena& arena, std::size_t arena_index, std::uint32_t seed);

}  // namespace stadion::tests
