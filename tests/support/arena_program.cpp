// SPDX-License-Identifier: MIT
// The program as a whole, and its operations that do not allocate.
#include "tests/support/arena_program.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace stadion::tests {
namespace {

constexpr char kMadeHere[] = "a random program";

}  // namespace

const std::span<const ArenaProgram::Operation> ArenaProgram::kOperations = [] {
  using P = ArenaProgram;
  static constexpr Operation kTable[] = {
      {40, "alloc", &P::allocate},
      {14, "try_alloc", &P::try_allocate},
      {10, "calloc", &P::allocate_zeroed},
      {6, "make_array", &P::make_array},
      {6, "copy", &P::copy_text},
      {20, "make", &P::make_object},
      {14, "extend", &P::extend},
      {9, "scope begins", &P::begin_scope},
      {9, "scope ends", &P::end_scope},
      {4, "clear", &P::clear},
      {2, "clear and keep some", &P::clear_and_keep_some},
      {1, "release", &P::release},
      {2, "dispose", &P::dispose},
      {3, "make an arena", &P::make_arena},
      {4, "adopt", &P::adopt},
      {3, "the system refuses", &P::refuse_memory},
      {2, "process limit", &P::limit_process},
      {2, "trim", &P::trim},
      {2, "another thread", &P::replace_thread},
      {3, "all threads allocate", &P::allocate_together},
      {1, "all threads release", &P::release_together},
      {2, "list", &P::list_live_arenas},
  };
  return std::span<const Operation>(kTable);
}();

ArenaProgram::ArenaProgram(std::span<const std::uint8_t> bytes, Verdict::Report report,
                           std::ostream* trace)
    : choices_(bytes),
      verdict_(std::move(report)),
      trace_(trace),
      count_before_(Arena::debug_live_count()),
      live_bytes_before_(Arena::debug_live_bytes()),
      process_bytes_before_(Arena::process_bytes()) {}

void ArenaProgram::run() {
  while (!choices_.at_end() && !verdict_.has_failed()) {
    step();
    check_all();
  }
  finish();
}

void ArenaProgram::step() {
  const std::size_t who_and_where = choices_.pick(Crew::kSize * places_.size());
  thread_ = who_and_where % Crew::kSize;
  index_ = who_and_where / Crew::kSize;
  std::size_t weights = 0;
  for (const Operation& operation : kOperations) {
    weights += operation.weight;
  }
  std::size_t picked = choices_.pick(weights);
  const Operation* operation = kOperations.data();
  for (; picked >= operation->weight; ++operation) {
    picked -= operation->weight;
  }
  verdict_.at_step(operation->name);
  refusals_before_ = memory_.refusal_count();
  const bool is_there = place().arena.has_value();
  if (!is_there || (place().arena->is_disposed() && !choices_.one_in(4))) {
    make_arena();
  } else {
    (this->*operation->run)();
  }
}

void ArenaProgram::finish() {
  verdict_.at_step("end");
  memory_.allow_all();
  Arena::set_process_limit_bytes(kArenaNoLimit);
  process_bytes_max_ = kArenaNoLimit;
  for (index_ = 0; index_ < places_.size(); ++index_) {
    if (place().arena) {
      dispose();
      check_all();
    }
  }
  for (std::size_t thread = Crew::kSize; thread-- > 0;) {
    if (verdict_.step() % 2 == 0) {
      crew_.replace(thread);
    }
    crew_.run(thread, [] { Arena::trim(); });
  }
  verdict_.check(Arena::debug_live_count() == count_before_, "an arena is left");
  verdict_.check(Arena::debug_live_bytes() == live_bytes_before_, "chunks are left");
  verdict_.check(Arena::process_bytes() == process_bytes_before_, "process_bytes() are left");
  verdict_.check(memory_.bytes_held() == 0, "memory was not given back to the system");
}

void ArenaProgram::on_thread(std::size_t thread, Place& place, const std::function<void()>& work) {
  std::vector<WitnessEvent> events;
  crew_.run(thread, [&work, &events] {
    work();
    events = std::exchange(witness_events, {});
  });
  place.model.replay(crew_.number(thread), events);
}

