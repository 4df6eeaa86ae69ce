// SPDX-License-Identifier: MIT
#include "core/lane.hpp"

#include <algorithm>

namespace stadion::detail {
namespace {

std::uintptr_t address(const void* memory) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory);
}

/// What was handed out of the chunk between the two addresses.
void take_back_between(Chunk& chunk, std::uintptr_t begin, std::uintptr_t end) noexcept {
  take_back(&chunk, reinterpret_cast<void*>(begin), end - begin);
}

}  // namespace

bool Lane::extend(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept {
  const std::uintptr_t start = address(memory);
  const bool is_older_than_scope = current == scope_chunk && start < scope_position;
  if (bytes == 0 || is_older_than_scope) {
    return false;  // The scope's end would take back, or not give back, what is changed now.
  }
  if (!ends_with(memory, bytes) || new_bytes > end - start) {
    return false;
  }
  used_max = bytes_used_max();
  position = start + round_to_granule(new_bytes);
  resize(current, memory, bytes, new_bytes);
  return true;
}

std::size_t Lane::bytes_used_max() const noexcept { return std::max(used_max, bytes_used()); }

void Lane::push_obligations(Lane& other) noexcept {
  if (other.obligations == nullptr) {
    return;
  }
  Obligation* oldest = other.obligations;
  while (oldest->earlier != nullptr) {
    oldest = oldest->earlier;
  }
  oldest->earlier = obligations;
  obligations = other.obligations;
  other.obligations = nullptr;
}

void Lane::destroy_down_to(const Obligation* earlier) noexcept {
  // A destructor may itself make objects in this lane: they are newer, and come next.
  while (obligations != earlier) {
    Obligation* newest = obligations;
    obligations = newest->earlier;
    newest->destroy(newest);
  }
}

void Lane::rewind(const LaneMark& mark) noexcept {
  used_max = bytes_used_max();
  if (current == nullptr) {
    // Nothing was handed out since.
  } else if (current == mark.current) {
    take_back_between(*current, mark.position, position);
  } else {
    Chunk* chunk = first;
    if (mark.current != nullptr) {
      take_back_between(*mark.current, mark.position, address(mark.current->end()));
      chunk = mark.current->next;
    }
    for (;; chunk = chunk->next) {
      take_back_between(*chunk, address(chunk->begin()), address(chunk->end()));
      if (chunk == current) {
        break;
      }
    }
  }
  current = mark.current;
  position = mark.position;
  end = current != nullptr ? address(current->end()) : kNowhere;
  bytes_before = mark.bytes_before;
  blocks_in_use = mark.blocks_in_use;
}

}  // namespace stadion::detail
