// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/content_coding.hpp"
#include "http/decoder.hpp"
#include "http/encoder.hpp"

/// Whole bodies through an Encoder and a Decoder, in pieces of any size.
namespace stadion::tests {

inline constexpr std::size_t kAtOnce = std::size_t{1} << 40;

/// Those with a library in this build; identity is none of them.
inline std::vector<http::ContentCoding> available_codings() {
  std::vector<http::ContentCoding> codings;
  for (const auto coding :
       {http::ContentCoding::gzip, http::ContentCoding::br, http::ContentCoding::zstd}) {
    if (http::is_available(coding)) {
      codings.push_back(coding);
    }
  }
  return codings;
}

/// Something like JSON: it becomes a fifth of its size.
inline std::string compressible_text(std::size_t bytes) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < bytes) {
    const auto id = random() % 100'000;
    const auto user = random() % 50;
    text += "{\"id\":" + std::to_string(id) + ",\"name\":\"user " + std::to_string(user) +
            "\",\"active\":true},";
  }
  text.resize(bytes);
  return text;
}

inline std::string random_text(std::size_t bytes) {
  std::mt19937 random(11);
  std::string text(bytes, '\0');
  std::generate(text.begin(), text.end(), [&random] { return static_cast<char>(random()); });
  return text;
}

/// Calls encode() until it is done, with output of so many bytes at a time, and appends that.
inline void encode_piece(http::Encoder& encoder, std::string_view input, http::Flush flush,
                         std::string& into, std::size_t room_bytes = 16 * 1024) {
  std::vector<char> room(room_bytes);
  http::Progress progress = http::Progress::need_output;
  while (progress == http::Progress::need_output) {
    std::span<char> left(room);
    progress = encoder.encode(input, left, flush);
    into.append(room.data(), room.size() - left.size());
  }
}

struct Pieces {
  std::size_t input_bytes = kAtOnce;
  std::size_t output_bytes = 16 * 1024;
};

inline std::string encoded(http::ContentCoding coding, std::string_view text, Pieces pieces = {},
                           const http::EncoderOptions& options = {}) {
  Arena arena;
  http::Encoder& encoder = http::make_encoder(coding, arena, options);
  std::string body;
  while (text.size() > pieces.input_bytes) {
    encode_piece(encoder, text.substr(0, pieces.input_bytes), http::Flush::none, body,
                 pieces.output_bytes);
    text.remove_prefix(pieces.input_bytes);
  }
  encode_piece(encoder, text, http::Flush::finish, body, pieces.output_bytes);
  return body;
}

struct Decoded {
  http::DecodeStatus status;
  std::string text;
};

/// Decodes a piece until something else than more room is needed.
inline Decoded decode_piece(http::Decoder& decoder, std::string_view input, bool is_last,
                            std::size_t room_bytes = 16 * 1024) {
  std::vector<char> room(room_bytes);
  Decoded decoded{http::DecodeStatus::need_output, {}};
  while (decoded.status == http::DecodeStatus::need_output) {
    std::span<char> left(room);
    decoded.status = decoder.decode(input, left, is_last);
    decoded.text.append(room.data(), room.size() - left.size());
  }
  return decoded;
}

inline constexpr http::DecoderLimits kWideLimits{.bytes_max = 64 << 20,
                                                 .ratio_max = 1'000'000,
                                                 .ratio_free_bytes = 64 * 1024,
                                                 .memory_bytes_max = 64 << 20};

inline Decoded decoded(http::ContentCoding coding, std::string_view body,
                       const http::DecoderLimits& limits = kWideLimits, Pieces pieces = {}) {
  Arena arena;
  http::Decoder& decoder = http::make_decoder(coding, arena, limits);
  std::string text;
  while (body.size() > pieces.input_bytes) {
    const Decoded piece =
        decode_piece(decoder, body.substr(0, pieces.input_bytes), false, pieces.output_bytes);
    text += piece.text;
    body.remove_prefix(pieces.input_bytes);
  }
  Decoded last = decode_piece(decoder, body, true, pieces.output_bytes);
  last.text.insert(0, text);
  return last;
}

}  // namespace stadion::tests
