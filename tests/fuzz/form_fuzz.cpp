// SPDX-License-Identifier: MIT
// A form has to read as it does once more when all of it was escaped; and each name has to find
// what query_parameter() finds. The input is the form.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "http/form.hpp"
#include "http/url.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using stadion::Arena;
using stadion::http::Form;
using stadion::http::form_decode;
using stadion::http::FormError;
using stadion::http::FormField;
using stadion::http::parse_form;
using stadion::http::query_parameter;
using stadion::tests::expect;

constexpr std::size_t kFieldsMax = 20;

void check_error(std::string_view text, const Form& form, Arena& arena) {
  const FormError error = *form.error();
  expect(form.empty(), "a form with an error has no fields");
  expect(error.offset < text.size(), "the error is in the text");
  switch (error.kind) {
    case FormError::Kind::nul: expect(text[error.offset] == '\0', "there is a NUL"); break;
    case FormError::Kind::malformed_escape:
      expect(!form_decode(text.substr(error.offset, 3), arena), "there is a malformed escape");
      expect(form_decode(text.substr(0, error.offset), arena).has_value(), "it is the first");
      break;
    case FormError::Kind::too_many_fields: {
      const Form shorter =
          parse_form(text.substr(0, error.offset), arena, {.fields_max = kFieldsMax});
      expect(shorter.error() || shorter.size() == kFieldsMax, "the limit is reached there");
    }
  }
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789aBcDeF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

void check_fields(std::string_view text, const Form& form, Arena& arena) {
  std::string all_escaped;
  for (const FormField& field : form) {
    all_escaped += escaped(field.name) + '=' + escaped(field.value) + '&';
    expect(form.contains(field.name), "the name of each field is found");
    if (!field.name.empty()) {
      expect(form.find(field.name) == query_parameter(text, field.name, arena),
             "a name finds its first field");
    }
  }
  const Form again = parse_form(all_escaped, arena, {.fields_max = kFieldsMax});
  expect(!again.error() && again.size() == form.size(), "the escaped form has as many fields");
  const FormField* same = again.begin();
  for (const FormField& field : form) {
    expect(same->name == field.name && same->value == field.value, "they are the same");
    ++same;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Arena arena;
  const Form form = parse_form(text, arena, {.fields_max = kFieldsMax});
  if (form.error()) {
    check_error(text, form, arena);
  } else {
    check_fields(text, form, arena);
  }
  return 0;
}
