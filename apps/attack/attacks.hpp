// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "apps/attack/crowd.hpp"

namespace stadion::attack {

struct Attack {
  std::string name;
  Behaviour behaviour{};
  /// A program instead of a crowd, whose last argument is a URL of the target's.
  std::vector<std::string> program{};
  std::string path{};
};

/// The file /static/large.txt that some of them ask for.
std::string large_file();

/// Those of crowds.
std::vector<Attack> all_attacks();
/// Those of slowhttptest, which are none where that is not installed.
std::vector<Attack> attacks_of_slowhttptest(double seconds);

}  // namespace stadion::attack
