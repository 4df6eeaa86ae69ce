// SPDX-License-Identifier: MIT
// Programs of arena operations that the input decides, against a simple model. STADION_TRACE=1
// prints each operation before it runs.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/support/arena_program.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::ostream* const trace = std::getenv("STADION_TRACE") != nullptr ? &std::cerr : nullptr;
  stadion::tests::ArenaProgram program(
      {data, size},
      [](const std::string& what) {
        std::fprintf(stderr, "fuzz: %s\n", what.c_str());
        std::abort();
      },
      trace);
  program.run();
  return 0;
}
