// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <semaphore>
#include <thread>

namespace stadion::tests {

/// Four threads that do what they are told, one at a time or all at once, each piece of work awaited:
/// so a program that uses them is as repeatable as one of a single thread.
///
/// The first is the thread that calls; the others begin when they are first needed.
///
/// Threads    Commanded by one thread.
class Crew {
 public:
  static constexpr std::size_t kSize = 4;

  Crew() noexcept {
    for (Member& member : members_) {
      member.number = ++last_number_;
    }
  }
  ~Crew() {
    for (std::size_t index = 1; index < kSize; ++index) {
      replace(index);
    }
  }

  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void run(std::size_t index, const std::function<void()>& work) {
    start(index, work);
    await(index);
  }

  /// Calls `work(index)` on every thread at once.
  void run_together(const std::function<void(std::size_t)>& work) {
    std::latch all_are_there(kSize);
    std::array<std::function<void()>, kSize> parts;
    for (std::size_t index = kSize; index-- > 0;) {
      parts[index] = [&all_are_there, &work, index] {
        all_are_there.arrive_and_wait();
        work(index);
      };
      start(index, parts[index]);  // The calling thread's part comes last: it runs at once.
    }
    for (std::size_t index = 1; index < kSize; ++index) {
      await(index);
    }
  }

  /// Ends a thread, for another to take its place. The calling one stays.
  void replace(std::size_t index) {
    Member& member = members_[index];
    if (index == 0 || !member.thread.joinable()) {
      return;
    }
    member.work = nullptr;
    member.started.release();
    member.thread.join();
    member.number = ++last_number_;
  }

  /// Of the thread that is there now; that of a thread which has ended never comes again. From 1.
  std::uint64_t number(std::size_t index) const noexcept { return members_[index].number; }

 private:
  struct Member {
    std::thread thread;
    std::uint64_t number = 0;
    const std::function<void()>* work = nullptr;  ///< Null: it is to end.
    std::binary_semaphore started{0};
    std::binary_semaphore done{0};

    void live() {
      for (started.acquire(); work != nullptr; started.acquire()) {
        (*work)();
        done.release();
      }
    }
  };

  void start(std::size_t index, const std::function<void()>& work) {
    if (index == 0) {
      work();
      return;
    }
    Member& member = members_[index];
    if (!member.thread.joinable()) {
      member.thread = std::thread([&member] { member.live(); });
    }
    member.work = &work;
    member.started.release();
  }

  void await(std::size_t index) {
    if (index != 0) {
      members_[index].done.acquire();
    }
  }

  std::array<Member, kSize> members_;
  std::uint64_t last_number_ = 0;
};

}  // namespace stadion::tests
