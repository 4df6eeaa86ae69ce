// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

namespace stadion::attack {

/// What each connection of a crowd does, again and again: it connects, sends `opening`, and then `drip`
/// at every `interval`; when the server ends it, it comes anew.
struct Behaviour {
  std::size_t connections = 500;
  std::string opening{};
  std::string drip{};
  std::chrono::milliseconds interval{200};
  enum class Reads : std::uint8_t { all, nothing } reads = Reads::all;
  enum class Leaves : std::uint8_t {
    never,
    after_opening_by_reset,
    half,  ///< Ends its own side behind the opening.
  } leaves = Leaves::never;
};

/// Connections that behave badly, from 127.0.0.2, on a thread of their own.
class Crowd {
 public:
  Crowd(std::uint16_t port, Behaviour behaviour);
  ~Crowd() { stop(); }

  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// All its connections are closed when it returns.
  void stop();

  /// Connections that were made; of those, how many got what for a first answer: "408", "closed" for
  /// none before the end. After stop().
  std::uint64_t connected() const noexcept { return connected_; }
  const std::map<std::string, std::uint64_t>& answers() const noexcept { return answers_; }

 private:
  struct Member;

  void run();
  bool connect(Member& member);
  void act(Member& member, std::chrono::steady_clock::time_point now);
  bool receive(Member& member);
  void leave(Member& member, bool by_reset);
  void note_answer(const Member& member);

  std::uint16_t port_;
  Behaviour behaviour_;
  std::atomic<bool> is_over_ = false;
  std::uint64_t connected_ = 0;
  std::map<std::string, std::uint64_t> answers_;
  std::thread thread_;
};

}  // namespace stadion::attack
