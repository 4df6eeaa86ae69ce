// SPDX-License-Identifier: MIT
#include "tests/support/arena_model.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "tests/support/pattern.hpp"

namespace stadion::tests {

bool Territory::claim(const unsigned char* begin, std::size_t bytes) {
  if (bytes == 0) {
    return true;
  }
  const unsigned char* end = begin + bytes;
  const auto after = ends_.lower_bound(begin);
  const bool is_free = (after == ends_.end() || end <= after->first) &&
                       (after == ends_.begin() || std::prev(after)->second <= begin);
  ends_[begin] = end;
  return is_free;
}

void ArenaModel::begin(std::uint64_t owner, std::size_t limit_bytes) {
  owner_ = owner;
  limit_bytes_ = limit_bytes;
  used_max_ = 0;
}

void ArenaModel::add_block(std::uint64_t thread, void* memory, std::size_t bytes,
                           std::size_t alignment) {
  verdict_.check(memory != nullptr, "handed out the null pointer");
  verdict_.check(reinterpret_cast<std::uintptr_t>(memory) % alignment == 0, "not aligned");
  ModelBlock block;
  block.begin = static_cast<unsigned char*>(memory);
  block.bytes = bytes;
  block.alignment = alignment;
  block.pattern = static_cast<unsigned char>(1 + last_number_ % 251);
  if (!verdict_.has_failed()) {
    fill(block.begin, bytes, block.pattern);
  }
  add_filled_block(thread, block);
}

void ArenaModel::add_filled_block(std::uint64_t thread, ModelBlock block) {
  block.lane = lane_of(thread);
  enter(block);
}

void ArenaModel::enter(ModelBlock block) {
  block.number = ++last_number_;
  verdict_.check(territory_.claim(block.begin, block.bytes), "overlaps what was handed out before");
  last_of_lane_[block.lane] = block.number;
  blocks_.push_back(block);
}

void ArenaModel::replay(std::uint64_t thread, std::span<const WitnessEvent> events) {
  std::set<std::uint64_t> destroyed;
  for (const WitnessEvent& event : events) {
    if (!event.is_birth) {
      destroyed.insert(event.id);
    }
  }
  for (const WitnessEvent& event : events) {
    verdict_.check(event.is_intact, "an object was overwritten");
    if (event.is_birth) {
      birth(lane_of(thread), event, !destroyed.contains(event.id));
    } else {
      death(event);
    }
  }
}

// One that is destroyed already has no place: another thread may have it by now.
void ArenaModel::birth(std::uint64_t lane, const WitnessEvent& event, bool stays) {
  witnesses_[lane].push_back(event.id);
  lane_of_witness_[event.id] = lane;
  last_of_lane_.erase(lane);
  if (stays) {
    ModelBlock block;
    block.lane = lane;
    block.begin = static_cast<unsigned char*>(event.memory);
    block.bytes = event.bytes;
    block.witness = event.id;
    enter(block);
    last_of_lane_.erase(lane);  // A whole object is not extended.
  }
}

void ArenaModel::death(const WitnessEvent& event) {
  const auto lane = lane_of_witness_.find(event.id);
  verdict_.check(lane != lane_of_witness_.end(), "destroyed an object twice, or another's");
  if (lane == lane_of_witness_.end()) {
    return;
  }
  std::vector<std::uint64_t>& stack = witnesses_[lane->second];
  verdict_.check(!stack.empty() && stack.back() == event.id,
                 "objects of one thread were not destroyed in reverse order");
  std::erase(stack, event.id);
  lane_of_witness_.erase(lane);
  remove_if([&event](const ModelBlock& block) { return block.witness == event.id; });
}

template <class Predicate>
void ArenaModel::remove_if(Predicate&& predicate) {
  std::erase_if(blocks_, [&](const ModelBlock& block) {
    const bool removed = predicate(block);
    if (removed && block.bytes > 0) {
      territory_.give_up(block.begin);
    }
    return removed;
  });
}

const ModelBlock* ArenaModel::last_block(std::uint64_t thread) const {
  const auto last = last_of_lane_.find(lane_of(thread));
  if (last == last_of_lane_.end()) {
    return nullptr;
  }
  const auto block = std::find_if(blocks_.begin(), blocks_.end(), [&last](const ModelBlock& each) {
    return each.number == last->second;
  });
  return block != blocks_.end() ? &*block : nullptr;
}

void ArenaModel::extend(const ModelBlock& extended, std::size_t bytes) {
  ModelBlock& block = blocks_[static_cast<std::size_t>(&extended - blocks_.data())];
  verdict_.check(
      is_filled(block.begin, std::min({block.bytes, bytes, kPatternEndBytes}), block.pattern),
      "extend() lost what was there");
  for (const auto& [thread, scopes] : scopes_) {
    for (const Scope& scope : scopes) {
      verdict_.check(lane_of(thread) != block.lane || block.number >= scope.first_number,
                     "extend() changed what is older than a scope");
    }
  }
  if (block.bytes > 0) {
    territory_.give_up(block.begin);
  }
  block.bytes = bytes;
  verdict_.check(territory_.claim(block.begin, bytes), "extend() took what was handed out");
  if (!verdict_.has_failed()) {
    fill(block.begin, bytes, block.pattern);
  }
}

// What the thread made in a lane of its own counts as the owner's from now on.
void ArenaModel::adopt(std::uint64_t thread) {
  if (!is_owner(thread)) {
    std::vector<std::uint64_t>& owned = witnesses_[0];
    for (const std::uint64_t id : std::exchange(witnesses_[thread], {})) {
      owned.push_back(id);
      lane_of_witness_[id] = 0;
    }
  }
  owner_ = thread;
}

void ArenaModel::begin_scope(std::uint64_t thread) {
  const std::uint64_t lane = lane_of(thread);
  const auto last = last_of_lane_.find(lane);
  scopes_[thread].push_back(
      {last_number_ + 1, witnesses_[lane].size(), last != last_of_lane_.end() ? last->second : 0});
}

void ArenaModel::end_scope(std::uint64_t thread) {
  const std::uint64_t lane = lane_of(thread);
  Scope scope = std::move(scopes_[thread].back());
  scopes_[thread].pop_back();
  verdict_.check(witnesses_[lane].size() == scope.object_count,
                 "a scope did not destroy exactly its own objects");
  remove_if([&](const ModelBlock& block) {
    return block.lane == lane && block.number >= scope.first_number;
  });
  last_of_lane_[lane] = scope.last_number;
}

std::size_t ArenaModel::scope_count(std::uint64_t thread) const {
  const auto scopes = scopes_.find(thread);
  return scopes != scopes_.end() ? scopes->second.size() : 0;
}

void ArenaModel::forget_all() {
  verdict_.check(lane_of_witness_.empty(), "an object was not destroyed");
  remove_if([](const ModelBlock&) { return true; });
  asked_lanes_.clear();
  last_of_lane_.clear();
  witnesses_.clear();
  lane_of_witness_.clear();
  scopes_.clear();
}

void ArenaModel::check_contents() const {
  for (const ModelBlock& block : blocks_) {
    verdict_.check(block.witness != 0 || is_filled(block.begin, block.bytes, block.pattern),
                   "a block was overwritten");
  }
}

void ArenaModel::check_statistics(const ArenaStatistics& statistics) {
  std::size_t bytes = 0;
  for (const ModelBlock& block : blocks_) {
    bytes += block.bytes;
  }
  verdict_.check(statistics.bytes_used >= bytes, "less is used than was handed out");
  verdict_.check(statistics.bytes_used <= statistics.bytes_used_max, "used_max is below used");
  verdict_.check(statistics.bytes_used + statistics.bytes_wasted <= statistics.bytes_reserved,
                 "more is used and wasted than reserved");
  verdict_.check(statistics.bytes_used_max >= used_max_, "used_max went down");
  verdict_.check(statistics.bytes_reserved <= limit_bytes_, "more is reserved than the limit");
  verdict_.check((statistics.chunks == 0) == (statistics.bytes_reserved == 0),
                 "chunks without bytes, or bytes without chunks");
  verdict_.check(statistics.lanes <= asked_lanes_.size() + 1, "more lanes than threads");
  used_max_ = statistics.bytes_used_max;
}

}  // namespace stadion::tests
