// SPDX-License-Identifier: MIT
#include "http/form.hpp"

#include <algorithm>
#include <numeric>

#include "http/characters.hpp"
#include "http/url.hpp"

namespace stadion::http {
namespace {

/// The next "name=value" that is not empty, which is taken off `rest`; empty at its end.
std::string_view take_pair(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!pair.empty()) {
      return pair;
    }
  }
  return {};
}

struct Count {
  std::size_t pairs;
  std::optional<FormError> error;
};

/// Before any memory is spent on them.
Count count_pairs(std::string_view text, std::size_t pairs_max) noexcept {
  std::size_t count = 0;
  std::string_view rest = text;
  for (std::string_view pair = take_pair(rest); !pair.empty(); pair = take_pair(rest)) {
    if (count == pairs_max) {
      const auto offset = static_cast<std::size_t>(pair.data() - text.data());
      return {count, FormError{FormError::Kind::too_many_fields, offset}};
    }
    ++count;
  }
  return {count, std::nullopt};
}

bool begins_with_escape(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0 &&
         !text.starts_with("%00");
}

/// Where the first escape of a text that could not be decoded is malformed.
std::size_t malformed_escape_offset(std::string_view text) noexcept {
  std::size_t at = text.find('%');
  while (at != std::string_view::npos && begins_with_escape(text.substr(at))) {
    at = text.find('%', at + 3);
  }
  return at;
}

/// Whether both could be decoded.
bool decode_pair(std::string_view pair, FormField& field, Arena& arena) {
  const std::size_t equals = pair.find('=');
  const std::string_view raw_value =
      equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
  const std::optional<std::string_view> name = form_decode(pair.substr(0, equals), arena);
  const std::optional<std::string_view> value = form_decode(raw_value, arena);
  field = {name.value_or(""), value.value_or("")};
  return name.has_value() && value.has_value();
}

}  // namespace

std::string_view describe(FormError::Kind kind) noexcept {
  switch (kind) {
    case FormError::Kind::malformed_escape: return "The form has a malformed escape.\n";
    case FormError::Kind::nul: return "The form has a NUL.\n";
    case FormError::Kind::too_many_fields: return "The form has too many fields.\n";
  }
  return {};
}

Form::Form(std::span<const FormField> fields, Arena& arena)
    : fields_(fields), sorted_(arena.make_array<std::size_t>(fields.size())) {
  std::iota(sorted_.begin(), sorted_.end(), std::size_t{0});
  std::sort(sorted_.begin(), sorted_.end(), [fields](std::size_t left, std::size_t right) noexcept {
    const int order = fields[left].name.compare(fields[right].name);
    return order != 0 ? order < 0 : left < right;
  });
}

std::span<const std::size_t> Form::named(std::string_view name) const noexcept {
  const auto first = std::partition_point(
      sorted_.begin(), sorted_.end(),
      [this, name](std::size_t index) noexcept { return fields_[index].name < name; });
  const auto last = std::partition_point(first, sorted_.end(), [this, name](std::size_t index) {
    return fields_[index].name == name;
  });
  return {first, last};
}

std::optional<std::string_view> Form::find(std::string_view name) const noexcept {
  const std::span<const std::size_t> places = named(name);
  return places.empty() ? std::nullopt : std::optional(fields_[places.front()].value);
}

Form parse_form(std::string_view text, Arena& arena, const FormLimits& limits) {
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return Form(FormError{FormError::Kind::nul, nul});
  }
  const Count count = count_pairs(text, limits.fields_max);
  if (count.error) {
    return Form(*count.error);
  }
  const std::span<FormField> fields = arena.make_array<FormField>(count.pairs);
  std::string_view rest = text;
  for (FormField& field : fields) {
    const std::string_view pair = take_pair(rest);
    if (!decode_pair(pair, field, arena)) {
      const auto pair_offset = static_cast<std::size_t>(pair.data() - text.data());
      return Form(FormError{FormError::Kind::malformed_escape,
                            pair_offset + malformed_escape_offset(pair)});
    }
  }
  return Form(fields, arena);
}

}  // namespace stadion::http
