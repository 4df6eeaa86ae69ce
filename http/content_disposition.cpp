// SPDX-License-Identifier: MIT
#include "http/content_disposition.hpp"

#include <algorithm>

#include "http/text_builder.hpp"
#include "http/utf8.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

/// Control characters, those of C1 and the two separators among them; what sets directions of
/// writing, by which "fdp.exe" reads "exe.pdf"; and what ends a quoted name or a folder's.
bool is_harmful(char32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == '"' || point == '\\' ||
         point == '/' || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0x200E || point == 0x200F;
}

/// attr-char, RFC 8187 section 3.2.1.
bool is_attribute_character(char character) noexcept {
  const bool is_alphanumeric = (character >= '0' && character <= '9') ||
                               (character >= 'A' && character <= 'Z') ||
                               (character >= 'a' && character <= 'z');
  return is_alphanumeric ||
         std::string_view("!#$&+-.^_`|~").find(character) != std::string_view::npos;
}

/// Whether a client may read something else than it says from the quoted form: some undo
/// percent-escapes in it (RFC 6266 appendix D).
bool is_plain(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char character) {
    return static_cast<unsigned char>(character) < 0x80 && character != '%';
  });
}

std::string_view made_harmless(std::string_view name, Arena& arena) {
  TextBuilder text(arena, name.size() + 16);
  while (!name.empty()) {
    const Utf8Character character = first_character(name);
    if (!character.is_valid) {
      text.add(kReplacement);
    } else if (is_harmful(character.point)) {
      text.add('_');
    } else {
      text.add(name.substr(0, character.bytes));
    }
    name.remove_prefix(character.bytes);
  }
  return text.text();
}

void add_fallback(TextBuilder& text, std::string_view name) {
  text.add("; filename=\"");
  while (!name.empty()) {
    const Utf8Character character = first_character(name);
    const bool is_ascii = character.point < 0x80 && character.point != '%';
    text.add(is_ascii ? name.front() : '_');
    name.remove_prefix(character.bytes);
  }
  text.add('"');
}

void add_extended(TextBuilder& text, std::string_view name) {
  text.add("; filename*=UTF-8''");
  for (const char byte : name) {
    is_attribute_character(byte) ? text.add(byte) : text.add_percent(byte);
  }
}

std::string_view disposition(std::string_view type, std::string_view file_name, Arena& arena) {
  if (file_name.empty()) {
    return type;
  }
  const std::string_view name = made_harmless(file_name, arena);
  TextBuilder text(arena, type.size() + 4 * name.size() + 64);
  text.add(type);
  add_fallback(text, name);
  if (!is_plain(name)) {
    add_extended(text, name);
  }
  return text.text();
}

}  // namespace

std::string_view attachment(std::string_view file_name, Arena& arena) {
  return disposition("attachment", file_name, arena);
}

std::string_view inline_disposition(std::string_view file_name, Arena& arena) {
  return disposition("inline", file_name, arena);
}

}  // namespace stadion::http
