// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/content_coding.hpp"

namespace stadion::http {

/// `end`: the whole body is decoded. `too_large`: a limit would be passed (413). `malformed`: no
/// body of that coding, or one that is cut short (400). These three are for good.
enum class DecodeStatus : std::uint8_t { need_input, need_output, end, malformed, too_large };

/// Against bodies that are small on the wire only.
struct DecoderLimits {
  /// The decoded body; over it, too_large. Default is 1 MiB.
  std::uint64_t bytes_max = 1024 * 1024;
  /// How many times larger the decoded body may be than the coded one, at any time; over it,
  /// too_large. Default is 100.
  std::uint64_t ratio_max = 100;
  /// As long as no more than this was decoded, any ratio is good. Default is 64 KiB.
  std::uint64_t ratio_free_bytes = 64 * 1024;
  /// The library's state in the arena; over it, too_large. The client chooses a window, which takes
  /// as much as it says: 2 MiB by zstd's default, and 8 MiB at the most by RFC 9659. Default is
  /// 4 MiB.
  std::size_t memory_bytes_max = 4 * 1024 * 1024;
};

/// Takes the content coding off a body piece by piece.
///
/// A body of several gzip members or zstd frames is all of them (RFC 1952 section 2.2, RFC 8878
/// section 3); anything else behind the end is malformed.
///
/// Lifetime   The arena's: the library's whole state is in it, and nothing has to be given back.
/// Threads    One at a time, as its request.
/// Limits     DecoderLimits.
/// Cost       Of the arena, for 1 MiB as our encoders write it: gzip 40 KiB, br 150, zstd 414.
///            Other encoders choose larger windows.
/// Throws     decode() ArenaFailed, after which the decoder must not be used.
class Decoder {
 public:
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Removes from the input what it took, and from the output what it wrote. `is_last` says that
  /// the body ends with this input; without that there is no `end`. At `need_input` all of the input
  /// is taken; at `need_output` call again with more room and the rest of the input.
  DecodeStatus decode(std::string_view& input, std::span<char>& output, bool is_last);

  std::uint64_t bytes_taken() const noexcept { return bytes_taken_; }
  std::uint64_t bytes_decoded() const noexcept { return bytes_decoded_; }

 protected:
  /// `stream_end`: a gzip member, a zstd frame or the brotli stream is complete.
  enum class Step : std::uint8_t { more, stream_end, malformed, too_large };

  explicit Decoder(const DecoderLimits& limits) noexcept : limits_(limits) {}
  ~Decoder() = default;  // Nobody deletes what is in an arena.

 private:
  /// Goes on until the input or the room is used up, or the stream ends. After that it is called
  /// with input only. `room` may be empty, but is not null.
  virtual Step step(std::string_view& input, std::span<char>& room) = 0;

  bool advance(std::string_view& input, std::span<char>& output);
  void account(std::uint64_t taken, std::uint64_t decoded);

  DecoderLimits limits_;
  std::uint64_t bytes_taken_ = 0;
  std::uint64_t bytes_decoded_ = 0;
  bool is_complete_ = false;  ///< What was taken could be the whole body.
  std::optional<DecodeStatus> failure_;
};

/// A new decoder in the arena. Throws ArenaFailed; std::invalid_argument for identity and for a
/// coding that is not available.
Decoder& make_decoder(ContentCoding coding, Arena& arena, const DecoderLimits& limits = {});

}  // namespace stadion::http
