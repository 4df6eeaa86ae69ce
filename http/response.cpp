// SPDX-License-Identifier: MIT
#include "http/response.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <string>

namespace stadion::http {
namespace {

constexpr std::array<std::string_view, 4> kServersOwn{"connection", "content-length", "date",
                                                      "transfer-encoding"};

[[noreturn]] void refuse(std::string_view name, const char* why) {
  throw std::invalid_argument("response header '" + std::string(name) + "' " + why);
}

/// Beside the server's own: RFC 9110 section 6.5.1.
constexpr std::array<std::string_view, 16> kNoTrailers{"authorization",
                                                       "cache-control",
                                                       "content-encoding",
                                                       "content-range",
                                                       "content-type",
                                                       "cookie",
                                                       "expect",
                                                       "host",
                                                       "location",
                                                       "max-forwards",
                                                       "proxy-authenticate",
                                                       "range",
                                                       "set-cookie",
                                                       "te",
                                                       "trailer",
                                                       "www-authenticate"};

bool is_among(std::string_view name, std::span<const std::string_view> names) noexcept {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view one) { return equals_ignoring_case(name, one); });
}

void check_value(std::string_view name, std::string_view value) {
  if (!is_field_value(value)) {
    refuse(name, "has a control character in its value");
  }
}

void check_field(std::string_view name, std::string_view value) {
  if (!is_token(name)) {
    throw std::invalid_argument("a response header's name is not a token");
  }
  check_value(name, value);
  if (is_among(name, kServersOwn)) {
    refuse(name, "is set by the server itself");
  }
}

}  // namespace

void Response::check_not_begun() const {
  if (is_begun_) {
    throw std::logic_error("a response is changed after its head was sent");
  }
}

Response& Response::header(std::string_view name, std::string_view value) {
  check_not_begun();
  check_field(name, value);
  if (equals_ignoring_case(name, "content-type")) {
    content_type_ = arena_->copy(value);
    return *this;
  }
  fields_.add(arena_->copy(name), arena_->copy(value));
  return *this;
}

Response& Response::set_header(std::string_view name, std::string_view value) {
  check_not_begun();
  check_field(name, value);
  return remove_header(name).header(name, value);
}

Response& Response::remove_header(std::string_view name) noexcept {
  if (equals_ignoring_case(name, "content-type")) {
    content_type_ = {};
  }
  fields_.remove(name);
  return *this;
}

Response& Response::vary(std::string_view name) {
  bool is_there = false;
  for (const Field& field : fields_) {
    if (equals_ignoring_case(field.name, "vary")) {
      for_each_list_element(field.value, [&](std::string_view element) {
        is_there = is_there || element == "*" || equals_ignoring_case(element, name);
        return !is_there;
      });
    }
  }
  return is_there ? *this : header("Vary", name);
}

Response& Response::trailer(std::string_view name, std::string_view value) {
  check_field(name, value);
  if (is_among(name, kNoTrailers)) {
    refuse(name, "can't be a trailer field");
  }
  trailers_.add(arena_->copy(name), arena_->copy(value));
  return *this;
}

Response& Response::bytes(std::string_view body, std::string_view content_type) {
  set_body(arena_->copy(body), content_type);
  return *this;
}

/// The same with a type that is known to be well-formed, and stays.
Response& Response::copied(std::string_view body, std::string_view static_content_type) {
  replace_body(arena_->copy(body), static_content_type);
  return *this;
}

Response& Response::body_by_reference(std::string_view body, std::string_view content_type) {
  set_body(body, content_type);
  return *this;
}

Response& Response::redirect(std::string_view location, Status status) {
  this->status(status);
  return header("Location", location);
}

Response& Response::body_parts(std::span<const BodyPart> parts, std::string_view content_type) {
  set_body({}, content_type);
  const auto copies = arena_->make_array<BodyPart>(parts.size());
  std::copy(parts.begin(), parts.end(), copies.begin());
  parts_ = copies;
  return *this;
}

void Response::set_body(std::string_view body, std::string_view content_type) {
  check_value("Content-Type", content_type);
  replace_body(body, arena_->copy(content_type));
}

void Response::replace_body(std::string_view body, std::string_view lasting_content_type) {
  check_not_begun();
  content_type_ = lasting_content_type;
  body_ = {.bytes = body};
  parts_ = {};
  producer_ = nullptr;
  encoder_ = nullptr;
  announced_length_.reset();
}

void Response::fail(Status status, std::string_view static_text) noexcept {
  if (is_begun_) {
    return;
  }
  *this = Response(*arena_);
  status_ = status;
  content_type_ = "text/plain; charset=utf-8";
  body_ = {.bytes = static_text};
}

std::optional<std::uint64_t> Response::length_of_others() const noexcept {
  if (encoder_ != nullptr) {
    return std::nullopt;
  }
  if (producer_ != nullptr || is_written_) {
    return announced_length_;
  }
  std::uint64_t length = 0;
  for (const BodyPart& part : parts()) {
    length += part.size();
  }
  return length;
}

}  // namespace stadion::http