// --- Scopes -----------------------------------------------------------------------------------

void ArenaProgram::begin_scope() {
  trace("scope begins");
  on_thread(
      [this] { place().scopes[thread_].push_back(std::make_unique<ArenaScope>(*place().arena)); });
  place().model.begin_scope(thread_number());
}

void ArenaProgram::end_scope() {
  if (!place().scopes[thread_].empty()) {
    trace("scope ends");
    close_last_scope(place(), thread_);
  }
}

void ArenaProgram::close_last_scope(Place& place, std::size_t thread) {
  place.model.check_contents();
  on_thread(thread, place, [&place, thread] { place.scopes[thread].pop_back(); });
  place.model.end_scope(crew_.number(thread));
}

void ArenaProgram::close_scopes(Place& place) {
  for (std::size_t thread = 0; thread < Crew::kSize; ++thread) {
    while (!place.scopes[thread].empty()) {
      close_last_scope(place, thread);
    }
  }
}

// --- Taking back ------------------------------------------------------------------------------

void ArenaProgram::take_back(const std::function<void()>& take) {
  close_scopes(place());
  place().model.check_contents();
  on_thread(take);
  place().model.forget_all();
}

void ArenaProgram::clear() {
  trace("clear()");
  take_back([this] { place().arena->clear(); });
  verdict_.check(place().arena->bytes_used() == 0, "something is in use after clear()");
  verdict_.check(place().arena->bytes_reserved() <= kArenaKeptBytesMax, "kept too much");
}

