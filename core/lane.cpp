// SPDX-License-Identifier: MIT
#include "core/lane.hpp"

#include <algorithm>

namespace stadion::detail {
namespace {

std::uintptr_t address(const void* memory) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory);
}

void scrub_between(std::uintptr_t begin, std::uintptr_t end) noexcept {
  scrub(reinterpret_cast<void*>(begin), end - begin);
}

}  // namespace

bool Lane::extend(void* memory, std::size_t bytes, std::size_t new_bytes) noexcept {
  const std::uintptr_t start = address(memory);
  if (start > position || position - start != round_to_granule(bytes) || new_bytes > end - start) {
    return false;
  }
  position = start + round_to_granule(new_bytes);
  if (new_bytes < bytes) {
    scrub_between(start + new_bytes, start + round_to_granule(bytes));
  }
  unpoison(memory, new_bytes);
  return true;
}

std::size_t Lane::bytes_used_max() const noexcept { return std::max(used_max, bytes_used()); }

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
  if (current == mark.current) {
    scrub_between(mark.position, position);
  } else {
    Chunk* chunk = first;
    if (mark.current != nullptr) {
      scrub_between(mark.position, address(mark.current->end()));
      chunk = mark.current->next;
    }
    for (;; chunk = chunk->next) {
      scrub(chunk->begin(), chunk->capacity());
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
