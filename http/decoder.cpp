// SPDX-License-Identifier: MIT
#include "http/decoder.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "http/codecs.hpp"

namespace stadion::http {

DecodeStatus Decoder::decode(std::string_view& input, std::span<char>& output, bool is_last) {
  while (!failure_ && !(is_complete_ && input.empty())) {
    const bool is_starved = advance(input, output);
    if (failure_ || is_complete_) {
      continue;
    }
    if (is_starved && input.empty()) {
      if (!is_last) {
        return DecodeStatus::need_input;
      }
      failure_ = DecodeStatus::malformed;  // It is cut short.
    } else if (output.empty() && bytes_decoded_ < limits_.bytes_max) {
      return DecodeStatus::need_output;
    }
  }
  return failure_.value_or(is_last ? DecodeStatus::end : DecodeStatus::need_input);
}

/// Answers whether it had room that it did not fill.
bool Decoder::advance(std::string_view& input, std::span<char>& output) {
  char first_beyond = 0;  // At the limit the decoder gets room for one byte more, to see it passed.
  const std::uint64_t left = limits_.bytes_max - bytes_decoded_;
  std::span<char> room(&first_beyond, left == 0 ? 1 : 0);
  if (left > 0 && !output.empty()) {
    room = output.first(static_cast<std::size_t>(std::min<std::uint64_t>(output.size(), left)));
  }

  const std::size_t input_before = input.size();
  const std::size_t room_before = room.size();
  const Step result = step(input, room);
  const std::size_t decoded = room_before - room.size();
  if (left > 0) {
    output = output.subspan(decoded);
  }
  is_complete_ = result == Step::stream_end;
  if (result == Step::malformed) {
    failure_ = DecodeStatus::malformed;
  } else if (result == Step::too_large || (left == 0 && decoded > 0)) {
    failure_ = DecodeStatus::too_large;
  } else {
    account(input_before - input.size(), decoded);
  }
  return !room.empty();
}

void Decoder::account(std::uint64_t taken, std::uint64_t decoded) {
  bytes_taken_ += taken;
  bytes_decoded_ += decoded;
  const std::uint64_t ratio_max = std::max<std::uint64_t>(limits_.ratio_max, 1);
  if (bytes_decoded_ > limits_.ratio_free_bytes && bytes_decoded_ / ratio_max > bytes_taken_) {
    failure_ = DecodeStatus::too_large;
  }
}

Decoder& make_decoder(ContentCoding coding, [[maybe_unused]] Arena& arena,
                      [[maybe_unused]] const DecoderLimits& limits) {
  switch (coding) {
#ifdef STADION_HTTP_GZIP
    case ContentCoding::gzip: return make_gzip_decoder(arena, limits);
#endif
#ifdef STADION_HTTP_BROTLI
    case ContentCoding::br: return make_brotli_decoder(arena, limits);
#endif
#ifdef STADION_HTTP_ZSTD
    case ContentCoding::zstd: return make_zstd_decoder(arena, limits);
#endif
    default: break;
  }
  throw std::invalid_argument("no decoder for " + std::string(to_string(coding)));
}

}  // namespace stadion::http
