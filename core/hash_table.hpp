// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "core/hash.hpp"

namespace stadion {

/// A hash table whose memory is an arena's: the document's `HashTable_new(arena, n)`.
///
/// Open addressing with linear probing; the hash is seeded per process, so that hostile keys don't
/// collide. A table that outgrows its slots takes twice as many and leaves the old ones to the
/// arena, so give the expected size. Text keys are views: their bytes must live as long as the
/// entry (`arena.copy(key)`).
///
/// Lifetime   The arena outlives the table, unless keys and values need no destructor. A pointer to a value is valid until the next insertion
///            or erasure. Entries are destroyed with the table; `arena.make<HashTable<…>>` ties
///            that to the arena.
/// Threads    One at a time.
/// Throws     ArenaFailed when it grows; the table is then as it was.
/// Source     Document "Arena Memory Model".
template <class Key, class Value>
class HashTable {
 public:
  static_assert(!std::is_same_v<Key, const char*> && !std::is_same_v<Key, char*>,
                "a pointer to text would be compared by address: use std::string_view");

  /// Room for `expected` entries before the first growth.
  explicit HashTable(Arena& arena, std::size_t expected = 0, HashSeed seed = process_hash_seed())
      : arena_(&arena), seed_(seed) {
    if (expected > 0) {
      allocate_slots(slots_for(expected));
    }
  }
  ~HashTable() {
    // Where nothing needs to be destroyed the slots are not looked at: the arena may be gone already.
    if constexpr (!std::is_trivially_destructible_v<Key> ||
                  !std::is_trivially_destructible_v<Value>) {
      clear();
    }
  }

  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;

  /// The key's value, or null.
  [[nodiscard]] Value* find(const Key& key) noexcept {
    const std::size_t index = index_of(key);
    return index == kNone ? nullptr : &slots_[index].entry()->value;
  }
  [[nodiscard]] const Value* find(const Key& key) const noexcept {
    return const_cast<HashTable*>(this)->find(key);
  }
  [[nodiscard]] bool contains(const Key& key) const noexcept { return index_of(key) != kNone; }

  /// Constructs the value when the key is new; answers it, and whether it is new.
  template <class... Args>
  std::pair<Value&, bool> try_emplace(const Key& key, Args&&... args) {
    if (Value* present = find(key)) {
      return {*present, false};
    }
    // Made before the table grows: key and arguments may refer to an entry of this table.
    Entry entry{key, Value(std::forward<Args>(args)...)};
    grow_if_full();
    const std::uint64_t hash = hash_of(entry.key);
    const std::size_t index = free_index(hash);
    ::new (slots_[index].storage) Entry(std::move(entry));
    slots_[index].hash = hash;
    ++size_;
    return {slots_[index].entry()->value, true};
  }

  Value& insert_or_assign(const Key& key, Value value) {
    auto [slot, is_new] = try_emplace(key, std::move(value));
    if (!is_new) {
      slot = std::move(value);
    }
    return slot;
  }

  /// Whether there was such a key.
  bool erase(const Key& key) noexcept {
    std::size_t hole = index_of(key);
    if (hole == kNone) {
      return false;
    }
    std::destroy_at(slots_[hole].entry());
    // Entries behind the hole move up, unless that would put them before their home: no tombstones
    // are needed.
    for (std::size_t at = next(hole); slots_[at].hash != kFree; at = next(at)) {
      const std::size_t distance_from_home = (at - home_of(slots_[at].hash)) & mask_;
      if (distance_from_home >= ((at - hole) & mask_)) {
        move_entry(slots_[at], slots_[hole]);
        hole = at;
      }
    }
    slots_[hole].hash = kFree;
    --size_;
    return true;
  }

  /// Destroys the entries and keeps the slots.
  void clear() noexcept {
    if (size_ == 0) {
      return;
    }
    for (std::size_t index = 0; index < slot_count_; ++index) {
      if (slots_[index].hash != kFree) {
        std::destroy_at(slots_[index].entry());
        slots_[index].hash = kFree;
      }
    }
    size_ = 0;
  }

  /// Calls `visit(const Key&, Value&)` for every entry, in no order. The table must not change
  /// meanwhile.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t index = 0; index < slot_count_; ++index) {
      if (slots_[index].hash != kFree) {
        visit(std::as_const(slots_[index].entry()->key), slots_[index].entry()->value);
      }
    }
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// How many entries fit before the next growth.
  std::size_t capacity() const noexcept { return slot_count_ / 4 * 3; }

 private:
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kSlotsMin = 8;

  struct Entry {
    Key key;
    Value value;
  };
  struct Slot {
    std::uint64_t hash;  ///< kFree when there is no entry.
    alignas(Entry) std::byte storage[sizeof(Entry)];

    Entry* entry() noexcept { return std::launder(reinterpret_cast<Entry*>(storage)); }
  };

  static std::size_t slots_for(std::size_t entries) noexcept {
    // More than an arena could ever hold stays more than that, without overflow on the way.
    const std::size_t bounded = std::min(entries, kArenaAllocationBytesMax);
    return std::max(std::bit_ceil(bounded + bounded / 3 + 1), kSlotsMin);
  }
  std::uint64_t hash_of(const Key& key) const noexcept {
    const std::uint64_t hash = Hash<Key>{}(key, seed_);
    return hash == kFree ? 1 : hash;
  }
  std::size_t home_of(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>(hash) & mask_;
  }
  std::size_t next(std::size_t index) const noexcept { return (index + 1) & mask_; }

  std::size_t index_of(const Key& key) const noexcept {
    if (size_ == 0) {
      return kNone;
    }
    const std::uint64_t hash = hash_of(key);
    for (std::size_t index = home_of(hash); slots_[index].hash != kFree; index = next(index)) {
      if (slots_[index].hash == hash && slots_[index].entry()->key == key) {
        return index;
      }
    }
    return kNone;
  }

  std::size_t free_index(std::uint64_t hash) const noexcept {
    std::size_t index = home_of(hash);
    while (slots_[index].hash != kFree) {
      index = next(index);
    }
    return index;
  }

  void grow_if_full() {
    if (size_ < capacity()) {
      return;
    }
    Slot* const old_slots = slots_;
    const std::size_t old_count = slot_count_;
    allocate_slots(std::max(old_count * 2, kSlotsMin));
    for (std::size_t index = 0; index < old_count; ++index) {
      if (old_slots[index].hash != kFree) {
        move_entry(old_slots[index], slots_[free_index(old_slots[index].hash)]);
      }
    }
  }

  void allocate_slots(std::size_t count) {
    auto* slots = static_cast<Slot*>(arena_->alloc(count * sizeof(Slot), alignof(Slot)));
    for (std::size_t index = 0; index < count; ++index) {
      slots[index].hash = kFree;
    }
    slots_ = slots;
    slot_count_ = count;
    mask_ = count - 1;
  }

  static void move_entry(Slot& from, Slot& to) noexcept {
    ::new (to.storage) Entry{std::move(*from.entry())};
    std::destroy_at(from.entry());
    to.hash = from.hash;
    from.hash = kFree;
  }

  Arena* arena_;
  HashSeed seed_;
  Slot* slots_ = nullptr;
  std::size_t slot_count_ = 0;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

}  // namespace stadion
