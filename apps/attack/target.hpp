// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "apps/bench/server_process.hpp"

namespace stadion::attack {

/// Times so short that they pass within an attack; an address may have a part of the connections.
inline constexpr const char* kConfig = R"(
connections_max = 4000
connections_per_address_max = 2000
log_level = "error"
[times]
head_read_ms_max = 2000
body_read_grace_ms = 2000
idle_ms_max = 3000
write_stalled_ms_max = 3000
)";

/// The server under attack, with the files that it needs.
class Target {
 public:
  Target();
  ~Target();

  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  bench::ServerProcess& process() noexcept { return *process_; }
  /// Whether it has given back what it held for a crowd, before this time has passed.
  bool rests_within(std::chrono::duration<double> time, std::size_t descriptors) const;
  /// A number of its /metrics.
  double metric(const char* name) const;

 private:
  std::filesystem::path folder_;
  std::uint16_t port_;
  std::unique_ptr<bench::ServerProcess> process_;
};

}  // namespace stadion::attack
