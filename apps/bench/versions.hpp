// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace stadion::bench {

struct Facts {
  std::string machine;
  std::string date;
  std::string compiler;
  std::vector<std::string> versions;  ///< "malloc glibc 2.36", …
  std::vector<std::string> skipped;   ///< What is missing, and why.
};

/// Of this run; needs load_heaps() before it.
Facts gather_facts();

}  // namespace stadion::bench
