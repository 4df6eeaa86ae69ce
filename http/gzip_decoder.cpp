// SPDX-License-Identifier: MIT
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <cstddef>

#include "core/assert.hpp"
#include "http/codec_memory.hpp"
#include "http/codecs.hpp"

namespace stadion::http {
namespace {

constexpr int kWindowBits = 15;
constexpr int kGzipOnly = 16;  // Added to the window's bits it refuses zlib's own format.
constexpr std::size_t kPieceBytesMax = std::size_t{1} << 30;  // zlib counts in unsigned.

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder(Arena& arena, const DecoderLimits& limits)
      : Decoder(limits), memory_(arena, limits.memory_bytes_max) {
    stream_.zalloc = CodecMemory::allocate_array;
    stream_.zfree = CodecMemory::release;
    stream_.opaque = &memory_;
    is_made_ = inflateInit2(&stream_, kWindowBits + kGzipOnly) == Z_OK;
    memory_.raise_refusal();
  }

 private:
  Step step(std::string_view& input, std::span<char>& room) override;
  Step outcome_of(int result);

  CodecMemory memory_;
  z_stream stream_{};
  bool is_made_ = false;  ///< Else memory_bytes_max is too little.
  bool has_ended_ = false;
};

Decoder::Step GzipDecoder::step(std::string_view& input, std::span<char>& room) {
  if (!is_made_) {
    return Step::too_large;
  }
  if (has_ended_) {
    inflateReset(&stream_);
  }
  const std::size_t offered = std::min(input.size(), kPieceBytesMax);
  const std::size_t room_offered = std::min(room.size(), kPieceBytesMax);
  stream_.next_in = reinterpret_cast<const Bytef*>(input.data());
  stream_.avail_in = static_cast<uInt>(offered);
  stream_.next_out = reinterpret_cast<Bytef*>(room.data());
  stream_.avail_out = static_cast<uInt>(room_offered);
  const int result = ::inflate(&stream_, Z_NO_FLUSH);
  input.remove_prefix(offered - stream_.avail_in);
  room = room.subspan(room_offered - stream_.avail_out);
  has_ended_ = result == Z_STREAM_END;
  return outcome_of(result);
}

Decoder::Step GzipDecoder::outcome_of(int result) {
  switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: return Step::more;  // The latter for want of input or room.
    case Z_STREAM_END: return Step::stream_end;
    case Z_MEM_ERROR: memory_.raise_refusal(); return Step::too_large;
    default: return Step::malformed;
  }
}

}  // namespace

Decoder& make_gzip_decoder(Arena& arena, const DecoderLimits& limits) {
  return arena.make<GzipDecoder>(arena, limits);
}

}  // namespace stadion::http
