// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/pattern.hpp"

namespace stadion::tests {

/// What happened to a Witness.
struct WitnessEvent {
  bool is_birth;
  bool is_intact;  ///< Whether a destroyed one still held what it was made with.
  std::uint64_t id;
  std::size_t arena;
  void* memory;
  std::size_t bytes;
};

/// What happened on this thread, in this order, since somebody took it. Each thread has its own: one
/// under a lock would order what the arena itself does not order, and hide a race from
/// ThreadSanitizer.
inline thread_local std::vector<WitnessEvent> witness_events;

/// What a Witness does besides being there.
struct WitnessOrders {
  Arena* arena = nullptr;
  std::size_t arena_index = 0;
  unsigned descendants = 0;      ///< So many, one after the other, are made by destructors.
  bool makes_another = false;    ///< In its constructor, before it is itself made.
  bool refuses_to_live = false;  ///< Its constructor throws.
};

struct WitnessRefusesToLive {};

inline std::uint64_t next_witness_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// An object in an arena that reports its construction and its destruction.
template <std::size_t kBytes, std::size_t kAlignment = alignof(std::max_align_t)>
class alignas(kAlignment) Witness {
 public:
  explicit Witness(const WitnessOrders& orders) : orders_(orders) {
    fill(payload_.data(), kBytes, pattern());
    if (orders.makes_another) {
      make_another({.arena = orders.arena, .arena_index = orders.arena_index});
    }
    if (orders.refuses_to_live) {
      throw WitnessRefusesToLive{};
    }
    report(true);
  }
  ~Witness() {
    report(false);
    if (orders_.descendants > 0) {
      WitnessOrders fewer = orders_;
      --fewer.descendants;
      make_another(fewer);
    }
  }

  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

 private:
  static void make_another(const WitnessOrders& orders) {
    try {
      orders.arena->make<Witness<16>>(orders);
    } catch (const ArenaFailed&) {
      // Then there is one less.
    }
  }

  unsigned char pattern() const noexcept { return static_cast<unsigned char>(id_ % 251); }
  void report(bool is_birth) {
    const bool is_intact = is_filled(payload_.data(), kBytes, pattern());
    witness_events.push_back({is_birth, is_intact, id_, orders_.arena_index, this, sizeof *this});
  }

  std::uint64_t id_ = next_witness_id();
  WitnessOrders orders_;
  std::array<unsigned char, kBytes> payload_;
};

}  // namespace stadion::tests
