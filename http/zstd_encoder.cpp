// SPDX-License-Identifier: MIT
#define ZSTD_STATIC_LINKING_ONLY  // For ZSTD_createCCtx_advanced(), which takes an allocator.
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/assert.hpp"
#include "http/codec_memory.hpp"
#include "http/codecs.hpp"

namespace stadion::http {
namespace {

constexpr int kWindowBitsMax = 16;
/// zstd's own choice for a stream of level 3 takes 3.7 MB; with these it is 0.6.
constexpr int kTableBitsMax = 14;

int window_bits_for(std::optional<std::uint64_t> size_hint) {
  if (!size_hint || *size_hint > (std::uint64_t{1} << kWindowBitsMax)) {
    return kWindowBitsMax;
  }
  return std::clamp(static_cast<int>(std::bit_width(std::max<std::uint64_t>(*size_hint, 1) - 1)),
                    ZSTD_WINDOWLOG_MIN, kWindowBitsMax);
}

ZSTD_EndDirective directive_of(Flush flush) {
  switch (flush) {
    case Flush::none: return ZSTD_e_continue;
    case Flush::sync: return ZSTD_e_flush;
    case Flush::finish: return ZSTD_e_end;
  }
  return ZSTD_e_end;
}

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder(Arena& arena, const EncoderOptions& options)
      : memory_(arena),
        context_(
            ZSTD_createCCtx_advanced({CodecMemory::allocate, CodecMemory::release, &memory_})) {
    memory_.raise_refusal();
    const int level = std::clamp(options.zstd_level, 1, ZSTD_maxCLevel());
    const int window_bits = window_bits_for(options.size_hint);
    const int table_bits = std::min(window_bits, kTableBitsMax);
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_windowLog, window_bits);
    set(ZSTD_c_hashLog, table_bits);
    set(ZSTD_c_chainLog, table_bits);
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    const std::size_t result = ZSTD_CCtx_setParameter(context_, parameter, value);
    STADION_ASSERT(ZSTD_isError(result) == 0);
    static_cast<void>(result);
  }
  Progress proceed(std::string_view& input, std::span<char>& output, Flush flush) override;

  CodecMemory memory_;
  ZSTD_CCtx* context_;
};

Progress ZstdEncoder::proceed(std::string_view& input, std::span<char>& output, Flush flush) {
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  ZSTD_outBuffer out{output.data(), output.size(), 0};
  bool is_done = false;
  do {
    const std::size_t left = ZSTD_compressStream2(context_, &out, &in, directive_of(flush));
    memory_.raise_refusal();
    STADION_ASSERT(ZSTD_isError(left) == 0);
    is_done = in.pos == in.size && (flush == Flush::none || left == 0);
  } while (!is_done && out.pos < out.size);

  input.remove_prefix(in.pos);
  output = output.subspan(out.pos);
  return is_done ? Progress::done : Progress::need_output;
}

}  // namespace

Encoder& make_zstd_encoder(Arena& arena, const EncoderOptions& options) {
  return arena.make<ZstdEncoder>(arena, options);
}

}  // namespace stadion::http
