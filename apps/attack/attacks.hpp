// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/attack/crowd.hpp"

namespace stadion::attack {

struct Attack {
  std::string name;
  Behaviour behaviour{};
  /// A program instead of a crowd; it takes as long as it wants.
  std::vector<std::string> program{};
};

/// The file /static/large.txt that some of them ask for.
std::string large_file();

/// Those of crowds.
std::vector<Attack> all_attacks();
/// Those of slowhttptest, which are none where that is not installed, on a server at this port.
std::vector<Attack> attacks_of_slowhttptest(std::uint16_t port, double seconds);

}  // namespace stadion::attack
