// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace stadion::bench {

/// What there is to know of a run beside its figures.
struct Facts {
  std::string machine;
  std::string date;
  std::string compiler;
  std::vector<std::string> versions;  ///< "malloc glibc 2.36", …
  std::vector<std::string> skipped;   ///< What is missing, and why.
};

/// The machine, the date and the compiler.
Facts facts_of_this_run();

/// For under a table.
std::string text_of(const Facts& facts);
/// As members of a JSON object.
std::vector<std::string> json_members_of(const Facts& facts);

}  // namespace stadion::bench
