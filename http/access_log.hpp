// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace stadion::http {

/// What is to be said of one request that was answered. An empty text is one that is not known.
struct AccessRecord {
  std::string_view remote_address{};
  std::string_view user{};  ///< Who was authenticated.
  std::chrono::system_clock::time_point time{};
  std::string_view method{};
  std::string_view target{};
  std::string_view version = "HTTP/1.1";
  unsigned status = 0;
  std::uint64_t body_bytes_sent = 0;
  std::chrono::nanoseconds duration{0};
  std::string_view request_id{};
  std::string_view referer{};
  std::string_view user_agent{};
  std::uint64_t arena_bytes = 0;
};

/// A line is never longer, its newline included: as much as a pipe takes in one piece (PIPE_BUF of
/// Linux), so that the lines of several processes do not mix.
inline constexpr std::size_t kAccessLineBytesMax = 4096;

/// Where a line is written: on the stack, or one for each Worker.
using AccessLine = std::array<char, kAccessLineBytesMax>;

/// The record as a line of the Combined Log Format with three fields behind it, newline included:
///
///     192.0.2.1 - ann [06/Nov/1994:08:49:37 +0000] "GET /a HTTP/1.1" 200 512
///         "https://b.example/" "curl/8.0" 1250 4096 7f3a…
///
/// (in one line): address, "-", user, time in UTC, request, status, bytes of the body, Referer,
/// User-Agent, duration in microseconds, bytes of arena, request id. What is not known is "-".
///
/// Nothing that a client sends can begin a new line or field: a control character, quote, backslash
/// or any byte beyond ASCII is written as \xHH; so is a space outside Referer and User-Agent, and a
/// bracket in address, user and request id.
///
/// Lifetime   The text is in `line`.
/// Threads    Safe from any, with a line of its own.
/// Limits     A text that would take too much of the line is cut, and then ends with `\...`, which
///            no text contains otherwise: the target at 1,536 bytes as they are written, Referer
///            and User-Agent at 768, request id and user at 128, address at 64, method 32, version
///            16.
/// Cost       No memory is allocated.
/// Source     Apache httpd, "Combined Log Format".
std::string_view format_combined(const AccessRecord& record,
                                 std::span<char, kAccessLineBytesMax> line) noexcept;

/// The record as a line with one JSON object, newline included:
///
///     {"time":"1994-11-06T08:49:37.000000Z","remote":"192.0.2.1","user":"ann","method":"GET",
///      "target":"/a","version":"HTTP/1.1","status":200,"bytes":512,"duration_us":1250,
///      "arena_bytes":4096,"id":"7f3a…","referer":"https://b.example/","agent":"curl/8.0"}
///
/// Every line is valid JSON in printable ASCII: any other character is written as \uXXXX, a byte
/// that is not part of valid UTF-8 as \ufffd. All members are always there, but for
/// `"truncated":true`, which comes last when a text was cut; such a text ends with "...". Limits,
/// threads and cost are those of format_combined().
///
/// Source     RFC 8259, RFC 3339.
std::string_view format_json(const AccessRecord& record,
                             std::span<char, kAccessLineBytesMax> line) noexcept;

}  // namespace stadion::http
