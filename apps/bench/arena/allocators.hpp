// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "apps/bench/arena/arenas.hpp"
#include "apps/bench/arena/heaps.hpp"

namespace stadion::bench {

/// The columns of the table, whether or not this build and this machine have them.
inline constexpr const char* kContestants[] = {
    "ideal", "stadion", "malloc", "mimalloc", "jemalloc", "pmr", "protobuf", "apr", "talloc"};

/// Calls `visit.template operator()<Contestant>()` for each contestant that is there.
template <class Visitor>
void for_each_contestant(Visitor&& visit) {
  visit.template operator()<Ideal>();
  visit.template operator()<Stadion>();
  visit.template operator()<Malloc>();
  if (mimalloc_heap.is_loaded()) {
    visit.template operator()<Mimalloc>();
  }
  if (jemalloc_heap.is_loaded()) {
    visit.template operator()<Jemalloc>();
  }
  visit.template operator()<Pmr>();
#ifdef STADION_BENCH_PROTOBUF
  visit.template operator()<Protobuf>();
#endif
#ifdef STADION_BENCH_APR
  visit.template operator()<Apr>();
#endif
#ifdef STADION_BENCH_TALLOC
  visit.template operator()<Talloc>();
#endif
}

/// The same for the one of that name; false if it is not there.
template <class Visitor>
bool visit_contestant(std::string_view name, Visitor&& visit) {
  bool found = false;
  for_each_contestant([&]<template <std::size_t> class Contestant>() {
    if (name == Contestant<1>::kName) {
      visit.template operator()<Contestant>();
      found = true;
    }
  });
  return found;
}

}  // namespace stadion::bench
