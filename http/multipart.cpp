// SPDX-License-Identifier: MIT
#include "http/multipart.hpp"

#include <algorithm>

#include "http/characters.hpp"
#include "http/part_head.hpp"
#include "http/part_parameters.hpp"

namespace stadion::http {
namespace {

constexpr std::size_t kBoundaryBytesMax = 70;

constexpr bool is_boundary_character(char c) noexcept {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || is_digit(c) ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

bool is_boundary(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kBoundaryBytesMax && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), is_boundary_character);
}

}  // namespace

std::optional<std::string_view> multipart_boundary(std::string_view content_type) noexcept {
  constexpr std::string_view type = "multipart/";
  if (!equals_ignoring_case(content_type.substr(0, type.size()), type)) {
    return std::nullopt;
  }
  std::optional<std::string_view> boundary;
  const bool is_good =
      for_each_part_parameter(content_type, [&boundary](const PartParameter& parameter) {
        if (!equals_ignoring_case(parameter.name, "boundary")) {
          return true;
        }
        if (boundary) {
          return false;
        }
        boundary = parameter.value;  // No escape in it could stand for what a boundary may have.
        return is_boundary(*boundary);
      });
  return is_good ? boundary : std::nullopt;
}

std::string_view describe(MultipartError error) noexcept {
  switch (error) {
    case MultipartError::none: return {};
    case MultipartError::malformed_boundary: return "The boundary is malformed.\n";
    case MultipartError::malformed_delimiter: return "A delimiter of parts is malformed.\n";
    case MultipartError::malformed_part_head: return "A part's header is malformed.\n";
    case MultipartError::part_head_too_large: return "A part's header is too large.\n";
    case MultipartError::too_many_part_fields: return "A part has too many header fields.\n";
    case MultipartError::too_many_parts: return "The body has too many parts.\n";
    case MultipartError::too_much_skipped: return "The body has too much beside its parts.\n";
    case MultipartError::unexpected_end: return "The body ends before its last delimiter.\n";
  }
  return {};
}

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits,
                                 Arena& arena)
    : limits_(limits), head_(arena.make<PartHead>(limits, arena)) {
  if (!is_boundary(boundary)) {
    error_ = MultipartError::malformed_boundary;
    boundary = {};
  }
  constexpr std::string_view prefix = "\r\n--";
  char* const end = std::copy(prefix.begin(), prefix.end(), delimiter_.data());
  std::copy(boundary.begin(), boundary.end(), end);
  delimiter_bytes_ = prefix.size() + boundary.size();
  expect_delimiter_at_line_start();
}

MultipartParser::Event MultipartParser::next(std::string_view& input) noexcept {
  while (error_ == MultipartError::none && !input.empty()) {
    if (const std::optional<Event> event = step(input)) {
      return *event;
    }
  }
  return {error_ == MultipartError::none ? Event::Kind::need_more : Event::Kind::error};
}

MultipartError MultipartParser::finish() noexcept {
  if (error_ == MultipartError::none && !is_closed_) {
    error_ = MultipartError::unexpected_end;
  }
  return error_;
}

const MultipartPart& MultipartParser::part() const noexcept { return head_.part(); }

