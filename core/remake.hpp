// SPDX-License-Identifier: MIT
#pragma once

#include <new>
#include <type_traits>
#include <utility>

namespace stadion {

/// Puts what `make()` gives in the place of an object, without a copy on the way.
///
/// An assignment is a copy: parts that were just stored one by one are loaded as a whole, and the
/// processor has to wait until all of them have reached its cache. Where that happens for each request,
/// it is seen.
template <class T, class Make>
void remake(T& object, Make&& make) {
  static_assert(std::is_trivially_destructible_v<T>);
  ::new (static_cast<void*>(&object)) T(std::forward<Make>(make)());
}

}  // namespace stadion
