// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/bench/arena/workloads.hpp"

namespace stadion::bench {

/// Whether a contestant does at all what it is measured at: memory that is aligned and its own, and
/// destructors that run. Throws std::runtime_error with its name if not.
template <template <std::size_t> class Contestant>
void verify() {
  const auto require = [](bool holds, const char* what) {
    if (!holds) {
      throw std::runtime_error(std::string(Contestant<1>::kName) + ": " + what);
    }
  };
  Contestant<kMixedAllocations> arena;
  std::vector<unsigned char*> memory;
  for (const Request& request : mixed_requests()) {
    memory.push_back(static_cast<unsigned char*>(arena.alloc(request.bytes, request.alignment)));
    const auto address = reinterpret_cast<std::uintptr_t>(memory.back());
    require(address != 0 && address % request.alignment == 0, "memory is not aligned");
    std::memset(memory.back(), static_cast<int>(memory.size() % 251), request.bytes);
  }
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const std::vector<unsigned char> expected(mixed_requests()[i].bytes,
                                              static_cast<unsigned char>((i + 1) % 251));
    require(std::memcmp(memory[i], expected.data(), expected.size()) == 0,
            "two allocations share memory");
  }
  arena.clear();

  if constexpr (Contestant<1>::kRunsDestructors) {
    const std::uint64_t before = Counted::destroyed;
    keep(arena.template make<Counted>());
    keep(arena.template make<Counted>());
    arena.clear();
    require(Counted::destroyed == before + 2, "clear() does not run destructors");
  }
}

}  // namespace stadion::bench
