// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <vector>

#include "core/arena.hpp"
#include "core/arena_scope.hpp"
#include "tests/support/arena_model.hpp"
#include "tests/support/choices.hpp"
#include "tests/support/crew.hpp"
#include "tests/support/scripted_memory.hpp"
#include "tests/support/verdict.hpp"

namespace stadion::tests {

/// Runs a random program of arena operations, which bytes decide, beside a simple model: up to four
/// arenas, used by four threads one at a time or all at once, while the system or a limit refuses
/// now and then.
///
/// What is checked: nothing that is valid overlaps or changes, everything is aligned, a refusal has a
/// reason, each destructor runs once and in order, the counts are right, and at the end nothing is held.
///
/// Threads    One at a time in a process: the script of the system's memory and the process limit are
///            everybody's.
class ArenaProgram {
 public:
  /// `trace`, where there is one, gets a line before each operation: the program in readable form.
  ArenaProgram(std::span<const std::uint8_t> bytes, Verdict::Report report,
               std::ostream* trace = nullptr);

  void run();

 private:
  struct Place {
    Place(Verdict& verdict, Territory& territory) : model(verdict, territory) {}

    std::optional<Arena> arena;
    ArenaModel model;
    unsigned line = 0;  ///< Where it says that it was made.
    std::array<std::vector<std::unique_ptr<ArenaScope>>, Crew::kSize> scopes;  ///< By thread.
  };
  struct Operation {
    unsigned weight;
    const char* name;
    void (ArenaProgram::*run)();
  };
  static const std::span<const Operation> kOperations;

  void step();
  void finish();

  void allocate();
  void try_allocate();
  void allocate_zeroed();
  void make_array();
  void copy_text();
  void make_object();
  void extend();
  void begin_scope();
  void end_scope();
  void clear();
  void clear_and_keep_some();
  void release();
  void dispose();
  void make_arena();
  void adopt();
  void refuse_memory();
  void limit_process();
  void trim();
  void replace_thread();
  void allocate_together();
  void release_together();
  void list_live_arenas();

  std::size_t pick_bytes();
  std::size_t pick_alignment();
  WitnessOrders pick_orders();

  /// Runs it on the thread of this step, then tells the model of the objects it made or destroyed.
  void on_thread(const std::function<void()>& work) { on_thread(thread_, place(), work); }
  void on_thread(std::size_t thread, Place& place, const std::function<void()>& work);
  /// Null when it was refused, and there was a reason.
  void* attempt(std::size_t bytes, std::size_t alignment, const std::function<void*()>& allocate);
  bool must_refuse(std::size_t bytes, std::size_t alignment) const;
  bool may_refuse(std::size_t bytes, std::size_t alignment) const;
  template <std::size_t kBytes, std::size_t kAlignment>
  void make_witness(const WitnessOrders& orders);

  void close_scopes(Place& place);
  void close_last_scope(Place& place, std::size_t thread);
  /// Everything that was allocated from this step's arena.
  void take_back(const std::function<void()>& take);

  void check_all();
  void check_counts();
  void check_disposed(Arena& arena);

  template <class... Parts>
  void trace(const Parts&... parts) {
    if (trace_ != nullptr) {
      *trace_ << verdict_.step() << ": thread " << thread_ << ", arena " << index_ << ": ";
      (*trace_ << ... << parts) << std::endl;  // At once: the next operation may be the last.
    }
  }
  Place& place() noexcept { return places_[index_]; }
  std::uint64_t thread_number() const noexcept { return crew_.number(thread_); }

  Choices choices_;
  Verdict verdict_;
  std::ostream* trace_;
  std::size_t count_before_;
  std::size_t live_bytes_before_;
  ScriptedMemory memory_;
  std::size_t process_bytes_before_;
  std::size_t process_limit_ = kArenaNoLimit;
  std::size_t process_bytes_max_ =
      kArenaNoLimit;                  ///< What the limit allows, or was there before it.
  std::int64_t refusals_before_ = 0;  ///< Before the operation.
  unsigned last_line_ = 0;
  std::size_t thread_ = 0;  ///< Of this step.
  std::size_t index_ = 0;   ///< Of this step's arena.
  Territory territory_;
  std::array<Place, 4> places_{Place{verdict_, territory_}, Place{verdict_, territory_},
                               Place{verdict_, territory_}, Place{verdict_, territory_}};
  Crew crew_;  // The last: its threads end first.
};

}  // namespace stadion::tests
