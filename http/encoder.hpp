// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/content_coding.hpp"

namespace stadion::http {

/// What encode() has to write besides what it likes to: `none` leaves it to the coding; `sync` all
/// that was taken, so that the client can decode it at once; `finish` the end of the body.
enum class Flush : std::uint8_t { none, sync, finish };

/// `done`: the input is taken, and what Flush asks for is written. `need_output`: the output is
/// full; call again with more, the rest of the input and the same Flush.
enum class Progress : std::uint8_t { done, need_output };

struct EncoderOptions {
  /// The length of the body. It need not be right: memory is fitted to it. Default is unknown.
  std::optional<std::uint64_t> size_hint;
  /// From 0 to 9. Default is 5: 73 MB/s for 18 % of the size, where 6 takes twice as long for 17 %.
  int gzip_level = 5;
  /// From 0 to 11. Default is 4: 100 MB/s for 18 %, where 5 takes twice as long for 17 %.
  int brotli_quality = 4;
  /// From 1 to 22. Default is 3: 310 MB/s for 20 %.
  int zstd_level = 3;
};

/// Compresses a body piece by piece.
///
/// Lifetime   The arena's: the library's whole state is in it, and nothing has to be given back.
/// Threads    One at a time, as its request.
/// Cost       Of the arena, in KiB, by default options (zlib 1.2.13, brotli 1.0.9, zstd 1.5.4):
///
///            size_hint   1 KiB   64 KiB   none
///            gzip           23      199    199
///            br            555     1660   1920
///            zstd           40      586    586
///
///            To encode 1 KiB takes some 10 us with gzip, and 23 with br and zstd.
/// Limits     The memory does not grow with the length of the body.
/// Throws     encode() ArenaFailed, after which the encoder must not be used.
/// Source     RFC 1952 (gzip), RFC 7932 (br), RFC 8878 (zstd).
class Encoder {
 public:
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// Removes from the input what it took, and from the output what it wrote. Requires that nothing
  /// comes after the end of the body.
  Progress encode(std::string_view& input, std::span<char>& output, Flush flush);

 protected:
  Encoder() = default;
  ~Encoder() = default;  // Nobody deletes what is in an arena.

 private:
  virtual Progress proceed(std::string_view& input, std::span<char>& output, Flush flush) = 0;

  bool has_ended_ = false;
};

/// A new encoder in the arena. Throws ArenaFailed; std::invalid_argument for identity and for a
/// coding that is not available.
Encoder& make_encoder(ContentCoding coding, Arena& arena, const EncoderOptions& options = {});

}  // namespace stadion::http
