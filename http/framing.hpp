// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "http/fields.hpp"
#include "http/parse_error.hpp"
#include "http/request.hpp"

namespace stadion::http {

/// What a request's header fields say about the message itself: where it ends, and what becomes of
/// the connection.
struct Framing {
  ParseError error = ParseError::none;
  bool has_framing_field = false;  ///< Content-Length or Transfer-Encoding is there.
  bool chunked = false;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string_view host;
};

/// Reads the fields that frame a message, strictly: whatever two readers could understand
/// differently is an error (RFC 9112 sections 3.2, 6, 9.3, 11.2; RFC 9110 section 10.1.1).
Framing decide_framing(const Fields& fields, Version version) noexcept;

/// Whether a Host value or a target's authority is empty, or has the form of a host that is not, and
/// perhaps a port of up to 65535 (RFC 3986 section 3.2). A ',' would make it a list to others.
bool is_valid_host(std::string_view host) noexcept;

}  // namespace stadion::http
