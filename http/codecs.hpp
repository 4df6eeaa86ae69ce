// SPDX-License-Identifier: MIT
#pragma once

#include "core/arena.hpp"
#include "http/decoder.hpp"
#include "http/encoder.hpp"

/// What the codings' own files give to make_encoder() and make_decoder(); only those are there that
/// were built. Internal to http/.
namespace stadion::http {

Encoder& make_gzip_encoder(Arena& arena, const EncoderOptions& options);
Encoder& make_brotli_encoder(Arena& arena, const EncoderOptions& options);
Encoder& make_zstd_encoder(Arena& arena, const EncoderOptions& options);

Decoder& make_gzip_decoder(Arena& arena, const DecoderLimits& limits);
Decoder& make_brotli_decoder(Arena& arena, const DecoderLimits& limits);
Decoder& make_zstd_decoder(Arena& arena, const DecoderLimits& limits);

}  // namespace stadion::http
