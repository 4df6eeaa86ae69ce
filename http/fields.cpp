// SPDX-License-Identifier: MIT
#include "http/fields.hpp"

#include <algorithm>

#include "http/character_runs.hpp"
#include "http/characters.hpp"

namespace stadion::http {

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && end_of_token(text, 0) == text.size();
}

bool is_field_value(std::string_view text) noexcept { return is_field_value_run(text); }

void Fields::reserve(std::size_t count) {
  if (count <= capacity_) {
    return;
  }
  auto* fields = static_cast<Field*>(arena_->alloc(count * sizeof(Field), alignof(Field)));
  std::uninitialized_copy_n(fields_, size_, fields);
  fields_ = fields;
  capacity_ = count;
}

void Fields::grow() { reserve(std::max<std::size_t>(capacity_ * 2, 8)); }

void Fields::remove(std::string_view name) noexcept {
  const auto is_named = [name](const Field& field) {
    return equals_ignoring_case(field.name, name);
  };
  size_ = static_cast<std::size_t>(std::remove_if(fields_, fields_ + size_, is_named) - fields_);
}

std::optional<std::string_view> Fields::find(std::string_view name) const noexcept {
  for (const Field& field : *this) {
    if (equals_ignoring_case(field.name, name)) {
      return field.value;
    }
  }
  return std::nullopt;
}

}  // namespace stadion::http
