// SPDX-License-Identifier: MIT
#include "http/parser.hpp"

#include <llhttp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/assert.hpp"
#include "core/remake.hpp"
#include "http/character_runs.hpp"

namespace stadion::http {
namespace {

constexpr std::size_t kPartialHeadBytesMin = 1024;
/// Of a head that arrives as a whole; more of them are looked for once more.
constexpr std::size_t kFieldLinesAtFirst = 64;
/// A body of which more is announced than has come gets this much at first: an announcement alone
/// costs little.
constexpr std::size_t kBodyBytesAtFirst = 16 * 1024;
/// What may stand between two chunks' data, but for extensions: line ends, and a size, which of endless
/// leading zeros is none.
constexpr std::size_t kChunkFramingBytesMax = 32;
constexpr std::size_t kLineEndBytes = 2;

/// The guard speaks of heads.
ParseError of_trailer(ParseError error) noexcept {
  const bool is_too_large =
      error == ParseError::head_too_large || error == ParseError::too_many_fields;
  return is_too_large ? ParseError::trailer_too_large : ParseError::malformed_trailer;
}

}  // namespace

// llhttp's callbacks are called from C, through which no exception may pass: they don't allocate
// but with try_alloc.
struct Parser::Llhttp {
  explicit Llhttp(Parser& owner) noexcept : parser(&owner) {
    llhttp_init(&state, HTTP_REQUEST, &settings());
    state.data = this;
  }

  llhttp_t state;
  Parser* parser;
  std::size_t extension_bytes = 0;  ///< Of the whole body.
  std::size_t framing_bytes = 0;    ///< Of a chunked body: since its last data.
  bool is_in_extension = false;     ///< What follows, up to the data, is counted there.
  std::size_t extension_name_bytes = 0;
  const char* framing_begin = nullptr;  ///< In the bytes being read: the end of the last data.

  static Llhttp& of(llhttp_t* state) noexcept { return *static_cast<Llhttp*>(state->data); }

  static const llhttp_settings_t& settings() noexcept {
    static const llhttp_settings_t table = [] {
      llhttp_settings_t callbacks;
      llhttp_settings_init(&callbacks);
      callbacks.on_headers_complete = on_headers_complete;
      callbacks.on_body = on_body;
      callbacks.on_chunk_header = on_chunk_header;
      callbacks.on_chunk_extension_name = on_chunk_extension_name;
      callbacks.on_chunk_extension_name_complete = on_chunk_extension_name_complete;
      callbacks.on_message_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
      return callbacks;
    }();
    return table;
  }

  static int report(llhttp_t* state, ParseError error) noexcept {
    if (error == ParseError::none) {
      return 0;
    }
    of(state).parser->error_ = error;
    return HPE_USER;
  }

  static int on_headers_complete(llhttp_t* state) noexcept {
    const Framing& framing = of(state).parser->framing_;
    // Two readers of the same head: where they differ, somebody is being fooled.
    const bool chunked = (state->flags & F_CHUNKED) != 0;
    if (chunked != framing.chunked ||
        (!chunked && state->content_length != framing.content_length)) {
      report(state, ParseError::ambiguous_framing);
      return -1;
    }
    state->upgrade = 0;  // Declined: what follows is HTTP/1.1 all the same (RFC 9110 section 7.8).
    return 0;
  }

  static int on_body(llhttp_t* state, const char* at, std::size_t length) noexcept {
    Llhttp& self = of(state);
    if (!self.count_framing(at)) {
      return report(state, ParseError::body_too_large);
    }
    self.framing_bytes = 0;
    if (std::exchange(self.is_in_extension, false)) {
      self.extension_bytes -= kLineEndBytes;
    }
    self.framing_begin = at + length;
    return report(state, self.parser->take_body({at, length}));
  }

  // What follows the last chunk is the guard's.
  static int on_chunk_header(llhttp_t* state) noexcept {
    const Parser& parser = *of(state).parser;
    if (state->content_length > parser.body_bytes_max_ - parser.body_size_) {
      return report(state, ParseError::body_too_large);  // Not one byte of it is waited for.
    }
    return state->content_length == 0 ? HPE_PAUSED : 0;
  }

