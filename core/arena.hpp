// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/arena_options.hpp"
#include "core/arena_state.hpp"
#include "core/assert.hpp"
#include "core/live_arenas.hpp"
#include "core/source_location.hpp"

namespace stadion {

/// Raised by an arena that cannot hand out what was asked for: the document's Arena_Failed. The
/// arena stays usable.
///
/// what() says how much was asked, why it failed (and over which limit) and where; it needs no
/// memory.
class ArenaFailed : public std::bad_alloc {
 public:
  ArenaFailed(std::size_t bytes, detail::ArenaRefusal refusal, SourceLocation where) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[256];
};

/// Hands out memory that is released all at once: by clear() for reuse, or by dispose() or the
/// destructor.
///
/// Lifetime   A pointer from this arena is valid until the next clear(), release() or dispose().
/// Threads    Any number of threads may allocate at once, each from a lane of its own: without a lock
///            but where a new chunk comes from the depot. A thread's lane stays until the next
///            clear(), 4 KiB at the least, also when the thread has ended. The thread that made the arena, or adopt()ed it, is its owner and the fastest.
///            clear(), release(), dispose(), adopt() and statistics() need exclusive access, and
///            nobody needs to be the owner for it.
/// Limits     One allocation is at most kArenaAllocationBytesMax, its alignment at most
///            kArenaAlignmentMax; all chunks together at most ArenaOptions::limit_bytes; the chunks
///            of all arenas, and what is kept for reuse, at most set_process_limit_bytes(). Not
///            counted are some 320 bytes for each arena, of the most that ever lived at once.
/// Throws     ArenaFailed when the system has no memory, a limit would be passed, or the arena was
///            disposed.
/// Cost       A pointer bump; when the chunk is full, a visit to the thread's cache of chunks.
///            Making an arena takes what the thread's last one left, its first chunk included. A
///            size is rounded up to 16 bytes.
/// Source     Document "Core API", "Thread Safety", Patterns 1 to 4.
class Arena {
 public:
  /// Throws ArenaFailed when the system has no memory for the arena's own few words.
  explicit Arena(ArenaOptions options = {}, SourceLocation made = SourceLocation::current())
      : front_(rounded_chunk_bytes(options.chunk_bytes), options.limit_bytes, made) {
    if (front_.state == nullptr) [[unlikely]] {
      fail(sizeof(detail::ArenaState), {"the system has no memory"}, made);
    }
  }
  ~Arena() {
    if (!is_disposed()) {
      front_.dispose();
    }
  }

