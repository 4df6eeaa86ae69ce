// SPDX-License-Identifier: MIT
#pragma once

#include "apps/bench/facts.hpp"

namespace stadion::bench {

/// Of this run; needs load_heaps() before it.
Facts gather_facts();

}  // namespace stadion::bench
