// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "http/content_coding.hpp"
#include "http/encoder.hpp"
#include "http/middleware.hpp"

namespace stadion::http {

struct CompressionOptions {
  /// Of those that the client likes best, the first. What this build has not is left out. Default is
  /// zstd, br, gzip.
  std::vector<ContentCoding> codings{ContentCoding::zstd, ContentCoding::br, ContentCoding::gzip};
  /// A smaller body is sent as it is. Default is 1 KiB.
  std::size_t bytes_min = 1024;
  /// A body up to this size is compressed at once and has a Content-Length; a larger one, or one of
  /// unknown length, piece by piece as the client takes it. Default is 64 KiB.
  std::size_t whole_bytes_max = 64 * 1024;
  /// Levels: see EncoderOptions, whose size_hint is set for each response.
  EncoderOptions levels{};
  /// Which media types are worth it. Default is is_compressible().
  std::function<bool(std::string_view content_type)> is_worth_it{};
};

/// Compresses responses as the client's Accept-Encoding has it (RFC 9110 section 12.5.3).
///
/// A body is left as it is if it is small, of a type that is compressed already, partial (206), or has
/// a Content-Encoding; and where Cache-Control says no-transform. Vary is set wherever the coding
/// depends on the client. A strong ETag becomes weak, for the bytes are others (section 8.8.1).
///
/// Do not compress, in one response, a secret together with what a stranger can choose: its length
/// then tells of the secret (BREACH).
///
/// Lifetime   The coding's state lives in the request's arena: see Encoder for how much that is. Where
///            the arena has not enough, a body that is compressed at once is sent as it is, and one
///            that is compressed piece by piece may be cut short, which the client sees.
/// Threads    Safe from any.
Middleware compression(CompressionOptions options = {});

}  // namespace stadion::http
