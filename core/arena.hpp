// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/assert.hpp"
#include "core/poison.hpp"
#include "core/source_location.hpp"
#include "core/thread_cache.hpp"

namespace stadion {

/// Raised by an arena that cannot hand out what was asked for: the document's Arena_Failed. The
/// arena stays usable.
///
/// what() says how much was asked, why it failed and where; it needs no memory.
class ArenaFailed : public std::bad_alloc {
 public:
  ArenaFailed(std::size_t bytes, const char* reason, SourceLocation where) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[256];
};

inline constexpr std::size_t kArenaChunkBytes = 64 * 1024;
inline constexpr std::size_t kArenaNoLimit = std::numeric_limits<std::size_t>::max();
/// One allocation is at most this large: 64 GiB.
inline constexpr std::size_t kArenaAllocationBytesMax = std::size_t{1} << 36;
inline constexpr std::size_t kArenaAlignmentMax = 4096;

struct ArenaOptions {
  /// Size of the first chunks, rounded up to a power of two and to at least 1 KiB. Default is 64
  /// KiB.
  std::size_t chunk_bytes = kArenaChunkBytes;
  /// Budget for all chunks together; over it, allocation raises ArenaFailed. Default is no limit.
  std::size_t limit_bytes = kArenaNoLimit;
};

/// Hands out memory that is released all at once: by clear() for reuse, or by dispose() or the
/// destructor.
///
/// Lifetime   A pointer from this arena is valid until the next clear() or dispose().
/// Threads    Any number of threads may allocate at once; clear() and dispose() need exclusive
///            access. The thread that made the arena (its owner) allocates without a lock, the
///            others share a second lane under one.
/// Limits     One allocation is at most kArenaAllocationBytesMax, its alignment at most
///            kArenaAlignmentMax, and all chunks together at most ArenaOptions::limit_bytes.
/// Throws     ArenaFailed when the system has no memory, a limit would be passed, or the arena was
///            disposed.
/// Cost       A pointer bump; when the chunk is full, a visit to the thread's cache of chunks.
///            Making an arena allocates nothing; its first chunk is taken with its first
///            allocation.
/// Source     Document "Core API", "Thread Safety", Patterns 1 to 4.
class Arena {
 public:
  explicit Arena(ArenaOptions options = {}) noexcept;
  ~Arena() { dispose(); }

