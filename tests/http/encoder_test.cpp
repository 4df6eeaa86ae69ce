// SPDX-License-Identifier: MIT
#include "http/encoder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>

#include "tests/support/coded.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::available_codings;
using tests::compressible_text;
using tests::Decoded;
using tests::decoded;
using tests::encode_piece;
using tests::encoded;
using tests::kWideLimits;
using tests::LiveArenas;
using tests::random_text;

void check_decodes_to(ContentCoding coding, const std::string& body, const std::string& text) {
  const Decoded found = decoded(coding, body);
  CHECK(found.status == DecodeStatus::end);
  CHECK((found.text == text));  // In brackets, lest a megabyte is printed.
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: bodies of every size come back the same, in any room") {
  for (const ContentCoding coding : available_codings()) {
    for (const std::size_t bytes :
         std::initializer_list<std::size_t>{0, 1, 2, 1000, 65'535, 65'536, 65'537, 1'048'576}) {
      for (const std::size_t room : std::initializer_list<std::size_t>{1, 7, 31, 32, 33, 16'384}) {
        if (bytes > 100'000 && room < 7) {
          continue;  // A million calls that show nothing new.
        }
        CAPTURE(to_string(coding));
        CAPTURE(bytes);
        CAPTURE(room);
        for (const std::string& text : {compressible_text(bytes), random_text(bytes)}) {
          check_decodes_to(coding, encoded(coding, text, {.output_bytes = room}), text);
        }
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: the room makes no difference to the body") {
  const std::string text = compressible_text(100'000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const std::string body = encoded(coding, text, {.output_bytes = 1 << 20});
    CHECK(body.size() < text.size() / 4);
    CHECK((encoded(coding, text, {.output_bytes = 1}) == body));
    CHECK((encoded(coding, text, {.output_bytes = 500}) == body));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: input in pieces of every size comes back the same") {
  const std::string text = compressible_text(300);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      CAPTURE(piece);
      check_decodes_to(coding, encoded(coding, text, {.input_bytes = piece}), text);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: what comes before a sync can be decoded at once") {
  for (const ContentCoding coding : available_codings()) {
    for (const std::size_t room : std::initializer_list<std::size_t>{1, 5, 6, 7, 8, 40, 16'384}) {
      CAPTURE(to_string(coding));
      CAPTURE(room);
      Arena arena;
      Encoder& encoder = make_encoder(coding, arena);
      Decoder& decoder = make_decoder(coding, arena, kWideLimits);
      for (const std::size_t bytes :
           std::initializer_list<std::size_t>{1, 10, 1, 5000, 70'000, 3}) {
        const std::string text = compressible_text(bytes);
        std::string body;
        encode_piece(encoder, text, Flush::sync, body, room);
        const Decoded found = tests::decode_piece(decoder, body, false);
        CHECK(found.status == DecodeStatus::need_input);
        CHECK((found.text == text));
      }
      std::string end;
      encode_piece(encoder, {}, Flush::finish, end, room);
      CHECK(tests::decode_piece(decoder, end, true).status == DecodeStatus::end);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "encoder: a flush with nothing to flush ends, and costs next to nothing") {
  for (const ContentCoding coding : available_codings()) {
    for (const std::size_t room : std::initializer_list<std::size_t>{1, 16'384}) {
      CAPTURE(to_string(coding));
      Arena arena;
      Encoder& encoder = make_encoder(coding, arena);
      std::string body;
      for (int i = 0; i < 100; ++i) {
        encode_piece(encoder, {}, Flush::none, body, room);
        encode_piece(encoder, {}, Flush::sync, body, room);
      }
      encode_piece(encoder, "text", Flush::sync, body, room);
      encode_piece(encoder, {}, Flush::sync, body, room);
      encode_piece(encoder, {}, Flush::finish, body, room);
      CHECK(body.size() < 1000);
      check_decodes_to(coding, body, "text");
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: after the end it is done, and writes nothing") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    Arena arena;
    Encoder& encoder = make_encoder(coding, arena);
    std::string body;
    encode_piece(encoder, "text", Flush::finish, body);
    const std::size_t bytes = body.size();
    encode_piece(encoder, {}, Flush::finish, body);
    CHECK(body.size() == bytes);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: without room nothing is written, but input is taken") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    Arena arena;
    Encoder& encoder = make_encoder(coding, arena);
    std::string_view input = "text";
    std::span<char> output;
    CHECK(encoder.encode(input, output, Flush::finish) == Progress::need_output);
    std::string body;
    encode_piece(encoder, input, Flush::finish, body);
    check_decodes_to(coding, body, "text");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: a hint that is wrong costs only size") {
  const std::string text = compressible_text(200'000);
  for (const ContentCoding coding : available_codings()) {
    for (const std::uint64_t hint : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1023},
                                     std::uint64_t{200'000}, UINT64_MAX}) {
      CAPTURE(to_string(coding));
      CAPTURE(hint);
      check_decodes_to(coding, encoded(coding, text, {.input_bytes = 5000}, {.size_hint = hint}),
                       text);
      check_decodes_to(coding, encoded(coding, "", {}, {.size_hint = hint}), "");
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: a level beyond what there is counts as the nearest") {
  const std::string text = compressible_text(3000);
  for (const ContentCoding coding : available_codings()) {
    for (const int level : {-1000, 0, 1, 9, 11, 22, 1000}) {
      CAPTURE(to_string(coding));
      CAPTURE(level);
      const EncoderOptions options{
          .size_hint = {}, .gzip_level = level, .brotli_quality = level, .zstd_level = level};
      check_decodes_to(coding, encoded(coding, text, {}, options), text);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: there is none for identity") {
  Arena arena;
  CHECK_THROWS_AS((void)make_encoder(ContentCoding::identity, arena), std::invalid_argument);
  CHECK_THROWS_AS((void)make_decoder(ContentCoding::identity, arena), std::invalid_argument);
}

/// What a body of that size takes of an arena.
std::size_t arena_bytes(ContentCoding coding, std::size_t bytes,
                        std::optional<std::uint64_t> hint) {
  Arena arena;
  Encoder& encoder = make_encoder(coding, arena, {.size_hint = hint});
  const std::string text = compressible_text(bytes);
  std::string body;
  for (std::size_t i = 0; i < text.size(); i += 16 * 1024) {
    encode_piece(encoder, std::string_view(text).substr(i, 16 * 1024), Flush::none, body);
  }
  encode_piece(encoder, {}, Flush::finish, body);
  return arena.bytes_used();
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: its memory is what the header says") {
  struct Row {
    ContentCoding coding;
    std::size_t small_kib;
    std::size_t medium_kib;
    std::size_t unknown_kib;
  };
  for (const Row& row :
       {Row{ContentCoding::gzip, 23, 199, 199}, Row{ContentCoding::br, 555, 1660, 1920},
        Row{ContentCoding::zstd, 40, 586, 586}}) {
    if (is_available(row.coding)) {
      CAPTURE(to_string(row.coding));
      CHECK(arena_bytes(row.coding, 1024, 1024) <= row.small_kib * 1024);
      CHECK(arena_bytes(row.coding, 65'536, 65'536) <= row.medium_kib * 1024);
      CHECK(arena_bytes(row.coding, 1 << 20, std::nullopt) <= row.unknown_kib * 1024);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoder: a body of any length takes the memory of its first part") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    Arena arena;
    Encoder& encoder = make_encoder(coding, arena);
    const std::string text = compressible_text(1 << 20) + random_text(1 << 20);
    std::string body;
    encode_piece(encoder, text, Flush::none, body);
    const std::size_t bytes = arena.bytes_used();
    for (int i = 0; i < 8; ++i) {
      body.clear();
      encode_piece(encoder, text, Flush::sync, body);
    }
    CHECK(arena.bytes_used() <= bytes + bytes / 4);
  }
}

/// True when it was encoded, false when the arena had not enough.
bool fits(ContentCoding coding, const std::string& text, std::size_t limit_bytes) {
  Arena arena({.chunk_bytes = 1024, .limit_bytes = limit_bytes});
  try {
    Encoder& encoder = make_encoder(coding, arena);
    std::string body;
    encode_piece(encoder, text, Flush::finish, body);
    return true;
  } catch (const ArenaFailed&) {
    return false;
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "encoder: whichever allocation the arena refuses, it is ArenaFailed") {
  const std::string text = compressible_text(100'000);
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    std::size_t limit_bytes = 2048;
    while (!fits(coding, text, limit_bytes)) {
      limit_bytes += 2048 + limit_bytes / 64;
      REQUIRE(limit_bytes < 8 << 20);
    }
    CHECK(limit_bytes > 100'000);
  }
}

}  // namespace
}  // namespace stadion::http
