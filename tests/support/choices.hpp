// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stadion::tests {

/// The decisions of a random program, taken from bytes: a fuzzer's input, or those of a seeded
/// generator.
///
/// Lifetime   The bytes must outlive it.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}

  /// A number below `bound`; small bounds take one byte. 0 when the bytes are used up.
  std::size_t pick(std::size_t bound) noexcept {
    std::size_t number = 0;
    for (std::size_t range = 1; range < bound; range <<= 8) {
      number = number << 8 | take_byte();
    }
    return number % bound;
  }
  bool one_in(std::size_t count) noexcept { return pick(count) == count - 1; }

  bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::uint8_t take_byte() noexcept {
    if (rest_.empty()) {
      return 0;
    }
    const std::uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }

  std::span<const std::uint8_t> rest_;
};

}  // namespace stadion::tests