std::optional<MultipartParser::Event> MultipartParser::step(std::string_view& input) noexcept {
  switch (state_) {
    case State::preamble: return skip_preamble(input);
    case State::data: return read_data(input);
    case State::after_boundary:
    case State::closing_hyphen:
    case State::padding:
    case State::line_feed: return read_delimiter_end(input);
    case State::head: return read_head(input);
    case State::epilogue:
      skip(input.size());
      input = {};
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::skip_preamble(
    std::string_view& input) noexcept {
  skip(take_data(input).size());
  if (matched_ == delimiter_bytes_) {
    state_ = State::after_boundary;
  }
  return std::nullopt;
}

std::optional<MultipartParser::Event> MultipartParser::read_data(std::string_view& input) noexcept {
  const std::string_view data = take_data(input);
  if (!data.empty()) {
    return Event{Event::Kind::data, data};
  }
  if (matched_ < delimiter_bytes_) {
    return std::nullopt;
  }
  state_ = State::after_boundary;
  return Event{Event::Kind::part_end};
}

/// What is certainly data at the input's beginning, which is taken off it. When that is empty, a
/// delimiter or the beginning of one was taken off, and `matched_` tells how much of it.
std::string_view MultipartParser::take_data(std::string_view& input) noexcept {
  if (matched_ > 0) {
    return resume_delimiter(input);
  }
  std::size_t begin = input.find(delimiter());
  if (begin == std::string_view::npos) {
    // Only the last bytes can be the beginning of one, and only from a CR, as it has one CR.
    const std::size_t tail = input.size() - std::min(input.size(), delimiter_bytes_ - 1);
    begin = std::min(input.find('\r', tail), input.size());
    while (!delimiter().starts_with(input.substr(begin))) {
      begin = std::min(input.find('\r', begin + 1), input.size());
    }
  }
  const std::string_view data = input.substr(0, begin);
  if (data.empty()) {
    matched_ = std::min(input.size(), delimiter_bytes_);
    input.remove_prefix(matched_);
  } else {
    input.remove_prefix(begin);
  }
  return data;
}

/// The same, when the input before has ended with the beginning of a delimiter.
std::string_view MultipartParser::resume_delimiter(std::string_view& input) noexcept {
  const std::string_view expected = delimiter().substr(matched_, input.size());
  const auto [mismatch, unused] = std::mismatch(expected.begin(), expected.end(), input.begin());
  const auto length = static_cast<std::size_t>(mismatch - expected.begin());
  matched_ += length;
  input.remove_prefix(length);
  if (length == expected.size()) {
    return {};
  }
  // No delimiter begins within what was matched, for only its first byte is a CR. So all of it is
  // data; and as it looks like the delimiter, the delimiter is where to find it.
  const std::string_view held_back =
      delimiter().substr(held_back_from_, matched_ - held_back_from_);
  matched_ = 0;
  held_back_from_ = 0;
  return held_back;
}

/// The line before has ended with what would be the CR LF of a delimiter: at the beginning of the
/// body, and behind the empty line that ends a part's head (RFC 2046 section 5.1.1).
void MultipartParser::expect_delimiter_at_line_start() noexcept {
  constexpr std::size_t line_end_bytes = 2;
  matched_ = line_end_bytes;
  held_back_from_ = line_end_bytes;
}

std::optional<MultipartParser::Event> MultipartParser::read_delimiter_end(
    std::string_view& input) noexcept {
  const char byte = input.front();
  input.remove_prefix(1);
  if (state_ == State::after_boundary && byte == '-') {
    state_ = State::closing_hyphen;
    return std::nullopt;
  }
  if (state_ == State::closing_hyphen) {
    if (byte != '-') {
      return fail(MultipartError::malformed_delimiter);
    }
    is_closed_ = true;
    state_ = State::padding;
    return Event{Event::Kind::end};
  }
  return read_padding(byte);
}

std::optional<MultipartParser::Event> MultipartParser::read_padding(char byte) noexcept {
  if (state_ == State::line_feed) {
    if (byte != '\n') {
      return fail(MultipartError::malformed_delimiter);
    }
    begin_head();
  } else if (is_whitespace(byte)) {
    state_ = State::padding;
    skip(1);
  } else if (byte == '\r') {
    state_ = State::line_feed;
  } else {
    return fail(MultipartError::malformed_delimiter);
  }
  return std::nullopt;
}

void MultipartParser::begin_head() noexcept {
  if (is_closed_) {
    state_ = State::epilogue;
    return;
  }
  if (parts_ == limits_.parts_max) {
    fail(MultipartError::too_many_parts);
    return;
  }
  ++parts_;
  head_.clear();
  state_ = State::head;
}

std::optional<MultipartParser::Event> MultipartParser::read_head(std::string_view& input) noexcept {
  const MultipartError error = head_.read(input);
  if (error != MultipartError::none) {
    return fail(error);
  }
  if (!head_.is_complete()) {
    return std::nullopt;
  }
  expect_delimiter_at_line_start();
  state_ = State::data;
  return Event{Event::Kind::part_begin};
}

void MultipartParser::skip(std::size_t bytes) noexcept {
  if (bytes > limits_.skipped_bytes_max - skipped_bytes_) {
    fail(MultipartError::too_much_skipped);
    return;
  }
  skipped_bytes_ += bytes;
}

/// Nothing more is read; next() tells the error.
std::optional<MultipartParser::Event> MultipartParser::fail(MultipartError error) noexcept {
  error_ = error;
  return std::nullopt;
}

}  // namespace stadion::http
