// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/thread_local.hpp"

namespace stadion::detail {

/// A thread's number: counted from 1 and never used again, so that a dead owner is never mistaken
/// for a new thread (as an address would be). 0 until assign_thread_id() was called on this thread.
inline STADION_HOT_THREAD_LOCAL std::uint64_t thread_id = 0;
std::uint64_t assign_thread_id() noexcept;
inline std::uint64_t this_thread_id() noexcept {
  return thread_id != 0 ? thread_id : assign_thread_id();
}

}  // namespace stadion::detail
