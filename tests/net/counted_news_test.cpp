// SPDX-License-Identifier: MIT
#include "tests/support/counted_news.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <new>

// This program's operator new counts while it is told to; the array and nothrow forms come to
// these. Not inlined: GCC would warn of a free() that it takes for operator new's.
namespace {

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  if (stadion::tests::counts_news.load(std::memory_order_relaxed)) {
    stadion::tests::news.fetch_add(1, std::memory_order_relaxed);
  }
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes) != 0) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return counted_allocation(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return ::operator new(bytes); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return ::operator new(bytes, alignment);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/,
                                         std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

namespace stadion::tests {
namespace {

TEST_CASE("counted news: the count of heap allocations sees one") {
  CHECK(news_in([] { ::operator delete(::operator new(100)); }) == 1);
  // Called by name: a new expression could be left out by the compiler.
  CHECK(news_in([] { ::operator delete[](::operator new[](100)); }) == 1);
}

}  // namespace
}  // namespace stadion::tests
