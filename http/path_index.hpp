// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stadion::http {

/// Finds what belongs to a whole path, with one look as a rule. Internal to http/.
///
/// An open hash table with linear probing, at most half full. Its hash is quick and no secret: the
/// paths in it are the program's own, and looking for a hostile one adds nothing.
template <class T>
class PathIndex {
 public:
  /// Requires that the path is not there yet.
  void add(std::string_view path, T& value) {
    if (2 * (size_ + 1) > slots_.size()) {
      grow();
    }
    slot_of(path) = {std::string(path), &value};
    ++size_;
  }

  /// Null where there is none.
  T* find(std::string_view path) const noexcept {
    return slots_.empty() ? nullptr : const_cast<PathIndex*>(this)->slot_of(path).value;
  }

 private:
  struct Slot {
    std::string path{};
    T* value = nullptr;
  };

  static constexpr std::size_t kSlotsMin = 16;

  /// Of the size, the first eight bytes and the last eight: paths that differ in the middle alone
  /// share a slot's neighbourhood.
  static std::uint64_t hash_of(std::string_view path) noexcept {
    constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;  // 2^64 / the golden ratio.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (path.size() >= sizeof first) {
      std::memcpy(&first, path.data(), sizeof first);
      std::memcpy(&last, path.data() + path.size() - sizeof last, sizeof last);
    } else {
      for (const char c : path) {
        first = first << 8 | static_cast<unsigned char>(c);
      }
    }
    return ((first ^ path.size()) * kOdd ^ last) * kOdd;
  }

  /// The path's, or the free one where it would be.
  Slot& slot_of(std::string_view path) noexcept {
    std::size_t at = hash_of(path) >> shift_;
    while (slots_[at].value != nullptr && slots_[at].path != path) {
      at = (at + 1) & mask_;
    }
    return slots_[at];
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? kSlotsMin : 2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    shift_ = 64 - std::countr_zero(slots_.size());
    for (Slot& slot : old) {
      if (slot.value != nullptr) {
        slot_of(slot.path) = std::move(slot);
      }
    }
  }

  std::vector<Slot> slots_;  ///< A power of two of them.
  std::size_t mask_ = 0;
  int shift_ = 0;  ///< Of a hash, whose upper bits are the best.
  std::size_t size_ = 0;
};

}  // namespace stadion::http
