// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace stadion::tests {

/// Of a large block only both ends are written and read: a random program has many.
inline constexpr std::size_t kPatternEndBytes = 4096;

inline void fill(unsigned char* memory, std::size_t bytes, unsigned char pattern) noexcept {
  const std::size_t end_bytes = std::min(bytes, kPatternEndBytes);
  std::memset(memory, pattern, end_bytes);
  std::memset(memory + (bytes - end_bytes), pattern, end_bytes);
}

/// Whether all of the bytes have the same value.
inline bool is_all(const unsigned char* memory, std::size_t bytes, unsigned char value) noexcept {
  return bytes == 0 || (memory[0] == value && std::memcmp(memory, memory + 1, bytes - 1) == 0);
}

/// Whether what fill() wrote is there.
inline bool is_filled(const unsigned char* memory, std::size_t bytes,
                      unsigned char pattern) noexcept {
  const std::size_t end_bytes = std::min(bytes, kPatternEndBytes);
  return is_all(memory, end_bytes, pattern) &&
         is_all(memory + (bytes - end_bytes), end_bytes, pattern);
}

}  // namespace stadion::tests
