// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

struct FormLimits {
  /// Fields of one form, over which it is refused: each costs 40 bytes of the arena beside its
  /// text, so that a body of a MiB could take 20 MiB. Default is 1000.
  std::size_t fields_max = 1000;
};

/// Why a form could not be read.
struct FormError {
  enum class Kind : std::uint8_t {
    malformed_escape,  ///< A '%' without two hexadecimal digits, or one that stands for NUL.
    nul,               ///< A NUL as it is.
    too_many_fields,   ///< The offset is that of the first over the limit.
  };

  Kind kind;
  /// Where in the text, in bytes.
  std::size_t offset;
};

/// A short sentence with its end of line, for a 400 (or, with too many fields, a 413).
std::string_view describe(FormError::Kind kind) noexcept;

struct FormField {
  std::string_view name;
  std::string_view value;
};

/// The fields of a form or a query, decoded and in their order; several may have the same name.
///
///     const Form form = parse_form(request.body(), request.arena());
///     if (form.error()) {
///       return response.fail(Status::bad_request, describe(form.error()->kind));
///     }
///     const std::string_view user = form.find("user").value_or("");
///
/// A form with an error has no fields: whoever forgets to ask finds nothing, and not one half.
///
/// Lifetime   Fields are views of the text that was parsed, or in the arena where they had escapes:
///            both must outlive the form.
/// Cost       Fields are sorted by name once, as they are read; a lookup, the first too, compares
///            log2(size) names and looks at no text.
class Form {
 public:
  const std::optional<FormError>& error() const noexcept { return error_; }

  /// The value of the first field of that name, whose case matters: empty for one without '='.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return !named(name).empty(); }

  /// Calls `visit(value)` for each field of that name, in order, until it answers false.
  template <class Visit>
  void for_each(std::string_view name, Visit&& visit) const {
    for (const std::size_t index : named(name)) {
      if (!visit(fields_[index].value)) {
        return;
      }
    }
  }

  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  const FormField* begin() const noexcept { return fields_.data(); }
  const FormField* end() const noexcept { return fields_.data() + fields_.size(); }

 private:
  friend Form parse_form(std::string_view text, Arena& arena, const FormLimits& limits);

  explicit Form(FormError error) noexcept : error_(error) {}
  Form(std::span<const FormField> fields, Arena& arena);
  /// Which fields have this name, in order.
  std::span<const std::size_t> named(std::string_view name) const noexcept;

  std::optional<FormError> error_;
  std::span<const FormField> fields_;
  /// The fields' places, by name and those of one name in order.
  std::span<std::size_t> sorted_;
};

/// Reads `application/x-www-form-urlencoded`: the body of a form, or a query without its '?'.
///
/// '+' is a space, and a field may have no '='; empty ones between two '&' are left out. Stricter
/// than its source in two points: a malformed escape is an error rather than text, and NUL is one,
/// escaped or not, for the next program may take it for an end. Bytes are not checked to be UTF-8.
///
/// Throws     ArenaFailed; nothing for what a peer sent.
/// Source     WHATWG URL, section 5.1.
Form parse_form(std::string_view text, Arena& arena, const FormLimits& limits = {});

}  // namespace stadion::http
