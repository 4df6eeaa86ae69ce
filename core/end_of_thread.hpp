// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

namespace stadion::detail {

/// Calls a function at the end of each thread that awaits it, after the destructors of all its
/// thread_local objects: those may still need what the function puts away. Make it static.
///
/// In the main thread the function is not called: the process ends with it.
class EndOfThread {
 public:
  explicit EndOfThread(void (*function)(void*)) noexcept
      : is_heard_(pthread_key_create(&key_, function) == 0) {}

  /// From the thread concerned; false when its end will not be heard of.
  bool await() const noexcept { return is_heard_ && pthread_setspecific(key_, this) == 0; }

 private:
  pthread_key_t key_{};
  bool is_heard_;
};

}  // namespace stadion::detail
