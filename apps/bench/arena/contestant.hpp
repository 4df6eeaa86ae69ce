// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace stadion::bench {

/// How two threads can allocate from one contestant at once.
enum class Sharing {
  none,
  one_arena,     ///< From one arena.
  own_pointers,  ///< From one heap; each thread remembers its own pointers.
};

/// What a contestant is made of. Each is a class template `template <std::size_t allocations_max>`,
/// for those that must remember what they handed out; it has
///
///   alloc(bytes)             at least as aligned as the contestant's users get without asking
///   alloc(bytes, alignment)  a power of two, at most 64
///   clear()                  takes all allocations back; the contestant stays usable
///   the destructor           disposes: everything goes back
///   make<T>()                where kRunsDestructors: runs ~T at clear() or disposal
///
/// and the constants below.
struct ContestantDefaults {
  static constexpr Sharing kSharing = Sharing::none;
  static constexpr bool kRunsDestructors = false;
  /// Whether an arena that one thread made can be disposed by another.
  static constexpr bool kMovesBetweenThreads = true;
};

/// The block size for contestants that let their users choose it: the same for all.
inline constexpr std::size_t kBlockBytes = 64 * 1024;

/// For contestants that know of no alignment: as their users do it, by asking for more.
inline void* align_up(void* memory, std::size_t alignment) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  return reinterpret_cast<void*>((address + alignment - 1) & ~(alignment - 1));
}

}  // namespace stadion::bench
