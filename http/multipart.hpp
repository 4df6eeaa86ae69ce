// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/arena.hpp"
#include "http/fields.hpp"

namespace stadion::http {

class PartHead;

/// The boundary that a Content-Type of `multipart/…` gives, as a view of it. None for another type,
/// without a boundary or with two, or with one that RFC 2046 section 5.1.1 does not allow.
std::optional<std::string_view> multipart_boundary(std::string_view content_type) noexcept;

/// How much of everything a body of parts may have.
struct MultipartLimits {
  /// Parts of one body. An empty part takes some 70 bytes, so that 15,000 fit in a MiB, and each
  /// costs whatever is done for a part. Forms are smaller: the same as FormLimits::fields_max.
  /// Default is 1000.
  std::size_t parts_max = 1000;
  /// Header fields of one part with the empty line behind them. Default is 4 KiB.
  std::size_t part_head_bytes_max = 4 * 1024;
  /// Header fields of one part; forms have two. Default is 16.
  std::size_t part_fields_max = 16;
  /// All that is skipped together: before the first delimiter, after the last, and the padding of
  /// each. Default is 4 KiB.
  std::size_t skipped_bytes_max = 4 * 1024;
};

enum class MultipartError : std::uint8_t {
  none,
  malformed_boundary,
  malformed_delimiter,
  malformed_part_head,
  part_head_too_large,
  too_many_part_fields,
  too_many_parts,
  too_much_skipped,
  unexpected_end,
};

/// A short sentence with its end of line, for a 400.
std::string_view describe(MultipartError error) noexcept;

/// What is known of a part before its data.
struct MultipartPart {
  /// The form's field; none where Content-Disposition does not say it, which no form may leave out.
  std::optional<std::string_view> name;
  /// As the client calls the file: "" where none was chosen, none for a field that is no file. It
  /// may be anything, "../../etc/passwd" or one with line breaks: never use it as a path.
  std::optional<std::string_view> filename;
  /// "text/plain" where the part does not say it (RFC 7578 section 4.4).
  std::string_view content_type;
  /// All header fields as they were sent.
  Fields fields;
};

/// Reads a body of parts, `multipart/form-data` above all, in whatever pieces it comes:
///
///     MultipartParser parser(boundary, {}, arena);
///     for each piece of the body:
///       while (true) {
///         const auto event = parser.next(piece);
///         if (event.kind == Event::Kind::need_more) break;
///         …
///       }
///     if (parser.finish() != MultipartError::none) → 400
///
/// Names and file names are decoded as browsers write them: %22, %0D and %0A stand for '"', CR and
/// LF, and a backslash escapes a '"' or a backslash, but is itself before anything else, as in
/// "C:\file". `filename*` is ignored, as RFC 7578 section 4.2 forbids it. Data is as it was sent:
/// Content-Transfer-Encoding is not applied (section 4.7).
///
/// What one program reads as data and the next as a delimiter can carry something past the first.
/// So lines end in CR LF only, a delimiter with anything but padding behind it is an error, and so
/// are fields that are folded over lines, and a name that is given twice.
///
/// Lifetime   `data` is valid until the next call, as it is a view of the input or of the parser. A
///            part() is valid until the next call after its part_end. Both die with the arena and
///            the parser.
/// Limits     MultipartLimits. Twice part_head_bytes_max and the room for part_fields_max fields
///            are taken from the arena at once, and nothing more for any number of parts or size
///            of data.
/// Throws     ArenaFailed by the constructor; nothing for what a peer sent.
/// Cost       Data is searched once and not copied.
/// Source     RFC 2046 section 5.1; RFC 7578; HTML, "Multipart form data".
class MultipartParser {
 public:
  struct Event {
    enum class Kind : std::uint8_t {
      part_begin,  ///< part() tells which.
      data,        ///< Some of the part's data, never empty.
      part_end,
      end,        ///< The last delimiter. What follows is skipped.
      need_more,  ///< The input is used up.
      error,      ///< error() tells why; so does every call from now on.
    };

    Kind kind;
    std::string_view data = {};
  };

  /// A boundary that RFC 2046 does not allow is an error of the first call.
  MultipartParser(std::string_view boundary, const MultipartLimits& limits, Arena& arena);

  MultipartParser(const MultipartParser&) = delete;
  MultipartParser& operator=(const MultipartParser&) = delete;

  /// The next event; what it took is removed from the input's beginning. Until `end` nothing is
  /// sure: after an error throw away what came of all parts.
  Event next(std::string_view& input) noexcept;

  /// The input is over: unexpected_end when the last delimiter has not come, else error().
  MultipartError finish() noexcept;

  const MultipartPart& part() const noexcept;
  MultipartError error() const noexcept { return error_; }

 private:
  enum class State : std::uint8_t {
    preamble,
    data,
    after_boundary,
    closing_hyphen,
    padding,
    line_feed,
    head,
    epilogue,
  };
  /// CR LF, two hyphens and the boundary.
  static constexpr std::size_t kDelimiterBytesMax = 4 + 70;

  std::optional<Event> step(std::string_view& input) noexcept;
  std::optional<Event> skip_preamble(std::string_view& input) noexcept;
  std::optional<Event> read_data(std::string_view& input) noexcept;
  std::optional<Event> read_delimiter_end(std::string_view& input) noexcept;
  std::optional<Event> read_padding(char byte) noexcept;
  std::optional<Event> read_head(std::string_view& input) noexcept;

  std::string_view take_data(std::string_view& input) noexcept;
  std::string_view resume_delimiter(std::string_view& input) noexcept;
  void expect_delimiter_at_line_start() noexcept;
  void begin_head() noexcept;
  void skip(std::size_t bytes) noexcept;
  std::optional<Event> fail(MultipartError error) noexcept;

  std::string_view delimiter() const noexcept { return {delimiter_.data(), delimiter_bytes_}; }

  const MultipartLimits limits_;
  PartHead& head_;
  std::array<char, kDelimiterBytesMax> delimiter_;
  std::size_t delimiter_bytes_;
  /// How many bytes of a delimiter the input has ended with. They are data if the rest does not
  /// come, but for the first held_back_from_, which belong to the line before.
  std::size_t matched_ = 0;
  std::size_t held_back_from_ = 0;

  std::size_t parts_ = 0;
  std::size_t skipped_bytes_ = 0;
  State state_ = State::preamble;
  bool is_closed_ = false;
  MultipartError error_ = MultipartError::none;
};

}  // namespace stadion::http
