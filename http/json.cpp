// SPDX-License-Identifier: MIT
#include "http/json.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "http/failure.hpp"

namespace stadion::http {
namespace {

namespace json = boost::json;

/// Builds the value as Boost.JSON's own handler does, but for an object's members, which it counts,
/// and for numbers that are not integers, which it reads exactly and only if they are finite.
class DomBuilder {
 public:
  // Boost.JSON asks for these names.
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  DomBuilder(const json::storage_ptr& storage, std::span<unsigned char> buffer,
             std::size_t members_max) noexcept
      : stack_(storage, buffer.data(), buffer.size()), members_max_(members_max) {
    stack_.reset(storage);
  }

  json::value release() noexcept { return stack_.release(); }

  bool on_document_begin(json::error_code& /*error*/) { return true; }
  bool on_document_end(json::error_code& /*error*/) { return true; }
  bool on_array_begin(json::error_code& /*error*/) { return true; }
  bool on_object_begin(json::error_code& /*error*/) { return true; }
  bool on_array_end(std::size_t size, json::error_code& /*error*/) {
    stack_.push_array(size);
    return true;
  }
  bool on_object_end(std::size_t size, json::error_code& error) {
    if (size > members_max_) {
      error = json::error::object_too_large;
      return false;
    }
    stack_.push_object(size);
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t /*bytes*/, json::error_code& /*error*/) {
    stack_.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, std::size_t /*bytes*/, json::error_code& /*error*/) {
    stack_.push_key(text);
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t /*bytes*/, json::error_code& /*error*/) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, std::size_t /*bytes*/, json::error_code& /*error*/) {
    stack_.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view /*text*/, json::error_code& /*error*/) { return true; }
  bool on_int64(std::int64_t number, json::string_view /*text*/, json::error_code& /*error*/) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view /*text*/, json::error_code& /*error*/) {
    stack_.push_uint64(number);
    return true;
  }
  /// `text` is the whole number, for the whole document was given at once.
  bool on_double(double estimate, json::string_view text, json::error_code& error) {
    double number = estimate;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc::result_out_of_range) {
      if (!(std::abs(estimate) < 1)) {
        error = json::error::exponent_overflow;
        return false;
      }
      number = 0;  // Too near to it for a double.
    }
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool boolean, json::error_code& /*error*/) {
    stack_.push_bool(boolean);
    return true;
  }
  bool on_null(json::error_code& /*error*/) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view /*text*/, json::error_code& /*error*/) { return true; }
  bool on_comment(json::string_view /*text*/, json::error_code& /*error*/) { return true; }

 private:
  json::value_stack stack_;
  std::size_t members_max_;
};

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Where Boost.JSON says no more than that it was a syntax error.
std::string_view syntax_message(std::string_view text, std::size_t offset) noexcept {
  if (offset == 0 && text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    return "unexpected byte order mark";
  }
  if (offset >= text.size()) {
    return "ends too early";
  }
  const auto byte = static_cast<unsigned char>(text[offset]);
  if (byte >= 0x80) {
    return "unexpected character, or invalid UTF-8";
  }
  return byte < 0x20 || byte == 0x7F ? "unexpected control character" : "unexpected character";
}

std::string_view message_of(const json::error_code& error, std::string_view text,
                            std::size_t offset) noexcept {
  switch (static_cast<json::error>(error.value())) {
    case json::error::syntax: return syntax_message(text, offset);
    case json::error::incomplete: return "ends too early";
    case json::error::extra_data: return "something follows the value";
    case json::error::too_deep: return "nested too deeply";
    case json::error::exponent_overflow: return "number out of range";
    case json::error::object_too_large: return "object with too many members";
    case json::error::illegal_leading_surrogate:
    case json::error::illegal_trailing_surrogate:
    case json::error::expected_utf16_escape:
    case json::error::expected_hex_digit: return "malformed \\u escape";
    default: return "too large";
  }
}

JsonError error_at(std::size_t offset, const json::error_code& error, std::string_view text) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0.
  const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) >> 6) == 2; };
  const auto line_end = before.end();
  const auto in_line = before.begin() + static_cast<std::ptrdiff_t>(line_begin);
  const auto continued = std::count_if(in_line, line_end, is_continuation);
  return {.offset = offset,
          .line = 1 + static_cast<std::size_t>(std::count(before.begin(), in_line, '\n')),
          .column = 1 + static_cast<std::size_t>(line_end - in_line - continued),
          .message = message_of(error, text, offset)};
}

/// As many as the longest double's: "-2.2250738585072014e-308".
constexpr std::size_t kNumberBytesMax = 24;

/// The letter of a short escape such as \n, 'u' for \u00XX, or 0 for a byte that stands for itself.
constexpr char escape_of(char c) noexcept {
  switch (c) {
    case '"':
    case '\\': return c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return static_cast<unsigned char>(c) < 0x20 ? 'u' : '\0';
  }
}

constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t byte = 0; byte < escapes.size(); ++byte) {
    escapes[byte] = escape_of(static_cast<char>(byte));
  }
  return escapes;
}();

constexpr bool needs_escape(char c) noexcept {
  return kEscapes[static_cast<unsigned char>(c)] != '\0';
}

std::size_t string_bytes(std::string_view text) noexcept {
  std::size_t bytes = text.size() + 2;
  for (const char c : text) {
    if (needs_escape(c)) [[unlikely]] {
      bytes += kEscapes[static_cast<unsigned char>(c)] == 'u' ? 5 : 1;
    }
  }
  return bytes;
}

