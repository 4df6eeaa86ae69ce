// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

/// What has to be measured in a process of its own. The program runs itself with these arguments,
/// which its help does not mention, and reads the numbers that they print:
///
///   --cold CONTESTANT        W5: cold and warm ns per allocation, peak memory per byte asked
///   --retention CONTESTANT   MiB kept after a burst of 1 GiB; for Stadion also after trim()
///   --mallocs CONTESTANT     calls of malloc and mmap per W2 cycle; the counter must be preloaded
///   --count ROW CONTESTANT N exactly N operations of W1 or W2, for callgrind; prints nothing
namespace stadion::bench {

/// The exit status, if the arguments name a hidden mode.
std::optional<int> run_child_mode(const std::vector<std::string>& arguments);

}  // namespace stadion::bench
