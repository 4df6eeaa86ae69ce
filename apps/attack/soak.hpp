// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace stadion::attack {

class Target;

/// Crowds of all kinds, two at a time and in an order of chance, for so long; between them, at rest, it
/// looks at what the server holds. True when that does not grow, and the witness got no error.
bool soak(Target& target, std::chrono::duration<double> time, std::uint32_t seed);

}  // namespace stadion::attack
