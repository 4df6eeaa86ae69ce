// SPDX-License-Identifier: MIT
#include <brotli/decode.h>

#include <cstddef>
#include <cstdint>

#include "http/codec_memory.hpp"
#include "http/codecs.hpp"

namespace stadion::http {
namespace {

class BrotliDecoder final : public Decoder {
 public:
  BrotliDecoder(Arena& arena, const DecoderLimits& limits)
      : Decoder(limits),
        memory_(arena, limits.memory_bytes_max),
        state_(BrotliDecoderCreateInstance(CodecMemory::allocate, CodecMemory::release, &memory_)) {
    memory_.raise_refusal();
  }

 private:
  Step step(std::string_view& input, std::span<char>& room) override;

  CodecMemory memory_;
  BrotliDecoderState* state_;  ///< Null when memory_bytes_max is too little.
  bool has_ended_ = false;
};

Decoder::Step BrotliDecoder::step(std::string_view& input, std::span<char>& room) {
  if (state_ == nullptr) {
    return Step::too_large;
  }
  if (has_ended_) {
    return Step::malformed;  // Nothing may follow the one stream.
  }
  std::size_t input_left = input.size();
  std::size_t room_left = room.size();
  const auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
  auto* next_out = reinterpret_cast<std::uint8_t*>(room.data());
  const BrotliDecoderResult result =
      BrotliDecoderDecompressStream(state_, &input_left, &next_in, &room_left, &next_out, nullptr);
  input.remove_prefix(input.size() - input_left);
  room = room.last(room_left);
  memory_.raise_refusal();
  if (result == BROTLI_DECODER_RESULT_ERROR) {
    return memory_.is_over_limit() ? Step::too_large : Step::malformed;
  }
  has_ended_ = result == BROTLI_DECODER_RESULT_SUCCESS;
  return has_ended_ ? Step::stream_end : Step::more;
}

}  // namespace

Decoder& make_brotli_decoder(Arena& arena, const DecoderLimits& limits) {
  return arena.make<BrotliDecoder>(arena, limits);
}

}  // namespace stadion::http