void ArenaProgram::clear_and_keep_some() {
  const std::size_t keep_bytes = choices_.pick(300'000);
  trace("clear(", keep_bytes, ")");
  take_back([this, keep_bytes] { place().arena->clear(keep_bytes); });
  verdict_.check(place().arena->bytes_used() == 0, "something is in use after clear()");
  verdict_.check(place().arena->bytes_reserved() <= keep_bytes, "kept too much");
}

void ArenaProgram::release() {
  trace("release()");
  take_back([this] { place().arena->release(); });
  verdict_.check(place().arena->bytes_reserved() == 0, "something is kept after release()");
}

void ArenaProgram::dispose() {
  trace("dispose()");
  take_back([this] { place().arena->dispose(); });
  check_disposed(*place().arena);
}

void ArenaProgram::make_arena() {
  const std::size_t chunk_bytes = choices_.pick(4) == 0 ? choices_.pick(3 << 20) : kArenaChunkBytes;
  const std::size_t limit_bytes = choices_.pick(4) == 0 ? choices_.pick(2 << 20) : kArenaNoLimit;
  trace("Arena(", chunk_bytes, ", ", limit_bytes, ")");
  take_back([this] { place().arena.reset(); });
  place().line = ++last_line_;
  const ArenaOptions options{.chunk_bytes = chunk_bytes, .limit_bytes = limit_bytes};
  on_thread([&] { place().arena.emplace(options, SourceLocation{kMadeHere, place().line}); });
  place().model.begin(thread_number(), limit_bytes);
}

void ArenaProgram::release_together() {
  const std::size_t how = choices_.pick(256);
  trace("all threads release, ", how);
  std::array<std::vector<WitnessEvent>, Crew::kSize> events;
  for (Place& each : places_) {
    close_scopes(each);
    each.model.check_contents();
  }
  crew_.run_together([this, how, &events](std::size_t thread) {
    if (std::optional<Arena>& arena = places_[thread].arena) {
      switch (how >> (2 * thread) & 3) {
        case 0: arena->clear(); break;
        case 1: arena->release(); break;
        default: arena->dispose(); break;
      }
    }
    events[thread] = std::exchange(witness_events, {});
  });
  for (std::size_t thread = 0; thread < Crew::kSize; ++thread) {
    places_[thread].model.replay(crew_.number(thread), events[thread]);
    places_[thread].model.forget_all();
  }
}

// --- Threads, limits, memory ------------------------------------------------------------------

void ArenaProgram::adopt() {
  trace("adopt()");
  close_scopes(place());
  on_thread([this] { place().arena->adopt(); });
  place().model.adopt(thread_number());
}

void ArenaProgram::replace_thread() {
  trace("the thread ends and another begins");
  for (Place& each : places_) {
    while (!each.scopes[thread_].empty()) {
      close_last_scope(each, thread_);
    }
  }
  crew_.replace(thread_);
}

void ArenaProgram::refuse_memory() {
  const std::size_t nth = choices_.pick(6);
  trace("the system refuses ", nth);
  if (nth == 0) {
    memory_.allow_all();
  } else if (nth == 5) {
    memory_.refuse_all();
  } else {
    memory_.refuse_nth(static_cast<std::int64_t>(nth));
  }
}

void ArenaProgram::limit_process() {
  const std::size_t kind = choices_.pick(4);
  const std::size_t bytes = Arena::process_bytes();
  const std::size_t limit = kind == 0   ? kArenaNoLimit
                            : kind == 1 ? bytes / 2
                                        : bytes + choices_.pick(1 << 20);
  trace("set_process_limit_bytes(", limit, ")");
  verdict_.check(Arena::set_process_limit_bytes(limit) == process_limit_, "another limit was set");
  process_limit_ = limit;
  process_bytes_max_ = std::max(limit, bytes);
}

void ArenaProgram::trim() {
  trace("trim()");
  on_thread([] { Arena::trim(); });
}

// --- Checking ---------------------------------------------------------------------------------

void ArenaProgram::list_live_arenas() {
  trace("debug_live()");
  std::set<unsigned> expected;
  for (const Place& each : places_) {
    if (each.arena && !each.arena->is_disposed()) {
      expected.insert(each.line);
    }
  }
  std::set<unsigned> listed;
  for (const LiveArena& live : Arena::debug_live()) {
    if (live.made.file == kMadeHere) {
      verdict_.check(listed.insert(live.made.line).second, "an arena is listed twice");
      verdict_.check(live.last_allocations.size() <= 4, "more than four allocations are listed");
    }
  }
  verdict_.check(listed == expected, "debug_live() does not list the live arenas");
}

void ArenaProgram::check_all() {
  for (Place& each : places_) {
    if (each.arena) {
      const ArenaStatistics statistics = each.arena->statistics();
      verdict_.check(statistics.bytes_used == each.arena->bytes_used(), "two counts of used");
      if (each.arena->is_disposed()) {
        verdict_.check(statistics.bytes_reserved == 0, "a disposed arena holds something");
      } else {
        each.model.check_statistics(statistics);
      }
    }
  }
  check_counts();
  if (verdict_.step() % 8 == 0) {
    place().model.check_contents();
  }
}

void ArenaProgram::check_counts() {
  std::size_t count = count_before_;
  std::size_t bytes = live_bytes_before_;
  for (const Place& each : places_) {
    if (each.arena && !each.arena->is_disposed()) {
      ++count;
      bytes += each.arena->bytes_reserved();
    }
  }
  verdict_.check(Arena::debug_live_count() == count, "debug_live_count() differs");
  verdict_.check(Arena::debug_live_bytes() == bytes, "debug_live_bytes() differ");
  const std::size_t process_bytes = Arena::process_bytes();
  verdict_.check(process_bytes >= bytes, "live arenas hold more than the process");
  verdict_.check(process_bytes <= process_bytes_max_, "over the process limit");
  verdict_.check(
      static_cast<std::int64_t>(process_bytes - process_bytes_before_) == memory_.bytes_held(),
      "process_bytes() differ from what the system gave");
}

void ArenaProgram::check_disposed(Arena& arena) {
  int anything = 0;
  verdict_.check(arena.is_disposed(), "not disposed");
  verdict_.check(arena.try_alloc(1) == nullptr, "a disposed arena allocates");
  verdict_.check(!arena.extend(&anything, 1, 1), "a disposed arena extends");
  arena.clear();
  arena.adopt();
  arena.dispose();
  verdict_.check(arena.bytes_reserved() == 0, "a disposed arena holds something");
}

}  // namespace stadion::tests
