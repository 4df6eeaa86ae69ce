// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/source_location.hpp"

namespace stadion {

/// One allocation, as a debug build remembers it.
struct ArenaAllocation {
  std::size_t bytes = 0;
  SourceLocation where;  ///< Without a file where the place is not known, as for Arena::make().
};

/// An arena that is made and not disposed, as Arena::debug_live() saw it.
struct LiveArena {
  std::uint64_t id =
      0;  ///< Never used again within the process; a thread's later arena has a higher
          ///< one.
  SourceLocation made;
  std::uint64_t thread = 0;  ///< The number of the thread that made it, counted from 1.
  std::size_t bytes_reserved = 0;
  std::vector<ArenaAllocation> last_allocations;  ///< Newest first; in debug builds only.
};

/// "arena 7, made at serve.cpp:12 by thread 1, 65536 bytes; last: 64 bytes at parse.cpp:33, …"
std::string to_string(const LiveArena& arena);

namespace detail {

/// What every thread may know of an arena. Internal to core/.
struct ArenaRecord {
  static constexpr std::size_t kAllocationsMax = 4;

  std::atomic<std::uint64_t> id{0};  ///< 0 while there is no arena.
  std::atomic<const char*> file{nullptr};
  std::atomic<unsigned> line{0};
  std::atomic<std::uint64_t> thread{0};
  /// Bytes of the chunks of an arena without a limit that its owner took: one writer, no locked
  /// instruction.
  std::atomic<std::size_t> owner_bytes{0};
  /// Bytes of all its other chunks.
  std::atomic<std::size_t> shared_bytes{0};

  std::size_t allocation_count =
      0;  ///< Of those that were noted; guarded, as they are, by a mutex.
  std::array<ArenaAllocation, kAllocationsMax> allocations{};

  std::size_t bytes() const noexcept {
    return owner_bytes.load(std::memory_order_relaxed) +
           shared_bytes.load(std::memory_order_relaxed);
  }
  void made(std::uint64_t new_id, std::uint64_t by_thread, SourceLocation at) noexcept {
    // Not before the id of the arena that had this record is gone.
    file.store(at.file, std::memory_order_release);
    line.store(at.line, std::memory_order_release);
    thread.store(by_thread, std::memory_order_release);
    id.store(new_id, std::memory_order_release);
  }
  void disposed() noexcept {
#ifndef NDEBUG
    forget_allocations();
#endif
    id.store(0, std::memory_order_release);
  }
  void note_allocation(std::size_t bytes, SourceLocation where) noexcept;
  void forget_allocations() noexcept;
};

std::size_t live_arena_count() noexcept;
std::size_t live_arena_bytes() noexcept;
std::vector<LiveArena> live_arenas();

/// Around fork(), so that the child finds no lock held by a thread that it does not have.
void live_arenas_lock() noexcept;
void live_arenas_unlock() noexcept;

}  // namespace detail
}  // namespace stadion
