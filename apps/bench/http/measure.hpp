// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench/http/contestants.hpp"
#include "apps/bench/http/load.hpp"
#include "apps/bench/results.hpp"

namespace stadion::bench {

/// What a contestant is asked, over and over.
struct Work {
  std::string target{};                ///< "/plaintext", …
  std::string body{};                  ///< Of the response, where it is to be looked at.
  std::size_t request_body_bytes = 0;  ///< With one, it is a POST.
  std::size_t connections = 64;
  std::size_t pipeline = 1;
};

/// Rows of Results; the contestants' names are the columns.
namespace row {
inline constexpr const char* kRequestsPerSecond = "requests/s";
inline constexpr const char* kP50 = "p50 µs";
inline constexpr const char* kP99 = "p99 µs";
inline constexpr const char* kCpuPercent = "server CPU %";
inline constexpr const char* kCpuNs = "CPU ns/request";
inline constexpr const char* kInstructions = "instructions/request";
inline constexpr const char* kSystemCalls = "system calls/request";
inline constexpr const char* kMallocs = "mallocs/request";
inline constexpr const char* kMallocBytes = "malloc bytes/request";
inline constexpr const char* kIdleBytes = "bytes/idle connection";
}  // namespace row

struct RateOptions {
  int rounds = 5;
  double seconds = 2;
  bool pins = true;  ///< Servers to one core, the load to another.
};

/// Measures servers whose files are in a folder of its own, which goes with it.
class Measurement {
 public:
  Measurement();
  ~Measurement();

  Measurement(const Measurement&) = delete;
  Measurement& operator=(const Measurement&) = delete;

  /// All contestants, one after the other, again and again: rates, latencies, processor time.
  void rates(const std::vector<Contestant>& contestants, const Work& work,
             const RateOptions& options, Results& results);

  // Counts per request: the difference of two runs, of which one makes three times as many requests.
  // They are exact, and do not depend on what else the machine does.
  double instructions(const Contestant& contestant, const Work& work);
  double system_calls(const Contestant& contestant, const Work& work);
  struct Allocations {
    double calls = 0;
    double bytes = 0;
  };
  Allocations allocations(const Contestant& contestant, const Work& work);
  /// Calls per connection that is made and ended, with a request on it, once there were as many.
  double allocations_per_connection(const Contestant& contestant);

  /// Has it do each of these so many times, and end.
  void exercise(const Contestant& contestant, const std::vector<Work>& works, std::size_t requests);

  /// Resident bytes for each of so many connections that had a request and now wait.
  double idle_bytes(const Contestant& contestant, std::size_t connections);

 private:
  struct Observed;

  std::filesystem::path output_of(const Contestant& contestant) const;
  Observed observe(const Contestant& contestant, const std::vector<std::string>& tool,
                   const Work& work, std::size_t requests);

  std::filesystem::path folder_;
};

}  // namespace stadion::bench
