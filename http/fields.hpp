// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// Compares as field names are compared: ASCII letters without case (RFC 9110 section 5.1).
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// Whether the text is a token: a field name, a method (RFC 9110 section 5.6.2).
bool is_token(std::string_view text) noexcept;
/// Whether the text may stand as a field value: no control characters but tabs, so no CR, LF or NUL
/// (RFC 9110 section 5.5).
bool is_field_value(std::string_view text) noexcept;
/// Without spaces and tabs at either end.
inline std::string_view trim_whitespace(std::string_view text) noexcept {
  const auto is_whitespace = [](char c) { return c == ' ' || c == '\t'; };
  const char* begin = text.data();
  const char* end = begin + text.size();
  while (begin != end && is_whitespace(*begin)) {
    ++begin;
  }
  while (end != begin && is_whitespace(end[-1])) {
    --end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Calls `visit(element)` for each non-empty element of a comma-separated list (RFC 9110
/// section 5.6.1), until it answers false.
template <class Visit>
void for_each_list_element(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim_whitespace(list.substr(0, comma));
    if (!element.empty() && !visit(element)) {
      return;
    }
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

struct Field {
  std::string_view name;
  std::string_view value;
};

/// The header fields of a message, in order; several may have the same name.
///
/// Lifetime   Names and values are views: they live as long as the message's arena.
/// Throws     ArenaFailed when it grows.
class Fields {
 public:
  explicit Fields(Arena& arena) noexcept : arena_(&arena) {}

  /// Room for so many fields in all.
  void reserve(std::size_t count);
  void add(std::string_view name, std::string_view value) {
    if (size_ == capacity_) {
      grow();
    }
    std::construct_at(fields_ + size_, Field{name, value});
    ++size_;
  }
  /// Takes out all fields of that name, whatever its case.
  void remove(std::string_view name) noexcept;
  void clear() noexcept { size_ = 0; }

  /// The value of the first field of that name, whatever its case.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const Field* begin() const noexcept { return fields_; }
  const Field* end() const noexcept { return fields_ + size_; }

 private:
  void grow();

  Arena* arena_;
  Field* fields_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace stadion::http
