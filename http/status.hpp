// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace stadion::http {

/// Response status codes (RFC 9110 section 15, RFC 6585). Others can be had by a cast:
/// `Status{299}`.
enum class Status : std::uint16_t {
  continue_ = 100,
  switching_protocols = 101,
  processing = 102,
  early_hints = 103,
  ok = 200,
  created = 201,
  accepted = 202,
  no_content = 204,
  reset_content = 205,
  partial_content = 206,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  permanent_redirect = 308,
  bad_request = 400,
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  conflict = 409,
  gone = 410,
  length_required = 411,
  precondition_failed = 412,
  content_too_large = 413,
  uri_too_long = 414,
  unsupported_media_type = 415,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  misdirected_request = 421,
  unprocessable_content = 422,
  upgrade_required = 426,
  precondition_required = 428,
  too_many_requests = 429,
  request_header_fields_too_large = 431,
  /// Never sent: what logs say of a client that left before the response, as nginx has it.
  client_closed_request = 499,
  internal_server_error = 500,
  not_implemented = 501,
  bad_gateway = 502,
  service_unavailable = 503,
  gateway_timeout = 504,
  http_version_not_supported = 505,
};

inline constexpr unsigned kStatusMin = 100;
inline constexpr unsigned kStatusMax = 599;

constexpr unsigned code_of(Status status) noexcept { return static_cast<unsigned>(status); }

/// "Not Found"; empty for a code that has no name here.
std::string_view reason_phrase(Status status) noexcept;

/// Whether a response with this status never has a body: 1xx, 204 and 304 (RFC 9110 section 6.4.1).
constexpr bool never_has_body(Status status) noexcept {
  return code_of(status) < 200 || status == Status::no_content || status == Status::not_modified;
}

}  // namespace stadion::http
