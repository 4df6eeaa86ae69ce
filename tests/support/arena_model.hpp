// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/verdict.hpp"
#include "tests/support/witness.hpp"

namespace stadion::tests {

/// The addresses that all arenas have handed out.
class Territory {
 public:
  /// False when some of it was taken. Nothing is no territory: zero bytes are not entered.
  bool claim(const unsigned char* begin, std::size_t bytes);
  void give_up(const unsigned char* begin) { ends_.erase(begin); }

 private:
  std::map<const unsigned char*, const unsigned char*> ends_;  ///< By the beginning.
};

/// What was handed out and is valid.
struct ModelBlock {
  std::uint64_t lane = 0;
  std::uint64_t number = 0;  ///< In the order in which they were handed out.
  unsigned char* begin = nullptr;
  std::size_t bytes = 0;
  std::size_t alignment = 1;
  unsigned char pattern = 0;
  std::uint64_t witness = 0;  ///< The id of the object that it is; 0 when it holds the pattern.
};

/// What an arena has to do, as simply as it can be said: a list of blocks and, for each lane, a stack
/// of objects.
///
/// A lane is what the owner, whoever it is at the time, or one other thread allocates.
///
/// Threads    Used by one.
class ArenaModel {
 public:
  ArenaModel(Verdict& verdict, Territory& territory) : verdict_(verdict), territory_(territory) {}

  void begin(std::uint64_t owner, std::size_t limit_bytes);
  void adopt(std::uint64_t thread);
  bool is_owner(std::uint64_t thread) const noexcept { return thread == owner_; }

  /// The thread asks for something; so it may have chunks from now on.
  void ask(std::uint64_t thread) { asked_lanes_.insert(lane_of(thread)); }
  /// The arena handed this out: checks it and writes a pattern into it.
  void add_block(std::uint64_t thread, void* memory, std::size_t bytes, std::size_t alignment);
  /// The arena handed this out, and somebody has written the pattern into it.
  void add_filled_block(std::uint64_t thread, ModelBlock block);
  /// Objects were made and destroyed on this thread.
  void replay(std::uint64_t thread, std::span<const WitnessEvent> events);
  /// Something was handed out that is not followed.
  void forget_last(std::uint64_t thread) { last_of_lane_.erase(lane_of(thread)); }

  /// The last block of a thread, which it may extend; null when that is something else.
  const ModelBlock* last_block(std::uint64_t thread) const;
  void extend(const ModelBlock& block, std::size_t bytes);

  void begin_scope(std::uint64_t thread);
  void end_scope(std::uint64_t thread);
  std::size_t scope_count(std::uint64_t thread) const;

  /// Everything was taken back.
  void forget_all();

  void check_contents() const;
  void check_statistics(const ArenaStatistics& statistics);

  std::size_t limit_bytes() const noexcept { return limit_bytes_; }

 private:
  struct Scope {
    std::uint64_t first_number;  ///< Of the blocks within.
    std::size_t object_count;
    std::uint64_t last_number;  ///< Of the lane's last block; 0 when there is none to extend.
  };

  std::uint64_t lane_of(std::uint64_t thread) const noexcept {
    return is_owner(thread) ? 0 : thread;
  }
  void enter(ModelBlock block);
  template <class Predicate>
  void remove_if(Predicate&& predicate);
  void birth(std::uint64_t lane, const WitnessEvent& event, bool stays);
  void death(const WitnessEvent& event);

  Verdict& verdict_;
  Territory& territory_;
  std::uint64_t owner_ = 0;
  std::size_t limit_bytes_ = 0;
  std::size_t used_max_ = 0;
  std::uint64_t last_number_ = 0;
  std::vector<ModelBlock> blocks_;
  std::set<std::uint64_t> asked_lanes_;
  std::map<std::uint64_t, std::uint64_t> last_of_lane_;            ///< Block numbers.
  std::map<std::uint64_t, std::vector<std::uint64_t>> witnesses_;  ///< Ids, by lane.
  std::map<std::uint64_t, std::uint64_t> lane_of_witness_;
  std::map<std::uint64_t, std::vector<Scope>> scopes_;  ///< By thread, the innermost last.
};

}  // namespace stadion::tests
