// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/arena.hpp"
#include "http/fields.hpp"
#include "http/method.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace stadion::http {

/// How a response's body is put on the wire.
enum class BodyFraming : std::uint8_t {
  none,            ///< Nothing follows the head: HEAD, 204, 304.
  content_length,  ///< As many bytes as the head says.
  chunked,
  until_close,  ///< For a client of HTTP/1.0, which knows no chunks.
};

/// What the head says of the body and of the connection.
struct ResponseFraming {
  BodyFraming body = BodyFraming::content_length;
  std::optional<std::uint64_t> content_length{};
  bool keep_alive = true;
  Version client_version = Version::http_1_1;
};

/// Decides how the response to a request of this method and version is framed (RFC 9112 section 6).
ResponseFraming frame_response(const Response& response, Method method, Version version,
                               bool keep_alive) noexcept;

/// The head that write_head() writes is at most so large, and little smaller.
std::size_t head_bytes_max(const Response& response, std::string_view date_line) noexcept;

/// Writes status line, header fields and the empty line; answers the end of what it wrote. `to` has
/// room for head_bytes_max(). `date_line` is a whole line.
char* write_head(char* to, const Response& response, const ResponseFraming& framing,
                 std::string_view date_line) noexcept;

/// An interim response, or 101, as a whole: a status line and the response's fields, in the arena
/// (RFC 9110 section 15.2). Throws ArenaFailed.
std::string_view write_interim_head(const Response& response, Arena& arena);

/// The exact size of what write_last_chunk() writes.
std::size_t last_chunk_bytes(const Fields& trailers) noexcept;
/// Writes the last chunk, the trailer fields and the empty line; answers their end.
char* write_last_chunk(char* to, const Fields& trailers) noexcept;

/// A chunk's size line takes this many bytes at the most.
inline constexpr std::size_t kChunkHeadBytesMax = 18;
inline constexpr std::string_view kChunkEnd = "\r\n";

/// Writes a chunk's size line, and answers its end.
char* write_chunk_head(char* to, std::size_t chunk_bytes) noexcept;

}  // namespace stadion::http
