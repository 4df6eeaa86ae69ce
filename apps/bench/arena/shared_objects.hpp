// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace stadion::bench {

/// The functions of a malloc that was loaded beside the process's own, which it does not replace.
struct LoadedHeap {
  void* (*alloc)(std::size_t bytes) = nullptr;
  void* (*alloc_aligned)(std::size_t bytes, std::size_t alignment) = nullptr;
  void (*free)(void* memory) = nullptr;
  std::string version;  ///< Or why it could not be loaded.

  bool is_loaded() const noexcept { return free != nullptr; }
};

/// Loaded once, by load_heaps().
inline LoadedHeap mimalloc_heap;
inline LoadedHeap jemalloc_heap;

/// Loads what is installed. Each must turn out to be what it is called; throws std::runtime_error
/// when one is not, or when the process's malloc is not the C library's.
void load_heaps();

}  // namespace stadion::bench
