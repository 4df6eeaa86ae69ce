// SPDX-License-Identifier: MIT
#include "http/url.hpp"

#include "http/characters.hpp"

namespace stadion::http {
namespace {

enum class Plus { is_itself, is_space };

/// The byte that an escape's two digits stand for, or -1.
int escaped_byte(std::string_view digits) noexcept {
  if (digits.size() < 2) {
    return -1;
  }
  const int high = hex_value(digits[0]);
  const int low = hex_value(digits[1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::optional<std::string_view> decode(std::string_view text, Plus plus, Arena& arena) {
  const bool is_plain = text.find('%') == std::string_view::npos &&
                        (plus == Plus::is_itself || text.find('+') == std::string_view::npos);
  if (is_plain) {
    return text;
  }
  char* const decoded = static_cast<char*>(arena.alloc(text.size(), 1));
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char byte = text[at];
    if (byte == '%') {
      const int value = escaped_byte(text.substr(at + 1));
      if (value <= 0) {
        return std::nullopt;
      }
      byte = static_cast<char>(value);
      at += 2;
    } else if (byte == '+' && plus == Plus::is_space) {
      byte = ' ';
    }
    decoded[size++] = byte;
  }
  return std::string_view(decoded, size);
}

}  // namespace

std::optional<std::string_view> percent_decode(std::string_view text, Arena& arena) {
  return decode(text, Plus::is_itself, arena);
}

std::optional<std::string_view> form_decode(std::string_view text, Arena& arena) {
  return decode(text, Plus::is_space, arena);
}

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name,
                                                Arena& arena) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (form_decode(pair.substr(0, equals), arena) == name) {
      return equals == std::string_view::npos ? std::string_view()
                                              : form_decode(pair.substr(equals + 1), arena);
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return std::nullopt;
}

}  // namespace stadion::http
