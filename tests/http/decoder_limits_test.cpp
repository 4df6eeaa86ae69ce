// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "http/decoder.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/live_arenas.hpp"

/// What DecoderLimits keep out.
namespace stadion::http {
namespace {

using namespace std::string_view_literals;
using tests::available_codings;
using tests::compressible_text;
using tests::Decoded;
using tests::decoded;
using tests::encoded;
using tests::LiveArenas;
using tests::random_text;

TEST_CASE_FIXTURE(LiveArenas, "decoder limits: the limit of bytes, one below, at it, one above") {
  for (const ContentCoding coding : available_codings()) {
    for (const std::size_t bytes : std::initializer_list<std::size_t>{1, 5000, 100'000}) {
      const std::string text = random_text(bytes);
      const std::string body = encoded(coding, text);
      for (const std::size_t room : {std::size_t{1}, bytes - 1, bytes, bytes + 1}) {
        if (room == 0) {
          continue;
        }
        CAPTURE(to_string(coding));
        CAPTURE(bytes);
        CAPTURE(room);
        DecoderLimits limits{.bytes_max = bytes + 1};
        CHECK((decoded(coding, body, limits, {.output_bytes = room}).text == text));
        limits.bytes_max = bytes;
        const Decoded at = decoded(coding, body, limits, {.output_bytes = room});
        CHECK(at.status == DecodeStatus::end);
        CHECK((at.text == text));
        limits.bytes_max = bytes - 1;
        const Decoded above = decoded(coding, body, limits, {.output_bytes = room});
        CHECK(above.status == DecodeStatus::too_large);
        CHECK(above.text.size() <= bytes - 1);
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder limits: a body that fits the limit ends without more room") {
  const std::string text = random_text(5000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    Arena arena;
    Decoder& decoder = make_decoder(coding, arena, {.bytes_max = text.size()});
    std::string decoded_text(text.size(), '\0');
    std::string_view input = body;
    std::span<char> output(decoded_text);
    CHECK(decoder.decode(input, output, true) == DecodeStatus::end);
    CHECK((decoded_text == text));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder limits: members count together") {
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    if (is_available(coding)) {
      CAPTURE(to_string(coding));
      const std::string body =
          encoded(coding, random_text(600)) + encoded(coding, random_text(600));
      CHECK(decoded(coding, body, {.bytes_max = 1199}).status == DecodeStatus::too_large);
      CHECK(decoded(coding, body, {.bytes_max = 1200}).status == DecodeStatus::end);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder limits: a bomb is refused soon after it shows") {
  const std::string zeros(10 << 20, '\0');
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string bomb = encoded(coding, zeros);
    CHECK(bomb.size() < 20'000);
    const Decoded by_ratio = decoded(coding, bomb, {});
    CHECK(by_ratio.status == DecodeStatus::too_large);
    CHECK(by_ratio.text.size() <= 64 * 1024 + 16 * 1024);
    const Decoded by_bytes = decoded(coding, bomb, {.ratio_max = UINT64_MAX});
    CHECK(by_bytes.status == DecodeStatus::too_large);
    CHECK(by_bytes.text.size() <= 1024 * 1024);
    CHECK((decoded(coding, bomb).text == zeros));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder limits: the ratio, one below, at it, one above") {
  const std::string text = std::string(50'000, 'a') + compressible_text(50'000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    const std::uint64_t least = text.size() / (body.size() + 1) + 1;
    DecoderLimits limits{.ratio_max = least, .ratio_free_bytes = 0};
    const tests::Pieces at_once{.output_bytes = text.size() + 1};
    CHECK(decoded(coding, body, limits, at_once).status == DecodeStatus::end);
    limits.ratio_max = least + 1;
    CHECK(decoded(coding, body, limits, at_once).status == DecodeStatus::end);
    limits.ratio_max = least - 1;
    CHECK(decoded(coding, body, limits, at_once).status == DecodeStatus::too_large);
    limits.ratio_free_bytes = text.size() - 1;
    CHECK(decoded(coding, body, limits, at_once).status == DecodeStatus::too_large);
    limits.ratio_free_bytes = text.size();
    CHECK(decoded(coding, body, limits, at_once).status == DecodeStatus::end);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder limits: over the limit of memory, at any allocation, it is too large") {
  const std::string text = compressible_text(100'000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    DecoderLimits limits{.memory_bytes_max = 0};
    Decoded found = decoded(coding, body, limits);
    while (found.status == DecodeStatus::too_large) {
      limits.memory_bytes_max += 512 + limits.memory_bytes_max / 64;
      REQUIRE(limits.memory_bytes_max < 4 << 20);
      found = decoded(coding, body, limits);
    }
    CHECK(found.status == DecodeStatus::end);
    CHECK((found.text == text));
    CHECK(limits.memory_bytes_max > 30'000);
  }
}

/// What the arena has handed out for a decoder that was given the whole body at once.
std::size_t arena_bytes_after(ContentCoding coding, std::string_view body,
                              const DecoderLimits& limits) {
  Arena arena;
  Decoder& decoder = make_decoder(coding, arena, limits);
  tests::decode_piece(decoder, body, true);
  return arena.bytes_used();
}

TEST_CASE_FIXTURE(
    LiveArenas, "decoder limits: there is a least memory that is enough, which is what it takes") {
  const std::string text = compressible_text(100'000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    const auto status_with = [&](std::size_t memory_bytes_max) {
      return decoded(coding, body, {.memory_bytes_max = memory_bytes_max}).status;
    };
    std::size_t too_little = 0;
    std::size_t enough = DecoderLimits{}.memory_bytes_max;
    REQUIRE(status_with(enough) == DecodeStatus::end);
    while (enough - too_little > 1) {
      const std::size_t middle = too_little + (enough - too_little) / 2;
      (status_with(middle) == DecodeStatus::end ? enough : too_little) = middle;
    }
    CHECK(status_with(enough - 1) == DecodeStatus::too_large);
    CHECK(status_with(enough) == DecodeStatus::end);
    CHECK(status_with(enough + 1) == DecodeStatus::end);
    // The decoder itself is not counted, nor what each of the library's blocks is rounded up by.
    const std::size_t taken = arena_bytes_after(coding, body, {.memory_bytes_max = enough});
    CHECK(taken >= enough);
    CHECK(taken <= enough + 1024);
  }
}

TEST_CASE("decoder limits: the defaults are those that the header says") {
  const DecoderLimits limits;
  CHECK(limits.bytes_max == 1024 * 1024);
  CHECK(limits.ratio_max == 100);
  CHECK(limits.ratio_free_bytes == 64 * 1024);
  CHECK(limits.memory_bytes_max == 4 * 1024 * 1024);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder limits: a zstd window that takes too much memory is too large") {
  if (is_available(ContentCoding::zstd)) {
    constexpr std::string_view kWindowOf8MiB = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00"sv;
    constexpr std::string_view kWindowOf2TiB = "\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00"sv;
    CHECK(decoded(ContentCoding::zstd, kWindowOf8MiB).status == DecodeStatus::end);
    CHECK(decoded(ContentCoding::zstd, kWindowOf8MiB, {}).status == DecodeStatus::too_large);
    CHECK(decoded(ContentCoding::zstd, kWindowOf2TiB).status == DecodeStatus::too_large);
  }
}

}  // namespace
}  // namespace stadion::http
