// SPDX-License-Identifier: MIT
#include "core/live_arenas.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/state_store.hpp"

namespace stadion {
namespace detail {

namespace {

constinit std::mutex allocations_mutex;  ///< Guards the noted allocations of all records.

template <class Visit>
void for_each_live(Visit&& visit) {
  for (const StateStore* store = newest_store(); store != nullptr; store = store->older) {
    store->for_each_live(visit);
  }
}

LiveArena describe(const ArenaRecord& record) {
  LiveArena arena;
  arena.made = {record.file.load(std::memory_order_acquire),
                record.line.load(std::memory_order_acquire)};
  arena.thread = record.thread.load(std::memory_order_acquire);
  arena.bytes_reserved = record.bytes();
  const std::lock_guard lock(allocations_mutex);
  const std::size_t noted = std::min(record.allocation_count, ArenaRecord::kAllocationsMax);
  for (std::size_t i = 1; i <= noted; ++i) {
    arena.last_allocations.push_back(
        record.allocations[(record.allocation_count - i) % ArenaRecord::kAllocationsMax]);
  }
  return arena;
}

std::string to_string(SourceLocation where) {
  if (where.file == nullptr) {
    return "an unknown place";
  }
  std::string text = where.file;
  text += ':';
  text += std::to_string(where.line);
  return text;
}

}  // namespace

void ArenaRecord::note_allocation(std::size_t bytes, SourceLocation where) noexcept {
  const std::lock_guard lock(allocations_mutex);
  allocations[allocation_count++ % kAllocationsMax] = {bytes, where};
}

void ArenaRecord::forget_allocations() noexcept {
  const std::lock_guard lock(allocations_mutex);
  allocation_count = 0;
}

std::size_t live_arena_count() noexcept {
  std::size_t count = 0;
  for_each_live([&count](const ArenaRecord&) { ++count; });
  return count;
}

std::size_t live_arena_bytes() noexcept {
  std::size_t bytes = 0;
  for_each_live([&bytes](const ArenaRecord& record) { bytes += record.bytes(); });
  return bytes;
}

std::vector<LiveArena> live_arenas() {
  std::vector<LiveArena> all;
  for_each_live([&all](const ArenaRecord& record) {
    const std::uint64_t id = record.id.load(std::memory_order_acquire);
    LiveArena arena = describe(record);
    // An arena that was disposed meanwhile, and one that took its record, are left out.
    if (id != 0 && record.id.load(std::memory_order_relaxed) == id) {
      arena.id = id;
      all.push_back(std::move(arena));
    }
  });
  std::sort(all.begin(), all.end(),
            [](const LiveArena& a, const LiveArena& b) { return a.id < b.id; });
  return all;
}

void live_arenas_lock() noexcept { allocations_mutex.lock(); }

void live_arenas_unlock() noexcept { allocations_mutex.unlock(); }

}  // namespace detail

std::string to_string(const LiveArena& arena) {
  std::string text = "arena " + std::to_string(arena.id) + ", made at ";
  text += detail::to_string(arena.made);
  text += " by thread " + std::to_string(arena.thread) + ", ";
  text += std::to_string(arena.bytes_reserved) + " bytes";
  const char* separator = "; last: ";
  for (const ArenaAllocation& each : arena.last_allocations) {
    text += separator + std::to_string(each.bytes) + " bytes at ";
    text += detail::to_string(each.where);
    separator = ", ";
  }
  return text;
}

}  // namespace stadion
