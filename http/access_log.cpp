// SPDX-License-Identifier: MIT
#include "http/access_log.hpp"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "core/assert.hpp"
#include "http/utf8.hpp"

namespace stadion::http {
namespace {

/// Bytes of each text as they are written, at most.
constexpr std::size_t kAddressMax = 64;
constexpr std::size_t kUserMax = 128;
constexpr std::size_t kMethodMax = 32;
constexpr std::size_t kTargetMax = 1536;
constexpr std::size_t kVersionMax = 16;
constexpr std::size_t kRequestIdMax = 128;
constexpr std::size_t kRefererMax = 768;
constexpr std::size_t kUserAgentMax = 768;
/// Keys, punctuation, times and numbers of the longer form are far less.
constexpr std::size_t kRestMax = 512;
static_assert(kAddressMax + kUserMax + kMethodMax + kTargetMax + kVersionMax + kRequestIdMax +
                  kRefererMax + kUserAgentMax + kRestMax <=
              kAccessLineBytesMax);

constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The longest piece that stands for one character: a surrogate pair in JSON.
constexpr std::size_t kPieceMax = 12;

/// What is written for the characters at the beginning of a text, and how many bytes of it they
/// are.
struct Piece {
  std::array<char, kPieceMax> text{};
  std::size_t size = 0;
  std::size_t consumed = 1;

  void put(char c) noexcept { text[size++] = c; }
  void put_hex(unsigned number, unsigned digits) noexcept {
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    for (unsigned shift = 4 * digits; shift > 0; shift -= 4) {
      put(kHexDigits[(number >> (shift - 4)) & 0xF]);
    }
  }
  void put_unicode_escape(unsigned unit) noexcept {
    put('\\');
    put('u');
    put_hex(unit, 4);
  }
};

bool is_printable(char c) noexcept { return c >= ' ' && c < 0x7F; }

Piece combined_piece(std::string_view text, std::string_view special) noexcept {
  Piece piece;
  const char c = text.front();
  if (!is_printable(c) || special.find(c) != std::string_view::npos) {
    piece.put('\\');
    piece.put('x');
    piece.put_hex(static_cast<unsigned char>(c), 2);
  } else {
    piece.put(c);
  }
  return piece;
}

Piece quoted_piece(std::string_view text) noexcept { return combined_piece(text, "\"\\"); }
/// A part of the request, which is split at its spaces.
Piece part_piece(std::string_view text) noexcept { return combined_piece(text, "\"\\ "); }
/// A field without quotes; there are readers that look for the time's bracket.
Piece word_piece(std::string_view text) noexcept { return combined_piece(text, "\"\\ []"); }

Piece json_piece(std::string_view text) noexcept {
  Piece piece;
  const char c = text.front();
  if (is_printable(c)) {
    if (c == '"' || c == '\\') {
      piece.put('\\');
    }
    piece.put(c);
    return piece;
  }
  const Utf8Character character = first_character(text);
  if (!character.is_valid) {
    piece.put_unicode_escape(0xFFFD);
    return piece;
  }
  piece.consumed = character.bytes;
  if (character.point < 0x10000) {
    piece.put_unicode_escape(static_cast<unsigned>(character.point));
  } else {  // As UTF-16 has it: RFC 8259 section 7.
    const unsigned beyond = static_cast<unsigned>(character.point) - 0x10000;
    piece.put_unicode_escape(0xD800 + (beyond >> 10));
    piece.put_unicode_escape(0xDC00 + (beyond & 0x3FF));
  }
  return piece;
}

class LineWriter {
 public:
  explicit LineWriter(std::span<char, kAccessLineBytesMax> line) noexcept
      : begin_(line.data()), at_(line.data()) {}

  void put(char c) noexcept { *at_++ = c; }
  void put(std::string_view text) noexcept { at_ = std::copy(text.begin(), text.end(), at_); }

  template <class Number>
  requires std::is_integral_v<Number>
  void put_number(Number number) noexcept { at_ = std::to_chars(at_, at_ + 24, number).ptr; }

  /// With zeros before it; only so many of its last digits.
  void put_digits(unsigned number, unsigned digits) noexcept {
    for (unsigned i = digits; i > 0; --i) {
      at_[i - 1] = static_cast<char>('0' + number % 10);
      number /= 10;
    }
    at_ += digits;
  }

  /// The text, piece by piece. When it takes more than so many bytes it is cut behind a piece, such
  /// that the mark fits too.
  template <class PieceOf>
  void put_text(std::string_view text, std::size_t bytes_max, PieceOf piece_of,
                std::string_view mark) noexcept {
    char* const end = at_ + bytes_max;
    char* cut = at_;
    while (!text.empty()) {
      const Piece piece = piece_of(text);
      if (piece.size > static_cast<std::size_t>(end - at_)) {
        at_ = cut;
        put(mark);
        has_cut_ = true;
        return;
      }
      put({piece.text.data(), piece.size});
      if (static_cast<std::size_t>(end - at_) >= mark.size()) {
        cut = at_;
      }
      text.remove_prefix(piece.consumed);
    }
  }

  bool has_cut() const noexcept { return has_cut_; }

  std::string_view end_line() noexcept {
    put('\n');
    STADION_ASSERT(at_ - begin_ <= static_cast<std::ptrdiff_t>(kAccessLineBytesMax));
    return {begin_, static_cast<std::size_t>(at_ - begin_)};
  }