/// So many bytes at most has the value's text.
std::size_t text_bytes_max(const json::value& value) noexcept {
  std::size_t bytes = 2;
  switch (value.kind()) {
    case json::kind::string: return string_bytes(value.get_string());
    case json::kind::array:
      for (const json::value& element : value.get_array()) {
        bytes += text_bytes_max(element) + 1;
      }
      return bytes;
    case json::kind::object:
      for (const json::key_value_pair& member : value.get_object()) {
        bytes += string_bytes(member.key()) + text_bytes_max(member.value()) + 2;
      }
      return bytes;
    default: return kNumberBytesMax;
  }
}

/// Writes where text_bytes_max() bytes are free. (Boost.JSON's serializer keeps its place on the
/// heap, and writes "Infinity" and "NaN".)
class Writer {
 public:
  explicit Writer(char* at) noexcept : at_(at) {}

  const char* end() const noexcept { return at_; }

  void write(const json::value& value) noexcept {
    switch (value.kind()) {
      case json::kind::null: return put("null");
      case json::kind::bool_: return put(value.get_bool() ? "true" : "false");
      case json::kind::int64: return put_number(value.get_int64());
      case json::kind::uint64: return put_number(value.get_uint64());
      case json::kind::double_:
        return std::isfinite(value.get_double()) ? put_number(value.get_double()) : put("null");
      case json::kind::string: return put_string(value.get_string());
      case json::kind::array: return put_array(value.get_array());
      case json::kind::object: return put_object(value.get_object());
    }
  }

 private:
  void put(char c) noexcept { *at_++ = c; }
  void put(std::string_view text) noexcept { at_ = std::copy(text.begin(), text.end(), at_); }

  template <class Number>
  void put_number(Number number) noexcept {
    at_ = std::to_chars(at_, at_ + kNumberBytesMax, number).ptr;
  }

  void put_string(std::string_view text) noexcept {
    put('"');
    while (!text.empty()) {
      const auto special = std::find_if(text.begin(), text.end(), needs_escape);
      const auto plain = static_cast<std::size_t>(special - text.begin());
      put(text.substr(0, plain));
      text.remove_prefix(plain);
      if (!text.empty()) {
        put_escape(text.front());
        text.remove_prefix(1);
      }
    }
    put('"');
  }

  void put_escape(char c) noexcept {
    const char escape = kEscapes[static_cast<unsigned char>(c)];
    put('\\');
    put(escape);
    if (escape == 'u') {
      constexpr std::string_view kHexDigits = "0123456789abcdef";
      put("00");
      put(kHexDigits[static_cast<unsigned char>(c) >> 4]);
      put(kHexDigits[c & 15]);
    }
  }

  void put_array(const json::array& array) noexcept {
    put('[');
    bool is_first = true;
    for (const json::value& element : array) {
      if (!std::exchange(is_first, false)) {
        put(',');
      }
      write(element);
    }
    put(']');
  }

  void put_object(const json::object& object) noexcept {
    put('{');
    bool is_first = true;
    for (const json::key_value_pair& member : object) {
      if (!std::exchange(is_first, false)) {
        put(',');
      }
      put_string(member.key());
      put(':');
      write(member.value());
    }
    put('}');
  }

  char* at_;
};

}  // namespace

json::storage_ptr json_storage(Arena& arena) {
  // Not make(): it has nothing to destroy, whatever its base says.
  void* memory = arena.alloc(sizeof(JsonResource), alignof(JsonResource));
  return std::construct_at(static_cast<JsonResource*>(memory), arena);
}

std::string_view to_text(const JsonError& error, Arena& arena) {
  std::array<char, 160> text{};
  const int bytes =
      std::snprintf(text.data(), text.size(), "line %zu, column %zu: %.*s", error.line,
                    error.column, static_cast<int>(error.message.size()), error.message.data());
  return arena.copy({text.data(), std::min(static_cast<std::size_t>(bytes), text.size() - 1)});
}

JsonResult parse_json(std::string_view text, Arena& arena, JsonLimits limits) {
  STADION_ASSERT(limits.depth_max <= kJsonDepthMax);
  alignas(json::value) std::array<unsigned char, 4096> buffer;
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<DomBuilder> parser(
      options, json_storage(arena), std::span<unsigned char>(buffer), limits.object_members_max);
  json::error_code error;
  const std::size_t parsed = parser.write_some(false, text.data(), text.size(), error);
  if (!error && parsed < text.size()) {
    error = json::error::extra_data;
  }
  if (error) {
    return JsonResult(error_at(parsed, error, text));
  }
  void* memory = arena.alloc(sizeof(json::value), alignof(json::value));
  return JsonResult(
      *std::construct_at(static_cast<json::value*>(memory), parser.handler().release()));
}

std::string_view to_json(const json::value& value, Arena& arena) {
  const std::size_t bytes_max = text_bytes_max(value);
  char* const text = static_cast<char*>(arena.alloc(bytes_max, 1));
  Writer writer(text);
  writer.write(value);
  const auto bytes = static_cast<std::size_t>(writer.end() - text);
  STADION_ASSERT(bytes <= bytes_max);
  (void)arena.extend(text, bytes_max, bytes);
  return {text, bytes};
}

boost::json::value& json_body(const Request& request, JsonLimits limits) {
  try {
    const JsonResult json = parse_json(request.body(), request.arena(), limits);
    if (!json) {
      throw HttpError(
          Status::bad_request,
          "The body is not JSON: " + std::string(to_text(json.error(), request.arena())) + ".\n");
    }
    return json.value();
  } catch (const ArenaFailed&) {
    throw HttpError(Status::content_too_large, "The body is too large for a JSON text.\n");
  }
}

void answer_json(Response& response, const boost::json::value& value) {
  response.body_by_reference(to_json(value, response.arena()), "application/json");
}

}  // namespace stadion::http