  /// Not movable either: what lives in an arena may refer to it. Hand over a pointer, or hold it in
  /// an optional.
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` of uninitialised memory; never null. Zero bytes give a pointer, too, not always one of
  /// its own. Requires `alignment` to be a power of two.
  [[nodiscard]] void* alloc(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t),
                            SourceLocation where = SourceLocation::current());

  /// The same, but null where alloc() throws.
  [[nodiscard]] void* try_alloc(std::size_t bytes,
                                std::size_t alignment = alignof(std::max_align_t)) noexcept;

  /// `count` times `bytes` of zeroed memory. A product that cannot be represented raises
  /// ArenaFailed.
  [[nodiscard]] void* calloc(std::size_t count, std::size_t bytes,
                             SourceLocation where = SourceLocation::current());

  /// Makes this thread's last allocation larger, or smaller, where it is: `memory`, which was asked
  /// for with `bytes`, has `new_bytes` then. False, and nothing has happened, when that cannot be
  /// told or done: something was allocated after it, its chunk has no room, it is a large block or
  /// an empty one, or it is older than an ArenaScope that is open. Then allocate anew and copy.
  [[nodiscard]] bool extend(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept;

  /// Constructs a T in the arena. A destructor that does something is run at clear() or dispose(),
  /// in reverse order of construction: those of each other thread, then those of the owner.
  template <class T, class... Args>
  T& make(Args&&... args);

  /// `count` value-initialised elements, whose type needs no destructor.
  template <class T>
  std::span<T> make_array(std::size_t count, SourceLocation where = SourceLocation::current());

  /// A copy of the text that lives as long as the arena's memory.
  std::string_view copy(std::string_view text, SourceLocation where = SourceLocation::current());

  /// Runs the destructors and takes back every allocation. Of the owner's chunks, `keep_bytes` at
  /// most are kept for reuse: the same bytes come back. The others' chunks and large blocks are not
  /// kept here (but may be by the thread's cache).
  void clear(std::size_t keep_bytes = kArenaKeptBytesMax) noexcept;

  /// As clear(), but keeps nothing.
  void release() noexcept { clear(0); }

  /// Runs the destructors and frees everything. From then on the arena refuses: alloc() raises
  /// ArenaFailed.
  void dispose() noexcept;

  bool is_disposed() const noexcept { return front_.state == &detail::disposed_arena; }

  /// Another limit in place of ArenaOptions::limit_bytes, for an arena that was made with one. What
  /// is beyond it already stays. Needs exclusive access.
  void set_limit_bytes(std::size_t limit_bytes) noexcept {
    STADION_ASSERT(front_.state->limit_bytes != kArenaNoLimit && limit_bytes != kArenaNoLimit);
    front_.state->limit_bytes = limit_bytes;
  }

  /// Makes the current thread the owner: for an arena that was handed over with the work it is for.
  /// What this thread made in it before counts as the new owner's, made just now.
  void adopt() noexcept;

  ArenaStatistics statistics() const noexcept { return front_.state->statistics(); }
  /// As in statistics(), which see. Needs exclusive access.
  std::size_t bytes_used() const noexcept { return front_.state->bytes_used(); }
  /// Bytes of all chunks that this arena holds, in use or kept. A new arena may have one already.
  /// From any thread.
  std::size_t bytes_reserved() const noexcept { return front_.state->record.bytes(); }

  /// How many arenas are made and not disposed, process-wide: equal before and after code that
  /// leaks none. From any thread, as all that follows.
  static std::size_t debug_live_count() noexcept { return detail::live_arena_count(); }
  /// Bytes of all chunks of all live arenas.
  static std::size_t debug_live_bytes() noexcept { return detail::live_arena_bytes(); }
  /// Every live arena, with where it was made; those of one thread in the order in which they were.
  /// In debug builds also the last four allocations by alloc() and what is made of it.
  static std::vector<LiveArena> debug_live() { return detail::live_arenas(); }

  /// Bytes taken from the system by all arenas, kept for reuse by any thread included.
  static std::size_t process_bytes() noexcept;
  /// A budget for process_bytes(); answers the one before. An allocation that would pass it first
  /// gives back what its thread keeps for reuse, then raises ArenaFailed. Default is no limit.
  static std::size_t set_process_limit_bytes(std::size_t limit_bytes) noexcept;
  /// Gives what is kept for reuse back to the system: by this thread (2 MiB at the most) and by all
  /// together (8 MiB).
  static void trim() noexcept;

 private:
  friend class ArenaScope;

  static constexpr std::size_t rounded_chunk_bytes(std::size_t bytes) noexcept {
    return std::bit_ceil(std::clamp(bytes, detail::kChunkBytesMin, detail::kRecycledChunkBytesMax));
  }
  void* alloc_fast(std::size_t bytes, std::size_t alignment) noexcept;
  bool extend_last(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept;
  void* alloc_or_fail(std::size_t bytes, std::size_t alignment, SourceLocation where);
  [[noreturn]] static void fail(std::size_t bytes, detail::ArenaRefusal refusal,
                                SourceLocation where);
  void note([[maybe_unused]] std::size_t bytes, [[maybe_unused]] SourceLocation where) noexcept {
#ifndef NDEBUG
    front_.state->record.note_allocation(bytes, where);
#endif
  }

  detail::ArenaFront front_;
};

/// The document's macros: an allocation that knows its file and line.
#define ALLOC(arena, nbytes)                          \
  ((arena).alloc((nbytes), alignof(std::max_align_t), \
                 ::stadion::SourceLocation{__FILE__, __LINE__}))
#define CALLOC(arena, count, nbytes) \
  ((arena).calloc((count), (nbytes), ::stadion::SourceLocation{__FILE__, __LINE__}))

inline void* Arena::alloc_fast(std::size_t bytes, std::size_t alignment) noexcept {
  STADION_ASSERT(std::has_single_bit(alignment));
  if (front_.owned_by_this_thread() && alignment <= kArenaAlignmentMax) [[likely]] {
    return front_.owned.bump(bytes, alignment);
  }
  return nullptr;
}

inline void* Arena::alloc(std::size_t bytes, std::size_t alignment, SourceLocation where) {
  void* memory = alloc_fast(bytes, alignment);
  if (memory == nullptr) [[unlikely]] {
    memory = alloc_or_fail(bytes, alignment, where);
  }
  note(bytes, where);
  return memory;
}

inline void* Arena::try_alloc(std::size_t bytes, std::size_t alignment) noexcept {
  if (void* memory = alloc_fast(bytes, alignment)) [[likely]] {
    return memory;
  }
  detail::ArenaRefusal refusal;
  return front_.state->alloc_slow(bytes, alignment, refusal);
}

inline bool Arena::extend(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept {
  if (front_.owned_by_this_thread() && !front_.owned.ends_with(memory, bytes)) {
    return false;
  }
  return extend_last(memory, bytes, new_bytes);
}

inline void Arena::dispose() noexcept {
  if (!is_disposed()) {
    front_.dispose();
    front_.state = &detail::disposed_arena;
    front_.owner = detail::disposed_front.owner;
    front_.owned = detail::Lane();
  }
}

template <class T, class... Args>
T& Arena::make(Args&&... args) {
  static_assert(alignof(T) <= kArenaAlignmentMax);
  if constexpr (std::is_trivially_destructible_v<T>) {
    void* memory = alloc(sizeof(T), alignof(T), SourceLocation{});
    return *std::construct_at(static_cast<T*>(memory), std::forward<Args>(args)...);
  } else {
    struct Owed : detail::Obligation {
      alignas(T) std::byte storage[sizeof(T)];
      T* object() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
    };
    auto* owed = ::new (alloc(sizeof(Owed), alignof(Owed), SourceLocation{})) Owed;
    T* object = std::construct_at(reinterpret_cast<T*>(owed->storage), std::forward<Args>(args)...);
    // Linked only after construction: an object whose constructor throws has no destructor to run.
    owed->destroy = [](detail::Obligation* obligation) noexcept {
      std::destroy_at(static_cast<Owed*>(obligation)->object());
    };
    detail::Lane* lane = &front_.owned;
    if (!front_.owned_by_this_thread()) [[unlikely]] {
      lane = front_.state->this_threads_lane();
    }
    lane->push_obligation(*owed);
    return *object;
  }
}

template <class T>
std::span<T> Arena::make_array(std::size_t count, SourceLocation where) {
  static_assert(std::is_trivially_destructible_v<T>, "an array's elements are not destroyed");
  static_assert(alignof(T) <= kArenaAlignmentMax);
  if (count > kArenaAllocationBytesMax / sizeof(T)) {
    fail(kArenaNoLimit, {"count times size is too large"}, where);
  }
  T* first = static_cast<T*>(alloc(count * sizeof(T), alignof(T), where));
  std::uninitialized_value_construct_n(first, count);
  return {first, count};
}

inline std::string_view Arena::copy(std::string_view text, SourceLocation where) {
  if (text.empty()) {
    return {};
  }
  char* bytes = static_cast<char*>(alloc(text.size(), 1, where));
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

}  // namespace stadion
