// SPDX-License-Identifier: MIT
#include "http/decoder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/coded.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using namespace std::string_view_literals;
using tests::available_codings;
using tests::compressible_text;
using tests::decode_piece;
using tests::Decoded;
using tests::decoded;
using tests::encoded;
using tests::kAtOnce;
using tests::kWideLimits;
using tests::LiveArenas;
using tests::random_text;

// As gzip, brotli and zstd themselves write them.
constexpr std::string_view kGzipHello =
    "\x1f\x8b\x08\x1e\x01\x02\x03\x04\x00\x03\x03\x00"
    "abcname\0comment\0\x4c\x6e\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"sv;
constexpr std::string_view kBrotliHello = "\x0b\x02\x80hello\x03"sv;
constexpr std::string_view kZstdHello =
    "\x28\xb5\x2f\xfd\x04\x58\x29\x00\x00hello\xa3\x6d\x9f\x88"sv;

std::string_view hello_in(ContentCoding coding) {
  return coding == ContentCoding::gzip ? kGzipHello
         : coding == ContentCoding::br ? kBrotliHello
                                       : kZstdHello;
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: bodies that others have coded") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const Decoded found = decoded(coding, hello_in(coding));
    CHECK(found.status == DecodeStatus::end);
    CHECK(found.text == "hello");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: a body split at any byte decodes the same, in any room") {
  const std::string text = compressible_text(2000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    for (const std::size_t room : std::initializer_list<std::size_t>{1, 7, 16'384}) {
      for (std::size_t split = 0; split <= body.size(); ++split) {
        CAPTURE(room);
        CAPTURE(split);
        Arena arena;
        Decoder& decoder = make_decoder(coding, arena);
        const Decoded first =
            decode_piece(decoder, std::string_view(body).substr(0, split), false, room);
        const Decoded second =
            decode_piece(decoder, std::string_view(body).substr(split), true, room);
        CHECK(first.status == DecodeStatus::need_input);
        CHECK(second.status == DecodeStatus::end);
        CHECK((first.text + second.text == text));
        CHECK(decoder.bytes_taken() == body.size());
        CHECK(decoder.bytes_decoded() == text.size());
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: large bodies in small pieces") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    for (const std::string& text : {compressible_text(300'000), random_text(300'000)}) {
      const std::string body = encoded(coding, text);
      for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, kAtOnce}) {
        const Decoded found =
            decoded(coding, body, {}, {.input_bytes = piece, .output_bytes = 999});
        CHECK(found.status == DecodeStatus::end);
        CHECK((found.text == text));
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder: cut short after any byte it is malformed, also without one") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    for (const std::string& text : {compressible_text(1000), std::string()}) {
      const std::string body = encoded(coding, text);
      for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
        CAPTURE(bytes);
        const Decoded found = decoded(coding, std::string_view(body).substr(0, bytes));
        CHECK(found.status == DecodeStatus::malformed);
        CHECK(text.starts_with(found.text));
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder: gzip with any bit changed is malformed, or still the same text") {
  if (!is_available(ContentCoding::gzip)) {
    return;
  }
  const std::string text = compressible_text(300);
  const std::string body = encoded(ContentCoding::gzip, text);
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string changed = body;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const Decoded found = decoded(ContentCoding::gzip, changed);
    // The time, the system and the last byte's unused bits may be what they like.
    const bool is_same = found.status == DecodeStatus::end && found.text == text;
    const bool is_refused = found.status == DecodeStatus::malformed;
    CHECK((is_same || is_refused));
    if (bit / 8 < 3 || bit / 8 >= body.size() - 8) {
      CHECK(is_refused);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: a changed bit anywhere is survived, within the limits") {
  const std::string text = compressible_text(2000);
  const DecoderLimits limits{.bytes_max = 4000};
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text);
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      CAPTURE(bit);
      std::string changed = body;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      const Decoded found = decoded(coding, changed, limits);
      CHECK(found.text.size() <= 4000);
      const bool has_decided = found.status == DecodeStatus::end ||
                               found.status == DecodeStatus::malformed ||
                               found.status == DecodeStatus::too_large;
      CHECK(has_decided);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: several gzip members or zstd frames are one body") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body =
        encoded(coding, "one ") + encoded(coding, "") + encoded(coding, compressible_text(5000));
    for (const std::size_t piece : {std::size_t{1}, kAtOnce}) {
      const Decoded found = decoded(coding, body, {}, {.input_bytes = piece});
      if (coding == ContentCoding::br) {
        CHECK(found.status == DecodeStatus::malformed);
      } else {
        CHECK(found.status == DecodeStatus::end);
        CHECK((found.text == "one " + compressible_text(5000)));
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: anything else behind the end is malformed") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, "text");
    for (int byte = 0; byte < 256; ++byte) {
      CAPTURE(byte);
      const std::string with_more = body + static_cast<char>(byte);
      CHECK(decoded(coding, with_more).status == DecodeStatus::malformed);
      CHECK(decoded(coding, with_more + "more").status == DecodeStatus::malformed);
    }
    Arena arena;
    Decoder& decoder = make_decoder(coding, arena);
    CHECK(decode_piece(decoder, body, false).status == DecodeStatus::need_input);
    CHECK(decode_piece(decoder, "more", true).status == DecodeStatus::malformed);
    CHECK(decode_piece(decoder, body, true).status == DecodeStatus::malformed);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: it takes no other format, nor a raw body") {
  const std::string_view zlib_hello = "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"sv;
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    CHECK(decoded(coding, "{\"name\":\"value\"}").status == DecodeStatus::malformed);
    if (coding != ContentCoding::br) {  // It has no magic number: much could be the start of one.
      CHECK(decoded(coding, zlib_hello).status == DecodeStatus::malformed);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: zstd's skippable frames are skipped [RFC 8878 §3.1.2]") {
  if (!is_available(ContentCoding::zstd)) {
    return;
  }
  const std::string skippable = std::string(
      "\x5f\x2a\x4d\x18\x03\0\0\0"
      "abc"sv);
  for (const std::size_t piece : {std::size_t{1}, kAtOnce}) {
    const Decoded found =
        decoded(ContentCoding::zstd, skippable + encoded(ContentCoding::zstd, "text") + skippable,
                {}, {.input_bytes = piece});
    CHECK(found.status == DecodeStatus::end);
    CHECK(found.text == "text");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: zstd's formats from before 1.0 are malformed") {
  if (is_available(ContentCoding::zstd)) {
    // An empty frame of version 0.7, which Debian's library decodes.
    constexpr std::string_view kVersion07 = "\x27\xb5\x2f\xfd\x20\x10\0\0\0\0\0\0"sv;
    Arena arena;
    Decoder& decoder = make_decoder(ContentCoding::zstd, arena);
    CHECK(decode_piece(decoder, kVersion07, false).status == DecodeStatus::malformed);
    CHECK(decoder.bytes_taken() == 0);
  }
}

/// True when it was decoded, false when the arena had not enough.
bool fits(ContentCoding coding, const std::string& body, std::size_t limit_bytes) {
  Arena arena({.chunk_bytes = 1024, .limit_bytes = limit_bytes});
  try {
    Decoder& decoder = make_decoder(coding, arena, kWideLimits);
    const Decoded found = decode_piece(decoder, body, true);
    CHECK(found.status == DecodeStatus::end);
    return true;
  } catch (const ArenaFailed&) {
    return false;
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder: whichever allocation the arena refuses, it is ArenaFailed") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, compressible_text(100'000));
    std::size_t limit_bytes = 2048;
    while (!fits(coding, body, limit_bytes)) {
      limit_bytes += 1024 + limit_bytes / 64;
      REQUIRE(limit_bytes < 4 << 20);
    }
    CHECK(limit_bytes > 30'000);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "decoder: many members take no more memory than one") {
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    if (is_available(coding)) {
      CAPTURE(to_string(coding));
      const std::string body = encoded(coding, compressible_text(5000));
      Arena arena;
      Decoder& decoder = make_decoder(coding, arena, kWideLimits);
      (void)decode_piece(decoder, body, false);
      const std::size_t bytes = arena.bytes_used();
      for (int i = 0; i < 100; ++i) {
        (void)decode_piece(decoder, body, false);
      }
      CHECK(decode_piece(decoder, {}, true).status == DecodeStatus::end);
      CHECK(arena.bytes_used() == bytes);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "decoder: called with nothing, again and again, it says what it needs") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, "text");
    Arena arena;
    Decoder& decoder = make_decoder(coding, arena);
    std::string_view input;
    std::span<char> none;
    for (int i = 0; i < 100; ++i) {
      CHECK(decode_piece(decoder, {}, false).status == DecodeStatus::need_input);
    }
    input = body;
    for (int i = 0; i < 100; ++i) {
      CHECK(decoder.decode(input, none, true) == DecodeStatus::need_output);
    }
    const Decoded found = decode_piece(decoder, input, true);
    CHECK(found.status == DecodeStatus::end);
    CHECK(found.text == "text");
  }
}

}  // namespace
}  // namespace stadion::http
