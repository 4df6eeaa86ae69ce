// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "core/arena.hpp"
#include "http/multipart.hpp"

namespace stadion::http {

/// The header of a part: its lines are gathered in memory that is taken once, and read as each is
/// complete. Internal to http/.
///
/// Lifetime   part() is valid until clear().
/// Throws     ArenaFailed by the constructor alone.
class PartHead {
 public:
  PartHead(const MultipartLimits& limits, Arena& arena);

  /// For the next part.
  void clear() noexcept;
  /// Takes a line, or what has come of it, off the input. Requires the head to be incomplete.
  MultipartError read(std::string_view& input) noexcept;

  bool is_complete() const noexcept { return is_complete_; }
  const MultipartPart& part() const noexcept { return part_; }

 private:
  MultipartError read_line(std::string_view line) noexcept;
  bool read_part() noexcept;
  bool read_disposition(std::string_view value) noexcept;
  std::string_view decode(std::string_view quoted) noexcept;

  std::size_t bytes_max_;
  std::size_t fields_max_;
  MultipartPart part_;
  char* text_;
  std::size_t text_bytes_ = 0;
  std::size_t line_begin_ = 0;
  /// Names are decoded beside the text, as the fields keep that as it was sent.
  char* decoded_;
  std::size_t decoded_bytes_ = 0;
  bool is_complete_ = false;
};

}  // namespace stadion::http
