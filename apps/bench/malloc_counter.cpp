// SPDX-License-Identifier: MIT

// Preloaded by LD_PRELOAD, it counts who asks for memory, and for how much: the malloc family (which
// operator new calls, too) and mmap. What glibc's malloc itself maps does not come by here.
//
// With the environment's STADION_BENCH_COUNTS, a file of 16 bytes, the counts are kept in that: two
// numbers of 64 bits, calls and bytes, of the process and those that it forks.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

struct Counts {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> bytes{0};
};

Counts own;
std::atomic<Counts*> counts = &own;

void count(std::size_t bytes) {
  Counts& here = *counts.load(std::memory_order_relaxed);
  here.calls.fetch_add(1, std::memory_order_relaxed);
  here.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

[[gnu::constructor]] void count_in_file() {
  const char* path = std::getenv("STADION_BENCH_COUNTS");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file >= 0) {
    const long mapped =
        syscall(SYS_mmap, nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != -1) {
      counts = reinterpret_cast<Counts*>(mapped);
    }
    close(file);
  }
}

}  // namespace

extern "C" {

// glibc's own names for what we stand in front of; dlsym(RTLD_NEXT) would itself call calloc.
// NOLINTBEGIN(bugprone-reserved-identifier): they are glibc's.
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
// NOLINTEND(bugprone-reserved-identifier)

std::size_t stadion_bench_malloc_calls() { return counts.load()->calls.load(); }

void* malloc(std::size_t bytes) {
  count(bytes);
  return __libc_malloc(bytes);
}

void* calloc(std::size_t number, std::size_t bytes) {
  count(number * bytes);
  return __libc_calloc(number, bytes);
}

void* realloc(void* memory, std::size_t bytes) {
  count(bytes);
  return __libc_realloc(memory, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
  count(bytes);
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(bytes);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  count(bytes);
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  count(bytes);
  const long mapped = syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
  return reinterpret_cast<void*>(mapped);  // -1 is MAP_FAILED.
}

}  // extern "C"
