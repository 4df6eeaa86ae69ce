// SPDX-License-Identifier: MIT
#include "http/response.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace stadion::http {
namespace {

constexpr std::array<std::string_view, 4> kServersOwn{"connection", "content-length", "date",
                                                      "transfer-encoding"};

[[noreturn]] void refuse(std::string_view name, const char* why) {
  throw std::invalid_argument("response header '" + std::string(name) + "' " + why);
}

void check_value(std::string_view name, std::string_view value) {
  if (!is_field_value(value)) {
    refuse(name, "has a control character in its value");
  }
}

}  // namespace

Response& Response::header(std::string_view name, std::string_view value) {
  if (!is_token(name)) {
    throw std::invalid_argument("a response header's name is not a token");
  }
  check_value(name, value);
  if (equals_ignoring_case(name, "content-type")) {
    content_type_ = arena_->copy(value);
    return *this;
  }
  const bool is_servers_own =
      std::any_of(kServersOwn.begin(), kServersOwn.end(),
                  [name](std::string_view own) { return equals_ignoring_case(name, own); });
  if (is_servers_own) {
    refuse(name, "is set by the server itself");
  }
  fields_.add(arena_->copy(name), arena_->copy(value));
  return *this;
}

Response& Response::bytes(std::string_view body, std::string_view content_type) {
  set_body(arena_->copy(body), content_type);
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

void Response::set_body(std::string_view body, std::string_view content_type) {
  check_value("Content-Type", content_type);
  content_type_ = arena_->copy(content_type);
  body_ = body;
  producer_ = nullptr;
  stream_length_.reset();
}

void Response::fail(Status status, std::string_view static_text) noexcept {
  *this = Response(*arena_);
  status_ = status;
  content_type_ = "text/plain; charset=utf-8";
  body_ = static_text;
}

std::optional<std::uint64_t> Response::content_length() const noexcept {
  return producer_ == nullptr ? std::optional<std::uint64_t>(body_.size()) : stream_length_;
}

}  // namespace stadion::http