  /// Not movable either: what lives in an arena may refer to it. Hand over a pointer, or hold it in
  /// an optional.
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` of uninitialised memory; never null. Zero bytes give a pointer of its own all the
  /// same. Requires `alignment` to be a power of two.
  [[nodiscard]] void* alloc(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t),
                            SourceLocation where = SourceLocation::current());

  /// The same, but null where alloc() throws.
  [[nodiscard]] void* try_alloc(std::size_t bytes,
                                std::size_t alignment = alignof(std::max_align_t)) noexcept;

  /// `count` times `bytes` of zeroed memory. A product that cannot be represented raises
  /// ArenaFailed.
  [[nodiscard]] void* calloc(std::size_t count, std::size_t bytes,
                             SourceLocation where = SourceLocation::current());

  /// Constructs a T in the arena. A destructor that does something is run at clear() or dispose(),
  /// in reverse order of construction: those that other threads made, then those of the owner.
  template <class T, class... Args>
  T& make(Args&&... args);

  /// `count` value-initialised elements, whose type needs no destructor.
  template <class T>
  std::span<T> make_array(std::size_t count, SourceLocation where = SourceLocation::current());

  /// A copy of the text that lives as long as the arena's memory.
  std::string_view copy(std::string_view text, SourceLocation where = SourceLocation::current());

  /// Runs the destructors and takes back every allocation; the memory is kept for reuse, the same
  /// bytes come back.
  void clear() noexcept;

  /// Runs the destructors and frees everything. From then on the arena refuses: alloc() raises
  /// ArenaFailed.
  void dispose() noexcept;

  bool is_disposed() const noexcept { return disposed_; }

  /// Bytes handed out since the last clear(), alignment gaps included. Needs exclusive access.
  std::size_t bytes_used() const noexcept { return owned_.bytes_used() + shared_.bytes_used(); }
  /// Bytes of all chunks that this arena holds, in use or kept by clear(). From any thread.
  std::size_t bytes_reserved() const noexcept { return reserved_.load(std::memory_order_relaxed); }

  /// How many arenas are made and not disposed, process-wide: equal before and after code that
  /// leaks none.
  static std::size_t debug_live_count() noexcept { return detail::live_arenas(); }
  /// Bytes of all chunks of all live arenas.
  static std::size_t debug_live_bytes() noexcept { return detail::bytes_in_arenas(); }
  /// Gives the chunks that this thread keeps for its next arenas (2 MiB at the most) back to the
  /// system.
  static void trim() noexcept { detail::trim_thread_cache(); }

 private:
  /// An object whose destructor is to be run.
  struct Obligation {
    void (*destroy)(void* object) noexcept;
    void* object;
    Obligation* earlier;
  };

  /// A run of chunks from which one thread at a time bumps.
  struct Lane {
    std::uintptr_t position = 0;
    std::uintptr_t end = 0;
    std::uintptr_t begin = 0;
    detail::Chunk* chunks = nullptr;  ///< In use.
    detail::Chunk* kept =
        nullptr;  ///< By clear(), for reuse; the one that was used first is first.
    std::size_t bytes_in_full_chunks = 0;
    std::size_t chunk_count = 0;
    Obligation* obligations = nullptr;

    void* bump(std::size_t bytes, std::size_t alignment) noexcept;
    std::size_t bytes_used() const noexcept { return bytes_in_full_chunks + (position - begin); }
    void open(detail::Chunk& chunk) noexcept;
    void push(detail::Chunk& chunk) noexcept;
    detail::Chunk* take_kept(std::size_t bytes, std::size_t bytes_max) noexcept;
    void destroy_objects() noexcept;
    void keep_chunks() noexcept;
  };

  bool owned_by_this_thread() const noexcept { return owner_ == detail::thread_id; }
  void* alloc_fast(std::size_t bytes, std::size_t alignment) noexcept;
  void* alloc_slow(std::size_t bytes, std::size_t alignment, const char** failure) noexcept;
  void* alloc_from_new_chunk(Lane& lane, std::size_t bytes, std::size_t alignment,
                             const char** failure) noexcept;
  detail::Chunk* take_chunk(Lane& lane, std::size_t bytes, std::size_t preferred_bytes,
                            const char** failure) noexcept;
  detail::Chunk* reserve_chunk(std::size_t bytes, const char** failure) noexcept;
  void free_chunks(detail::Chunk*& list) noexcept;
  void free_outgrown(Lane& lane, std::size_t bytes) noexcept;
  void link(Obligation& obligation) noexcept;
  [[noreturn]] static void fail(std::size_t bytes, const char* reason, SourceLocation where);

  // Read by all threads, written at construction and disposal only.
  const std::uint64_t owner_;
  const std::size_t chunk_bytes_;
  const std::size_t limit_bytes_;
  bool disposed_ = false;

  // Written by the owner alone: on a cache line of its own.
  alignas(64) Lane owned_;

  // The other threads' lane, guarded by mutex_.
  alignas(64) std::mutex mutex_;
  Lane shared_;
  std::atomic<std::size_t> reserved_{0};
};

/// The document's macros: an allocation that knows its file and line.
#define ALLOC(arena, nbytes)                          \
  ((arena).alloc((nbytes), alignof(std::max_align_t), \
                 ::stadion::SourceLocation{__FILE__, __LINE__}))
#define CALLOC(arena, count, nbytes) \
  ((arena).calloc((count), (nbytes), ::stadion::SourceLocation{__FILE__, __LINE__}))

inline void* Arena::Lane::bump(std::size_t bytes, std::size_t alignment) noexcept {
  const std::uintptr_t start = (position + alignment - 1) & ~(alignment - 1);
  // Compared as the room that is left, so that no size can overflow. Without a chunk, all three are
  // 0.
  if (start > end || bytes > end - start) [[unlikely]] {
    return nullptr;
  }
  position = start + bytes;
  auto* memory = reinterpret_cast<void*>(start);
  detail::unpoison(memory, bytes);
  return memory;
}

inline void* Arena::alloc_fast(std::size_t bytes, std::size_t alignment) noexcept {
  STADION_ASSERT(std::has_single_bit(alignment));
  if (owned_by_this_thread() && alignment <= kArenaAlignmentMax) [[likely]] {
    return owned_.bump(bytes, alignment);
  }
  return nullptr;
}

inline void* Arena::alloc(std::size_t bytes, std::size_t alignment, SourceLocation where) {
  bytes += static_cast<std::size_t>(bytes == 0);
  if (void* memory = alloc_fast(bytes, alignment)) [[likely]] {
    return memory;
  }
  const char* failure = nullptr;
  void* memory = alloc_slow(bytes, alignment, &failure);
  if (memory == nullptr) [[unlikely]] {
    fail(bytes, failure, where);
  }
  return memory;
}

inline void* Arena::try_alloc(std::size_t bytes, std::size_t alignment) noexcept {
  bytes += static_cast<std::size_t>(bytes == 0);
  if (void* memory = alloc_fast(bytes, alignment)) [[likely]] {
    return memory;
  }
  const char* failure = nullptr;
  return alloc_slow(bytes, alignment, &failure);
}

template <class T, class... Args>
T& Arena::make(Args&&... args) {
  static_assert(alignof(T) <= kArenaAlignmentMax);
  if constexpr (std::is_trivially_destructible_v<T>) {
    void* memory = alloc(sizeof(T), alignof(T), SourceLocation{});
    return *std::construct_at(static_cast<T*>(memory), std::forward<Args>(args)...);
  } else {
    // Linked only after construction: an object whose constructor throws has no destructor to run.
    auto& obligation = make<Obligation>();
    void* memory = alloc(sizeof(T), alignof(T), SourceLocation{});
    T* object = std::construct_at(static_cast<T*>(memory), std::forward<Args>(args)...);
    obligation.destroy = [](void* made) noexcept { std::destroy_at(static_cast<T*>(made)); };
    obligation.object = object;
    link(obligation);
    return *object;
  }
}

template <class T>
std::span<T> Arena::make_array(std::size_t count, SourceLocation where) {
  static_assert(std::is_trivially_destructible_v<T>, "an array's elements are not destroyed");
  static_assert(alignof(T) <= kArenaAlignmentMax);
  if (count > kArenaAllocationBytesMax / sizeof(T)) {
    fail(kArenaNoLimit, "count times size is too large", where);
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
