// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>

#include "core/finally.hpp"

namespace stadion::tests {

inline std::atomic<bool> counts_news{false};
inline std::atomic<std::size_t> news{0};

/// How often the function calls operator new, on any thread.
///
/// Requires   One file of the program defines operators new and delete that count, as
///            tests/net/counted_news_test.cpp does.
template <class Function>
std::size_t news_in(Function&& function) {
  news = 0;
  counts_news = true;
  const auto stop_counting = finally([] { counts_news = false; });
  function();
  return news;
}

}  // namespace stadion::tests
