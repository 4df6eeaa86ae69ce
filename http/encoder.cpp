// SPDX-License-Identifier: MIT
#include "http/encoder.hpp"

#include <stdexcept>
#include <string>

#include "core/assert.hpp"
#include "http/codecs.hpp"

namespace stadion::http {

Progress Encoder::encode(std::string_view& input, std::span<char>& output, Flush flush) {
  STADION_ASSERT(!has_ended_ || input.empty());
  if (has_ended_) {
    return Progress::done;
  }
  const Progress progress = proceed(input, output, flush);
  has_ended_ = progress == Progress::done && flush == Flush::finish;
  return progress;
}

Encoder& make_encoder(ContentCoding coding, [[maybe_unused]] Arena& arena,
                      [[maybe_unused]] const EncoderOptions& options) {
  switch (coding) {
#ifdef STADION_HTTP_GZIP
    case ContentCoding::gzip: return make_gzip_encoder(arena, options);
#endif
#ifdef STADION_HTTP_BROTLI
    case ContentCoding::br: return make_brotli_encoder(arena, options);
#endif
#ifdef STADION_HTTP_ZSTD
    case ContentCoding::zstd: return make_zstd_encoder(arena, options);
#endif
    default: break;
  }
  throw std::invalid_argument("no encoder for " + std::string(to_string(coding)));
}

}  // namespace stadion::http
