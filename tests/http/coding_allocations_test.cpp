// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "core/poison.hpp"
#include "http/decoder.hpp"
#include "http/encoder.hpp"
#include "tests/support/coded.hpp"

#if defined(__SANITIZE_THREAD__)
#define STADION_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STADION_TSAN 1
#endif
#endif

// Document Rule 2, "no malloc beside the arena", for libraries that would like to: every malloc of
// this thread is counted, theirs too.
namespace {
thread_local std::uint64_t mallocs = 0;

/// Really read: compilers know that malloc changes no variable of ours.
std::uint64_t mallocs_so_far() {
  const volatile std::uint64_t& counted = mallocs;
  return counted;
}
}  // namespace

#if defined(STADION_ASAN) || defined(STADION_TSAN)

// Of <sanitizer/allocator_interface.h>, which does not come with GCC.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {
[[maybe_unused]] const int hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++mallocs; }, [](const volatile void*) {});
}

#else

extern "C" {

// glibc's own names for what we stand in front of.
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++mallocs;
  return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) {
  ++mallocs;
  return __libc_calloc(count, bytes);
}

void* realloc(void* memory, std::size_t bytes) {
  ++mallocs;
  return __libc_realloc(memory, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
  ++mallocs;
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"

#endif

namespace stadion::http {
namespace {

using tests::available_codings;
using tests::compressible_text;

/// There and back in one arena, with room for all.
void code(ContentCoding coding, std::string_view text, std::span<char> body,
          std::span<char> decoded_text) {
  Arena arena;
  std::span<char> body_left = body;
  std::string_view input = text;
  REQUIRE(make_encoder(coding, arena).encode(input, body_left, Flush::finish) == Progress::done);
  std::string_view encoded(body.data(), body.size() - body_left.size());
  REQUIRE(make_decoder(coding, arena).decode(encoded, decoded_text, true) == DecodeStatus::end);
}

TEST_CASE("coding allocations: the counter sees what a library allocates") {
  const std::uint64_t before = mallocs_so_far();
  char* volatile copy = ::strdup("some text");
  CHECK(mallocs_so_far() == before + 1);
  std::free(copy);
}

TEST_CASE("coding allocations: to encode and to decode calls malloc not once") {
  const std::string text = compressible_text(200'000);
  std::string body(300'000, '\0');
  std::string decoded_text(200'000, '\0');
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    code(coding, text, body, decoded_text);  // The arena's own first use of the thread.
    const std::uint64_t before = mallocs_so_far();
    code(coding, text, body, decoded_text);
    CHECK(mallocs_so_far() == before);
    CHECK((decoded_text == text));
  }
}

}  // namespace
}  // namespace stadion::http
