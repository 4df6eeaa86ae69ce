// SPDX-License-Identifier: MIT
#include "http/parse_error.hpp"

namespace stadion::http {

ParseErrorAnswer answer_to(ParseError error) noexcept {
  switch (error) {
    case ParseError::none: break;
    case ParseError::malformed_request_line:
      return {Status::bad_request, "The request line is malformed.\n"};
    case ParseError::malformed_header:
      return {Status::bad_request, "A header field is malformed.\n"};
    case ParseError::malformed_host:
      return {Status::bad_request, "There must be exactly one valid Host.\n"};
    case ParseError::malformed_content_length:
      return {Status::bad_request, "Content-Length must be one decimal number.\n"};
    case ParseError::malformed_transfer_encoding:
      return {Status::bad_request, "Transfer-Encoding must be chunked, once, in HTTP/1.1.\n"};
    case ParseError::ambiguous_framing:
      return {Status::bad_request, "Content-Length and Transfer-Encoding exclude each other.\n"};
    case ParseError::malformed_chunk:
      return {Status::bad_request, "The chunked body is malformed.\n"};
    case ParseError::malformed_trailer:
      return {Status::bad_request, "A trailer field is malformed.\n"};
    case ParseError::target_too_long:
      return {Status::uri_too_long, "The request target is too long.\n"};
    case ParseError::head_too_large:
      return {Status::request_header_fields_too_large, "The header fields are too large.\n"};
    case ParseError::too_many_fields:
      return {Status::request_header_fields_too_large, "There are too many header fields.\n"};
    case ParseError::body_too_large: return {Status::content_too_large, "The body is too large.\n"};
    case ParseError::trailer_too_large:
      return {Status::request_header_fields_too_large, "The trailer fields are too large.\n"};
    case ParseError::out_of_memory:
      return {Status::service_unavailable, "There is no memory for this request.\n"};
    case ParseError::unknown_method:
      return {Status::not_implemented, "The method is not implemented.\n"};
    case ParseError::unknown_transfer_coding:
      return {Status::not_implemented, "The transfer coding is not implemented.\n"};
    case ParseError::unsupported_version:
      return {Status::http_version_not_supported, "Only HTTP/1.0 and HTTP/1.1 are supported.\n"};
    case ParseError::unknown_expectation:
      return {Status::expectation_failed, "The only expectation supported is 100-continue.\n"};
  }
  return {Status::internal_server_error, "\n"};
}

}  // namespace stadion::http
