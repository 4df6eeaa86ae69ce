// SPDX-License-Identifier: MIT
#include "http/part_head.hpp"

#include <algorithm>

#include "http/part_parameters.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

PartHead::PartHead(const MultipartLimits& limits, Arena& arena)
    : bytes_max_(limits.part_head_bytes_max),
      fields_max_(limits.part_fields_max),
      part_{{}, {}, {}, Fields(arena)},
      text_(static_cast<char*>(arena.alloc(bytes_max_, 1))),
      decoded_(static_cast<char*>(arena.alloc(bytes_max_, 1))) {
  part_.fields.reserve(fields_max_);
}

void PartHead::clear() noexcept {
  part_.name.reset();
  part_.filename.reset();
  part_.content_type = {};
  part_.fields.clear();
  text_bytes_ = 0;
  line_begin_ = 0;
  decoded_bytes_ = 0;
  is_complete_ = false;
}

MultipartError PartHead::read(std::string_view& input) noexcept {
  const std::size_t line_feed = input.find('\n');
  const std::string_view piece = input.substr(0, std::min(line_feed, input.size() - 1) + 1);
  if (piece.size() > bytes_max_ - text_bytes_) {
    return MultipartError::part_head_too_large;
  }
  std::copy(piece.begin(), piece.end(), text_ + text_bytes_);
  text_bytes_ += piece.size();
  input.remove_prefix(piece.size());
  if (line_feed == std::string_view::npos) {
    return MultipartError::none;
  }
  const std::string_view line(text_ + line_begin_, text_bytes_ - line_begin_);
  line_begin_ = text_bytes_;
  return read_line(line);
}

MultipartError PartHead::read_line(std::string_view line) noexcept {
  if (line == kLineEnd) {
    is_complete_ = true;
    return read_part() ? MultipartError::none : MultipartError::malformed_part_head;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !line.ends_with(kLineEnd)) {
    return MultipartError::malformed_part_head;
  }
  line.remove_suffix(kLineEnd.size());
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_whitespace(line.substr(colon + 1));
  if (!is_token(name) || !is_field_value(value)) {
    return MultipartError::malformed_part_head;
  }
  if (part_.fields.size() == fields_max_) {
    return MultipartError::too_many_part_fields;
  }
  part_.fields.add(name, value);
  return MultipartError::none;
}

bool PartHead::read_part() noexcept {
  part_.content_type = part_.fields.find("content-type").value_or("text/plain");
  bool has_disposition = false;
  for (const Field& field : part_.fields) {
    if (equals_ignoring_case(field.name, "content-disposition")) {
      if (has_disposition || !read_disposition(field.value)) {
        return false;
      }
      has_disposition = true;
    }
  }
  return true;
}

bool PartHead::read_disposition(std::string_view value) noexcept {
  return for_each_part_parameter(value, [this](const PartParameter& parameter) {
    std::optional<std::string_view>* wanted = nullptr;
    if (equals_ignoring_case(parameter.name, "name")) {
      wanted = &part_.name;
    } else if (equals_ignoring_case(parameter.name, "filename")) {
      wanted = &part_.filename;
    } else {
      return true;  // Such as `filename*`, which RFC 7578 section 4.2 forbids.
    }
    if (wanted->has_value()) {
      return false;
    }
    *wanted = parameter.is_quoted ? decode(parameter.value) : parameter.value;
    return true;
  });
}

std::string_view PartHead::decode(std::string_view quoted) noexcept {
  char* const begin = decoded_ + decoded_bytes_;
  const std::size_t bytes = decode_quoted(quoted, begin);
  decoded_bytes_ += bytes;  // There is room: each name stands in the text once, and none is longer.
  return {begin, bytes};
}

}  // namespace stadion::http