 private:
  char* begin_;
  char* at_;
  bool has_cut_ = false;
};

/// A moment as a calendar has it, in UTC.
struct CalendarTime {
  explicit CalendarTime(std::chrono::system_clock::time_point time) noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    year = static_cast<unsigned>(static_cast<int>(date.year()));
    month = static_cast<unsigned>(date.month());
    day_of_month = static_cast<unsigned>(date.day());
    const auto of_day = std::chrono::duration_cast<std::chrono::microseconds>(time - day).count();
    microsecond = static_cast<unsigned>(of_day % 1'000'000);
    second = static_cast<unsigned>(of_day / 1'000'000 % 60);
    minute = static_cast<unsigned>(of_day / 60'000'000 % 60);
    hour = static_cast<unsigned>(of_day / 3'600'000'000);
  }

  unsigned year, month, day_of_month, hour, minute, second, microsecond;
};

void put_clock(LineWriter& line, const CalendarTime& time) noexcept {
  line.put_digits(time.hour, 2);
  line.put(':');
  line.put_digits(time.minute, 2);
  line.put(':');
  line.put_digits(time.second, 2);
}

/// "06/Nov/1994:08:49:37 +0000"
void put_log_time(LineWriter& line, std::chrono::system_clock::time_point at) noexcept {
  const CalendarTime time(at);
  line.put_digits(time.day_of_month, 2);
  line.put('/');
  line.put(kMonths[(time.month - 1) % kMonths.size()]);
  line.put('/');
  line.put_digits(time.year, 4);
  line.put(':');
  put_clock(line, time);
  line.put(" +0000");
}

/// "1994-11-06T08:49:37.000000Z"
void put_rfc3339_time(LineWriter& line, std::chrono::system_clock::time_point at) noexcept {
  const CalendarTime time(at);
  line.put_digits(time.year, 4);
  line.put('-');
  line.put_digits(time.month, 2);
  line.put('-');
  line.put_digits(time.day_of_month, 2);
  line.put('T');
  put_clock(line, time);
  line.put('.');
  line.put_digits(time.microsecond, 6);
  line.put('Z');
}

std::int64_t microseconds(std::chrono::nanoseconds duration) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

constexpr std::string_view kCombinedMark = "\\...";
constexpr std::string_view kJsonMark = "...";

void put_word(LineWriter& line, std::string_view text, std::size_t bytes_max) noexcept {
  line.put_text(text.empty() ? "-" : text, bytes_max, word_piece, kCombinedMark);
}

void put_part(LineWriter& line, std::string_view text, std::size_t bytes_max) noexcept {
  line.put_text(text.empty() ? "-" : text, bytes_max, part_piece, kCombinedMark);
}

void put_quoted(LineWriter& line, std::string_view text, std::size_t bytes_max) noexcept {
  line.put(" \"");
  line.put_text(text.empty() ? "-" : text, bytes_max, quoted_piece, kCombinedMark);
  line.put('"');
}

/// `"GET /a HTTP/1.1"`, or "-" where not even a request line was understood.
void put_request(LineWriter& line, const AccessRecord& record) noexcept {
  line.put(" \"");
  put_part(line, record.method, kMethodMax);
  if (!record.method.empty()) {
    line.put(' ');
    put_part(line, record.target, kTargetMax);
    line.put(' ');
    put_part(line, record.version, kVersionMax);
  }
  line.put('"');
}

template <class Number>
void put_number(LineWriter& line, std::string_view before, Number number) noexcept {
  line.put(before);
  line.put_number(number);
}

/// `before` ends with the quote that begins the text.
void put_member(LineWriter& line, std::string_view before, std::string_view text,
                std::size_t bytes_max) noexcept {
  line.put(before);
  line.put_text(text, bytes_max, json_piece, kJsonMark);
  line.put('"');
}

}  // namespace

std::string_view format_combined(const AccessRecord& record,
                                 std::span<char, kAccessLineBytesMax> memory) noexcept {
  LineWriter line(memory);
  put_word(line, record.remote_address, kAddressMax);
  line.put(" - ");
  put_word(line, record.user, kUserMax);
  line.put(" [");
  put_log_time(line, record.time);
  line.put("]");
  put_request(line, record);
  put_number(line, " ", record.status);
  put_number(line, " ", record.body_bytes_sent);
  put_quoted(line, record.referer, kRefererMax);
  put_quoted(line, record.user_agent, kUserAgentMax);
  put_number(line, " ", microseconds(record.duration));
  put_number(line, " ", record.arena_bytes);
  line.put(' ');
  put_word(line, record.request_id, kRequestIdMax);
  return line.end_line();
}

std::string_view format_json(const AccessRecord& record,
                             std::span<char, kAccessLineBytesMax> memory) noexcept {
  LineWriter line(memory);
  line.put("{\"time\":\"");
  put_rfc3339_time(line, record.time);
  put_member(line, "\",\"remote\":\"", record.remote_address, kAddressMax);
  put_member(line, ",\"user\":\"", record.user, kUserMax);
  put_member(line, ",\"method\":\"", record.method, kMethodMax);
  put_member(line, ",\"target\":\"", record.target, kTargetMax);
  put_member(line, ",\"version\":\"", record.version, kVersionMax);
  put_number(line, ",\"status\":", record.status);
  put_number(line, ",\"bytes\":", record.body_bytes_sent);
  put_number(line, ",\"duration_us\":", microseconds(record.duration));
  put_number(line, ",\"arena_bytes\":", record.arena_bytes);
  put_member(line, ",\"id\":\"", record.request_id, kRequestIdMax);
  put_member(line, ",\"referer\":\"", record.referer, kRefererMax);
  put_member(line, ",\"agent\":\"", record.user_agent, kUserAgentMax);
  line.put(line.has_cut() ? ",\"truncated\":true}" : "}");
  return line.end_line();
}

}  // namespace stadion::http
