// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "http/fields.hpp"

namespace stadion::http {

/// Who may show a page within one of their own.
enum class FramedBy { nobody, same_origin, anybody };

/// For how long browsers shall use HTTPS alone with this host. Not taken back easily: begin with a
/// short time.
struct StrictTransportSecurity {
  /// From 0, which takes it back, to two years. Default is a year.
  std::chrono::seconds max_age{31'536'000};
  /// Default is no.
  bool include_subdomains = false;
  /// Consent to be built into browsers: takes include_subdomains and a year at least. Default is
  /// no.
  bool preload = false;
};

struct SecurityHeadersOptions {
  /// "X-Content-Type-Options: nosniff": a response is what its Content-Type says. Default is yes.
  bool no_sniff = true;
  /// Referrer-Policy, a list of the standard's policies; empty leaves it out. Default is
  /// strict-origin-when-cross-origin: other origins learn the origin, never the path.
  std::string referrer_policy = "strict-origin-when-cross-origin";
  /// X-Frame-Options, and frame-ancestors in Content-Security-Policy. Default is nobody.
  FramedBy framed_by = FramedBy::nobody;
  /// More directives for Content-Security-Policy: "default-src 'self'; img-src *". Default is none.
  std::string content_security_policy{};
  /// Strict-Transport-Security. Default is none.
  std::optional<StrictTransportSecurity> strict_transport_security{};
};

/// The header fields that make browsers careful, for every response.
///
/// Lifetime   The fields are views into this object.
/// Threads    Reading is safe from any.
/// Cost       Everything is done by the constructor.
/// Source     WHATWG Fetch ("X-Content-Type-Options"), W3C Referrer Policy, W3C CSP Level 3, RFC
///            7034, RFC 6797.
class SecurityHeaders {
 public:
  /// Throws     std::invalid_argument, with the option's name in it, for a referrer policy that
  ///            there is
  /// none of, for what cannot stand in a header, for a frame-ancestors that framed_by would
  /// contradict, and for a Strict-Transport-Security out of range.
  explicit SecurityHeaders(const SecurityHeadersOptions& options = {});

  SecurityHeaders(const SecurityHeaders&) = delete;
  SecurityHeaders& operator=(const SecurityHeaders&) = delete;

  /// For a response over TLS.
  std::span<const Field> for_https() const noexcept { return fields_; }
  /// The same without Strict-Transport-Security, which must not be sent in clear text (RFC 6797
  /// section 7.2).
  std::span<const Field> for_http() const noexcept {
    return std::span(fields_).first(http_field_count_);
  }

 private:
  std::string referrer_policy_;
  std::string content_security_policy_;
  std::string strict_transport_security_;
  std::vector<Field> fields_;
  std::size_t http_field_count_ = 0;
};

}  // namespace stadion::http
