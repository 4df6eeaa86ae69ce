// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "apps/attack/crowd.hpp"

namespace stadion::attack {

struct Attack {
  std::string name;
  Behaviour behaviour;
};

/// The file /static/large.txt that some of them ask for.
std::string large_file();

std::vector<Attack> all_attacks();

}  // namespace stadion::attack
