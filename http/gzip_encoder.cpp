// SPDX-License-Identifier: MIT
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "core/assert.hpp"
#include "http/codec_memory.hpp"
#include "http/codecs.hpp"

namespace stadion::http {
namespace {

constexpr int kWindowBitsMin = 9;  // zlib's deflate does not really have 8.
constexpr int kWindowBitsMax = 15;
constexpr int kGzipWrapper = 16;  // Added to the window's bits it asks for gzip instead of zlib.
constexpr int kMemoryLevelMax = 7;
/// The part of the window in which deflate finds no match: its MIN_LOOKAHEAD.
constexpr std::uint64_t kWindowSlack = 262;
constexpr std::size_t kPieceBytesMax = std::size_t{1} << 30;  // zlib counts in unsigned.

int window_bits_for(std::optional<std::uint64_t> size_hint) {
  if (!size_hint || *size_hint > (std::uint64_t{1} << kWindowBitsMax)) {
    return kWindowBitsMax;
  }
  return std::clamp(static_cast<int>(std::bit_width(*size_hint + kWindowSlack - 1)), kWindowBitsMin,
                    kWindowBitsMax);
}

int mode_of(Flush flush) {
  switch (flush) {
    case Flush::none: return Z_NO_FLUSH;
    case Flush::sync: return Z_SYNC_FLUSH;
    case Flush::finish: return Z_FINISH;
  }
  return Z_FINISH;
}

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder(Arena& arena, const EncoderOptions& options) : memory_(arena) {
    stream_.zalloc = CodecMemory::allocate_array;
    stream_.zfree = CodecMemory::release;
    stream_.opaque = &memory_;
    const int window_bits = window_bits_for(options.size_hint);
    const int memory_level = std::min(window_bits - 7, kMemoryLevelMax);
    const int result = deflateInit2(&stream_, std::clamp(options.gzip_level, 0, 9), Z_DEFLATED,
                                    window_bits + kGzipWrapper, memory_level, Z_DEFAULT_STRATEGY);
    memory_.raise_refusal();
    STADION_ASSERT(result == Z_OK);
    static_cast<void>(result);
  }

 private:
  Progress proceed(std::string_view& input, std::span<char>& output, Flush flush) override;
  void deflate_into(std::span<char>& room, std::string_view& input, Flush flush);
  void unspill(std::span<char>& output);

  CodecMemory memory_;
  z_stream stream_{};
  /// The flush that the last call of deflate() completed.
  std::optional<Flush> completed_;
  /// deflate() tells that a flush is complete by room that is left, and writes its marker again
  /// when there is none. So where the output is short, what it writes goes here first.
  std::array<char, 32> spill_;
  std::span<char> spilled_;
};

Progress GzipEncoder::proceed(std::string_view& input, std::span<char>& output, Flush flush) {
  while (true) {
    unspill(output);
    if (!spilled_.empty()) {
      return Progress::need_output;
    }
    if (input.empty() && completed_ == flush) {
      completed_.reset();
      return Progress::done;
    }
    if (output.size() >= spill_.size()) {
      deflate_into(output, input, flush);
    } else {
      std::span<char> room(spill_);
      deflate_into(room, input, flush);
      spilled_ = std::span<char>(spill_).first(spill_.size() - room.size());
    }
  }
}

void GzipEncoder::unspill(std::span<char>& output) {
  const std::size_t bytes = std::min(output.size(), spilled_.size());
  std::copy_n(spilled_.begin(), bytes, output.begin());
  output = output.subspan(bytes);
  spilled_ = spilled_.subspan(bytes);
}

void GzipEncoder::deflate_into(std::span<char>& room, std::string_view& input, Flush flush) {
  const std::size_t offered = std::min(input.size(), kPieceBytesMax);
  const std::size_t room_offered = std::min(room.size(), kPieceBytesMax);
  stream_.next_in = reinterpret_cast<const Bytef*>(input.data());
  stream_.avail_in = static_cast<uInt>(offered);
  stream_.next_out = reinterpret_cast<Bytef*>(room.data());
  stream_.avail_out = static_cast<uInt>(room_offered);
  const int result = ::deflate(&stream_, offered < input.size() ? Z_NO_FLUSH : mode_of(flush));
  STADION_ASSERT(result != Z_STREAM_ERROR);  // Z_BUF_ERROR says that there was nothing to do.

  input.remove_prefix(offered - stream_.avail_in);
  room = room.subspan(room_offered - stream_.avail_out);
  completed_.reset();
  if (input.empty() && (flush == Flush::finish ? result == Z_STREAM_END
                                               : flush == Flush::none || stream_.avail_out > 0)) {
    completed_ = flush;
  }
}

}  // namespace

Encoder& make_gzip_encoder(Arena& arena, const EncoderOptions& options) {
  return arena.make<GzipEncoder>(arena, options);
}

}  // namespace stadion::http
