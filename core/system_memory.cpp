// SPDX-License-Identifier: MIT
#include "core/system_memory.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "core/poison.hpp"

namespace stadion {
namespace {

#ifdef STADION_ASAN
// Everything from the C library, so that LeakSanitizer follows the pointers that arenas hold.
constexpr std::size_t kMappedBytesMin = std::numeric_limits<std::size_t>::max();
#else
/// From this size on blocks are mapped one by one, so that each goes back to the system when it is
/// released: the C library's heap would keep them, and fragment.
constexpr std::size_t kMappedBytesMin = 64 * 1024;
#endif
/// The size of a huge page, of which one stands for 512 page faults and as many entries of the
/// processor's table.
constexpr std::size_t kHugePageBytes = 2 * 1024 * 1024;

void* map(std::size_t bytes) noexcept {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED ? memory : nullptr;
}

/// Aligned, and with the wish for huge pages.
void* map_huge(std::size_t bytes) noexcept {
  auto* memory = static_cast<char*>(map(bytes + kHugePageBytes));
  if (memory == nullptr) {
    return nullptr;
  }
  const std::size_t before =
      (kHugePageBytes - reinterpret_cast<std::uintptr_t>(memory) % kHugePageBytes) % kHugePageBytes;
  if (before > 0) {
    ::munmap(memory, before);
  }
  ::munmap(memory + before + bytes, kHugePageBytes - before);
  ::madvise(memory + before, bytes,
            MADV_HUGEPAGE);  // A wish: without it, it is memory all the same.
  return memory + before;
}

void* default_allocate(std::size_t bytes) noexcept {
  if (bytes < kMappedBytesMin) {
    return std::aligned_alloc(kSystemMemoryAlignment, bytes);
  }
  return bytes < kHugePageBytes ? map(bytes) : map_huge(bytes);
}

void default_release(void* memory, std::size_t bytes) noexcept {
  if (bytes < kMappedBytesMin) {
    std::free(memory);
  } else {
    ::munmap(memory, bytes);
  }
}

constinit std::atomic<void* (*)(std::size_t) noexcept> allocate_function{default_allocate};
constinit std::atomic<void (*)(void*, std::size_t) noexcept> release_function{default_release};

}  // namespace

SystemMemory exchange_system_memory(SystemMemory source) noexcept {
  return {allocate_function.exchange(source.allocate), release_function.exchange(source.release)};
}

namespace detail {

void* system_allocate(std::size_t bytes) noexcept { return allocate_function.load()(bytes); }

void system_release(void* memory, std::size_t bytes) noexcept {
  release_function.load()(memory, bytes);
}

}  // namespace detail
}  // namespace stadion
