// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace stadion::bench {

/// What the benchmark's servers are started with: `PORT FOLDER [WORKERS]`, or `--version`.
struct ServerArguments {
  unsigned short port = 0;
  const char* folder = "";
  unsigned workers = 1;
};

/// Ends the program where there is nothing to be served.
inline ServerArguments read_arguments(int argc, char** argv, const char* version) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts(version);
    std::exit(0);
  }
  const long port = argc > 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  const long workers = argc > 3 ? std::strtol(argv[3], nullptr, 10) : 1;
  if (port < 1 || port > 65'535 || workers < 1) {
    std::fprintf(stderr, "usage: %s PORT FOLDER [WORKERS] | --version\n", argv[0]);
    std::exit(2);
  }
  return {static_cast<unsigned short>(port), argv[2], static_cast<unsigned>(workers)};
}

}  // namespace stadion::bench
