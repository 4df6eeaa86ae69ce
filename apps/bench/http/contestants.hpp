// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stadion::bench {

/// How a server is to be started.
enum class Start {
  alone,     ///< As its users would, with one worker.
  observed,  ///< In one process, which a tool can watch.
};

/// A server beside others. Each answers `GET /plaintext` with "Hello, World!".
struct Contestant {
  std::string name{};
  std::string version{};  ///< Empty: not there.
  std::string missing{};  ///< Then why, and how it is to be had.
  /// Which targets it answers: /plaintext, /json, /discard (that is POST), /memory, /mebibyte and /file
  /// (which are files).
  std::vector<std::string> answers{};
  /// The command for a port, with the folder that has the files to be served, and room for its
  /// configuration.
  std::vector<std::string> (*command)(std::uint16_t port, const std::filesystem::path& folder,
                                      Start start) = nullptr;
  std::string plaintext = "/plaintext";  ///< Where it has that.
  bool can_be_pipelined = true;          ///< Answers all requests that are sent at once.
  bool can_be_counted = true;            ///< By callgrind: not what compiles itself as it runs.
  /// How many connections it can hold that do nothing. 0: there is no asking, with a thread for each.
  std::size_t idle_connections_max = 10'000;

  bool is_there() const { return !version.empty(); }
  bool does_answer(const std::string& target) const;
};

inline constexpr const char* kReference = "bare epoll";

/// All of them; the reference first, then Stadion with a function as its handler, and with a
/// coroutine.
std::vector<Contestant> find_contestants();
/// The one of that name. Throws std::runtime_error where it is not there.
Contestant contestant_named(const std::string& name);
/// Stadion with two Workers.
Contestant stadion_with_two_workers();

}  // namespace stadion::bench
