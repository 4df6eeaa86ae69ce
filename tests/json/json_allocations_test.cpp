// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <string>

#include "core/arena.hpp"
#include "http/json.hpp"
#include "tests/support/counted_mallocs.hpp"
#include "tests/support/live_arenas.hpp"

#ifdef __has_feature
#define STADION_HAS_FEATURE(feature) __has_feature(feature)
#else
#define STADION_HAS_FEATURE(feature) 0
#endif
// A sanitizer has a malloc of its own; there only operator new is counted.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !STADION_HAS_FEATURE(address_sanitizer) && !STADION_HAS_FEATURE(thread_sanitizer)
#define STADION_COUNTS_MALLOC
#endif

/// Document Rule 2, "no malloc beside the arena": every call of malloc and operator new in this
/// program, while counting is on.
namespace stadion::http {
namespace {

std::atomic<bool> counting = false;
std::atomic<std::uint64_t> counted = 0;

void count() noexcept {
  tests::count_malloc();
  if (counting) {
    ++counted;
  }
}

}  // namespace
}  // namespace stadion::http

#ifdef STADION_COUNTS_MALLOC
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names for its own.
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(std::size_t bytes) {
  stadion::http::count();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  stadion::http::count();
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  stadion::http::count();
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  stadion::tests::count_malloc();  // Not counted below: an arena gets its chunks so.
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif

// The standard's other forms call these, but for those with an alignment, which nobody here needs.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
#ifndef STADION_COUNTS_MALLOC
  stadion::http::count();
#endif
  if (void* memory = std::malloc(bytes + (bytes == 0 ? 1 : 0))) {
    return memory;
  }
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace stadion::http {
namespace {

namespace json = boost::json;
using tests::LiveArenas;

template <class Function>
std::uint64_t allocations(Function&& function) {
  counted = 0;
  counting = true;
  function();
  counting = false;
  return counted;
}

/// A random document, so large that a parser and a serializer have to come back for more.
json::value random_value(std::mt19937& random, const json::storage_ptr& storage, unsigned depth) {
  switch (random() % (depth == 0 ? 5 : 8)) {
    case 0: return json::value(nullptr, storage);
    case 1: return json::value(random() % 2 == 0, storage);
    case 2: return json::value(-static_cast<std::int64_t>(random()), storage);
    case 3: return json::value(static_cast<double>(random()) / 7 + 0.5, storage);
    case 4: {
      std::string text(random() % 300, ' ');
      for (char& c : text) {
        c = static_cast<char>(random() % 0x80);
      }
      return json::value(text, storage);
    }
    case 5:
    case 6: {
      json::array array(storage);
      for (std::size_t i = random() % 30; i > 0; --i) {
        array.push_back(random_value(random, storage, depth - 1));
      }
      return json::value(std::move(array));
    }
    default: {
      json::object object(storage);
      for (std::size_t i = random() % 30; i > 0; --i) {
        object["key\n" + std::to_string(i)] = random_value(random, storage, depth - 1);
      }
      return json::value(std::move(object));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "json allocations: the counter sees malloc and operator new") {
  void* volatile memory = nullptr;
  const auto by_new = allocations([&memory] { memory = ::operator new(100); });
  ::operator delete(memory);
  CHECK(by_new == 1);
#ifdef STADION_COUNTS_MALLOC
  const auto by_malloc = allocations([&memory] { memory = std::malloc(100); });
  std::free(memory);
  CHECK(by_malloc == 1);
#endif
  CHECK(allocations([] { (void)json::serialize(json::parse("[[1,2,3]]")); }) > 0);
}

TEST_CASE_FIXTURE(LiveArenas, "json allocations: neither parsing nor writing uses the heap") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::size_t bytes = 0;
  for (int i = 0; i < 200; ++i) {
    Arena arena;
    const json::value value = random_value(random, json_storage(arena), 4);
    std::string_view text;
    CHECK(allocations([&] { text = to_json(value, arena); }) == 0);
    const json::value* parsed = nullptr;
    CHECK(allocations([&] { parsed = &parse_json(text, arena).value(); }) == 0);
    const bool is_equal = *parsed == value;
    REQUIRE(is_equal);
    bytes += text.size();
  }
  CHECK(bytes > 100'000);
}

TEST_CASE_FIXTURE(LiveArenas, "json allocations: neither does building a reply, or an error") {
  Arena arena;
  CHECK(allocations([&arena] {
          json::object reply(json_storage(arena));
          reply["list"] = {1, 2.5, "a string that is too long to be a small one", nullptr};
          for (std::size_t i = 0; i < 100; ++i) {
            reply.emplace(std::string_view("key 0123456789").substr(0, 4 + i % 10), i);
          }
          (void)to_json(json::value(std::move(reply)), arena);
        }) == 0);
  for (const std::string_view text :
       {"", "[1,", "{\"a\":nul}", "\"\xFF\"", "[[[", "1e999", "1 2"}) {
    CAPTURE(text);
    CHECK(allocations([&] {
            const JsonResult result = parse_json(text, arena, {.depth_max = 2});
            (void)to_text(result.error(), arena);
          }) == 0);
  }
}

}  // namespace
}  // namespace stadion::http