  /// Counts what is not data, up to `end`; false when it is too much.
  bool count_framing(const char* end) noexcept {
    (is_in_extension ? extension_bytes : framing_bytes) +=
        static_cast<std::size_t>(end - framing_begin);
    framing_begin = end;
    return !parser->framing_.chunked ||
           (framing_bytes <= kChunkFramingBytesMax &&
            extension_bytes <=
                parser->limits_->chunk_extension_bytes_max + (is_in_extension ? kLineEndBytes : 0));
  }

  static int on_chunk_extension_name(llhttp_t* state, const char* at, std::size_t length) noexcept {
    Llhttp& self = of(state);
    const bool is_within_limits = self.count_framing(at);
    self.is_in_extension = true;
    self.extension_name_bytes += length;
    const bool is_short = self.count_framing(at + length);
    return report(state,
                  is_within_limits && is_short ? ParseError::none : ParseError::body_too_large);
  }

  // llhttp 8.1 takes one that is empty.
  static int on_chunk_extension_name_complete(llhttp_t* state) noexcept {
    const bool is_name = std::exchange(of(state).extension_name_bytes, 0) > 0;
    return report(state, is_name ? ParseError::none : ParseError::malformed_chunk);
  }
};

void Parser::begin(Arena& arena) noexcept {
  arena_ = &arena;
  request_ = nullptr;
  error_ = ParseError::none;
  section_ = Section::head;
  guard_.begin_head();
  framing_ = {};
  partial_ = nullptr;
  partial_size_ = partial_capacity_ = 0;
  body_bytes_max_ = limits_->body_bytes_max;
  body_size_ = 0;
  body_ = nullptr;
  body_capacity_ = 0;
  room_ = {};
}

Parser::Progress Parser::feed(std::string_view bytes) noexcept {
  STADION_ASSERT(arena_ != nullptr && error_ == ParseError::none);
  try {
    switch (section_) {
      case Section::head:
      case Section::trailer: return feed_fields(bytes);
      case Section::body: return feed_body(bytes);
      case Section::end: return {State::complete, 0};
    }
  } catch (const ArenaFailed&) {
    error_ = ParseError::out_of_memory;
  }
  return {State::failed, 0};
}

ParseError Parser::limit_body(std::size_t bytes_max) noexcept {
  body_bytes_max_ = bytes_max;
  if (framing_.content_length > bytes_max) {
    fail(ParseError::body_too_large);
  }
  return error_;
}

Parser::Progress Parser::feed_body_to(std::span<char> room, std::string_view bytes) noexcept {
  room_ = room;
  // Of so many bytes no more than as many can be the body's.
  Progress progress = feed(section_ == Section::body ? bytes.substr(0, room.size()) : bytes);
  progress.body_bytes = room.size() - room_.size();
  room_ = {};
  return progress;
}

// A head, or a trailer: scans on, and when it is complete takes it apart. Trailers are kept apart from
// the head's fields: nothing that was decided from these may change after the body (RFC 9110
// section 6.5.1).
Parser::Progress Parser::feed_fields(std::string_view bytes) {
  std::array<FieldLine, kFieldLinesAtFirst>
      lines;  // NOLINT(*-member-init): the guard writes first.
  HeadParts parts{lines};
  const HeadGuard::Result scanned = guard_.scan(bytes, parts);
  const bool is_head = section_ == Section::head;
  if (scanned.error != ParseError::none) [[unlikely]] {
    return {fail(is_head ? scanned.error : of_trailer(scanned.error)), scanned.consumed};
  }
  std::string_view text(bytes.data(), scanned.consumed);
  if (scanned.complete && partial_size_ == 0 && guard_.field_count() <= parts.field_lines.size())
      [[likely]] {
    text = arena_->copy(text);
  } else {
    // The guard lets no more pass.
    gather(text, is_head ? limits_->head_bytes_max : limits_->trailer_bytes_max);
    if (!scanned.complete) {
      return {State::need_more, scanned.consumed};
    }
    // It came in pieces, or is long: once more, as a whole, and with room.
    text = {partial_, partial_size_};
    parts = HeadParts(arena_->make_array<FieldLine>(guard_.field_count()));
    is_head ? guard_.begin_head() : guard_.begin_trailer();
    guard_.scan(text, parts);
  }
  if (is_head) {
    request_ = &arena_->make<Request>(*arena_);
    if (const ParseError error = read_request_line(text, parts); error != ParseError::none) {
      return {fail(error), scanned.consumed};
    }
  }
  add_fields(is_head ? request_->fields_ : request_->trailers_, text, parts);
  if (is_head) {
    return {decide_body(text.substr(parts.line_begin)), scanned.consumed};
  }
  complete();
  return {State::complete, scanned.consumed};
}

void Parser::gather(std::string_view bytes, std::size_t bytes_max) {
  const std::size_t needed = partial_size_ + bytes.size();
  if (needed > partial_capacity_) {
    const std::size_t doubled = std::max(partial_capacity_ * 2, kPartialHeadBytesMin);
    const std::size_t capacity = std::max(std::min(doubled, bytes_max), needed);
    if (!arena_->extend(partial_, partial_capacity_, capacity)) {
      auto* larger = static_cast<char*>(arena_->alloc(capacity, 1));
      std::copy_n(partial_, partial_size_, larger);
      partial_ = larger;
    }
    partial_capacity_ = capacity;
  }
  std::copy(bytes.begin(), bytes.end(), partial_ + partial_size_);
  partial_size_ = needed;
}

/// What follows the head.
Parser::State Parser::decide_body(std::string_view head) {
  remake(framing_, [this] { return decide_framing(request_->fields_, request_->version_); });
  if (framing_.error != ParseError::none) {
    return fail(framing_.error);
  }
  if (request_->host_.empty()) {
    request_->host_ = framing_.host;
  }
  if (!framing_.has_framing_field) {
    return complete(), State::complete;
  }
  llhttp_ = &arena_->make<Llhttp>(*this);
  const llhttp_errno_t result = llhttp_execute(&llhttp_->state, head.data(), head.size());
  if (error_ != ParseError::none) {
    return State::failed;
  }
  switch (result) {
    case HPE_OK: section_ = Section::body; return State::head_complete;
    case HPE_PAUSED: return complete(), State::complete;
    default: return fail(ParseError::malformed_header);
  }
}

// method SP request-target SP HTTP-version (RFC 9112 section 3), where llhttp's own answer is too
// coarse to tell 400 from 501 and 505.
ParseError Parser::read_request_line(std::string_view head, const HeadParts& parts) {
  if (parts.spaces != 2) {
    return ParseError::malformed_request_line;
  }
  const auto between = [head](std::size_t begin, std::size_t end) {
    return std::string_view(head.data() + begin, end - begin);
  };
  const std::string_view method = between(parts.line_begin, parts.first_space);
  const std::string_view target = between(parts.first_space + 1, parts.last_space);
  const std::string_view version = between(parts.last_space + 1, parts.line_end);
  const bool is_1_1 = version == "HTTP/1.1";
  const bool is_version =
      is_1_1 || (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                 version[6] == '.' && is_digit(version[7]));
  if (!is_version || target.empty()) {
    return ParseError::malformed_request_line;
  }
  const std::optional<Method> known = parse_method(method);
  if (!known.has_value() && !is_token(method)) {
    return ParseError::malformed_request_line;
  }
  if (target.size() > limits_->target_bytes_max) {
    return ParseError::target_too_long;
  }
  if (!is_1_1 && version != "HTTP/1.0") {
    return ParseError::unsupported_version;
  }
  request_->version_ = is_1_1 ? Version::http_1_1 : Version::http_1_0;
  if (!known.has_value() || *known == Method::connect) {
    return ParseError::unknown_method;
  }
  request_->method_ = *known;
  return read_target(target, end_of_path(head, parts.first_space + 1) - parts.first_space - 1);
}

// Origin form, absolute form, or the asterisk of OPTIONS (RFC 9112 section 3.2). What is before the
// '?', if there is one, has so many bytes.
ParseError Parser::read_target(std::string_view target, std::size_t path_bytes) {
  request_->target_ = target;
  std::size_t path_begin = 0;
  if (target.front() == '/') {
    // Nearly all.
  } else if (equals_ignoring_case(target.substr(0, 7), "http://")) {
    path_begin = std::min(target.find_first_of("/?", 7), target.size());
    request_->host_ = target.substr(7, path_begin - 7);
    if (request_->host_.empty() || !is_valid_host(request_->host_)) {
      return ParseError::malformed_request_line;
    }
  } else if (target != "*" || request_->method_ != Method::options) {
    return ParseError::malformed_request_line;
  }
  request_->raw_path_ = target.substr(path_begin, path_bytes - path_begin);
  if (path_bytes < target.size()) {
    request_->raw_query_ = target.substr(path_bytes + 1);
  }
  if (request_->raw_path_.empty()) {
    request_->raw_path_ = "/";
  }
  return ParseError::none;
}

Parser::Progress Parser::feed_body(std::string_view bytes) {
  if (bytes.empty()) {
    return {State::need_more, 0};  // A null pointer would have llhttp forget where it was.
  }
  llhttp_->framing_begin = bytes.data();
  const llhttp_errno_t result = llhttp_execute(&llhttp_->state, bytes.data(), bytes.size());
  if (error_ != ParseError::none) {
    return {State::failed, bytes.size()};
  }
  if (result != HPE_OK && result != HPE_PAUSED) {
    // What is too long is so, whatever follows, and in whatever pieces it comes.
    const bool is_short = llhttp_->count_framing(llhttp_get_error_pos(&llhttp_->state));
    return {fail(is_short ? ParseError::malformed_chunk : ParseError::body_too_large),
            bytes.size()};
  }
  const char* end =
      result == HPE_OK ? bytes.data() + bytes.size() : llhttp_get_error_pos(&llhttp_->state);
  const auto consumed = static_cast<std::size_t>(end - bytes.data());
  if (!llhttp_->count_framing(end)) {
    return {fail(ParseError::body_too_large), consumed};
  }
  if (result == HPE_OK) {
    return {State::need_more, consumed};
  }
  if (!framing_.chunked) {
    complete();
    return {State::complete, consumed};
  }
  section_ = Section::trailer;
  partial_ = nullptr;
  partial_size_ = partial_capacity_ = 0;
  guard_.begin_trailer();
  const Progress trailer = feed_fields(bytes.substr(consumed));
  return {trailer.state, consumed + trailer.consumed};
}

void Parser::add_fields(Fields& fields, std::string_view text, const HeadParts& parts) const {
  const std::size_t count = guard_.field_count();
  fields.reserve(count);
  for (const FieldLine& line : parts.field_lines.first(count)) {
    const std::string_view name(text.data() + line.begin, line.colon - line.begin);
    const std::string_view value(text.data() + line.colon + 1, line.end - line.colon - 1);
    fields.add(name, trim_whitespace(value));
  }
}

void Parser::complete() noexcept {
  section_ = Section::end;
  if (body_ != nullptr) {
    request_->body_ = {body_, static_cast<std::size_t>(body_size_)};
  }
}

ParseError Parser::take_body(std::string_view bytes) noexcept {
  if (bytes.size() > body_bytes_max_ || body_size_ > body_bytes_max_ - bytes.size()) {
    return ParseError::body_too_large;
  }
  if (room_.data() == nullptr) {
    return append_body(bytes);
  }
  std::copy(bytes.begin(), bytes.end(), room_.begin());
  room_ = room_.subspan(bytes.size());
  body_size_ += bytes.size();
  return ParseError::none;
}

ParseError Parser::append_body(std::string_view bytes) noexcept {
  const auto size = static_cast<std::size_t>(body_size_);
  const std::size_t needed = size + bytes.size();
  if (needed > body_capacity_) {
    const auto announced = static_cast<std::size_t>(framing_.content_length);
    // Where the end is known, fewer steps cost no more memory in all.
    const std::size_t factor = framing_.chunked ? 2 : 4;
    const std::size_t grown = std::max(body_capacity_ * factor, kBodyBytesAtFirst);
    const std::size_t most = framing_.chunked ? body_bytes_max_ : announced;
    const std::size_t capacity = std::max(std::min(grown, most), needed);
    if (!arena_->extend(body_, body_capacity_, capacity)) {
      auto* larger = static_cast<char*>(arena_->try_alloc(capacity, 1));
      if (larger == nullptr) {
        return ParseError::out_of_memory;
      }
      std::copy_n(body_, size, larger);
      body_ = larger;
    }
    body_capacity_ = capacity;
  }
  std::copy(bytes.begin(), bytes.end(), body_ + size);
  body_size_ = needed;
  return ParseError::none;
}

Parser::State Parser::fail(ParseError error) noexcept {
  error_ = error;
  return State::failed;
}

}  // namespace stadion::http
