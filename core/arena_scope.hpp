// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/arena.hpp"

namespace stadion {

/// A nested temporary inside one arena: what this thread allocates from the arena during the scope
/// is taken back at its end, destructors run. What other threads allocate meanwhile stays.
///
/// Beside the document's nested arenas (Pattern 4), this one needs no chunk of its own and no copy
/// of what was there before; but a result must be copied out of the *arena*, not only out of the
/// scope: into memory that was allocated before it began.
///
/// Lifetime   A pointer that was allocated within the scope is valid until its end.
/// Threads    One scope is used by the thread that made it. Others may allocate from the arena at
///            once, and have scopes of their own.
/// Requires   Scopes of one thread in one arena end in reverse order; no clear(), dispose() or
///            adopt() of the arena while one is open.
/// Cost       A few loads and stores; large blocks are freed, chunks stay with the arena.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) noexcept;
  ~ArenaScope();

  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  detail::ArenaState& state_;
  detail::LaneMark mark_;
  unsigned depth_ = 0;
  detail::Chunk* outer_chunk_ = nullptr;
  std::uintptr_t outer_position_ = 0;
};

}  // namespace stadion
