// SPDX-License-Identifier: MIT
#define ZSTD_STATIC_LINKING_ONLY  // For ZSTD_createDCtx_advanced(), which takes an allocator.
#include <zstd.h>
#include <zstd_errors.h>

#include <cstddef>

#include "http/codec_memory.hpp"
#include "http/codecs.hpp"

namespace stadion::http {
namespace {

/// By its first byte: a Zstandard frame, or a skippable one (RFC 8878 section 3.1). It keeps out
/// the formats from before zstd 1.0: a library that was built with them calls malloc for them.
bool begins_frame(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value == 0x28 || (value & 0xF0) == 0x50;
}

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder(Arena& arena, const DecoderLimits& limits)
      : Decoder(limits),
        memory_(arena, limits.memory_bytes_max),
        context_(
            ZSTD_createDCtx_advanced({CodecMemory::allocate, CodecMemory::release, &memory_})) {
    memory_.raise_refusal();
  }

 private:
  Step step(std::string_view& input, std::span<char>& room) override;
  Step outcome_of(std::size_t result);

  CodecMemory memory_;
  ZSTD_DCtx* context_;  ///< Null when memory_bytes_max is too little.
  bool is_within_frame_ = false;
};

Decoder::Step ZstdDecoder::step(std::string_view& input, std::span<char>& room) {
  if (context_ == nullptr) {
    return Step::too_large;
  }
  if (!is_within_frame_) {
    if (input.empty()) {
      return Step::more;
    }
    if (!begins_frame(input.front())) {
      return Step::malformed;
    }
  }
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  ZSTD_outBuffer out{room.data(), room.size(), 0};
  std::size_t result = 0;
  std::size_t before = 0;
  do {
    before = in.pos + out.pos;
    result = ZSTD_decompressStream(context_, &out, &in);
  } while (result != 0 && ZSTD_isError(result) == 0 && in.pos + out.pos > before &&
           in.pos < in.size && out.pos < out.size);
  input.remove_prefix(in.pos);
  room = room.subspan(out.pos);
  is_within_frame_ = result != 0;
  return outcome_of(result);
}

Decoder::Step ZstdDecoder::outcome_of(std::size_t result) {
  if (ZSTD_isError(result) == 0) {
    return result == 0 ? Step::stream_end : Step::more;
  }
  memory_.raise_refusal();
  const ZSTD_ErrorCode error = ZSTD_getErrorCode(result);
  if (error == ZSTD_error_noForwardProgress_destFull ||
      error == ZSTD_error_noForwardProgress_inputEmpty) {
    return Step::more;  // Called again and again without input or room: the caller's affair.
  }
  return memory_.is_over_limit() || error == ZSTD_error_frameParameter_windowTooLarge
             ? Step::too_large
             : Step::malformed;
}

}  // namespace

Decoder& make_zstd_decoder(Arena& arena, const DecoderLimits& limits) {
  return arena.make<ZstdDecoder>(arena, limits);
}

}  // namespace stadion::http
