// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/status.hpp"

namespace stadion::http {

/// An error response in the making: what the server's on_error() is told.
///
/// Lifetime   The call that it is passed to.
struct Failure {
  Status status = Status::internal_server_error;
  /// What the client is told unless on_error() says something else: a short line of text.
  std::string_view text{};
  /// Why, where that is not for the client; for the log. Else empty.
  std::string_view reason{};
  /// What a handler threw, where it did.
  std::exception_ptr exception{};
};

/// Thrown by a handler, or middleware, to answer with an error.
///
///     throw HttpError(Status::not_found, "There is no such user.\n");
class HttpError : public std::runtime_error {
 public:
  HttpError(Status status, const std::string& text) : std::runtime_error(text), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

}  // namespace stadion::http
