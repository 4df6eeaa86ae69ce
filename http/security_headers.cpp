// SPDX-License-Identifier: MIT
#include "http/security_headers.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace stadion::http {
namespace {

constexpr std::chrono::seconds kYear{31'536'000};
constexpr std::chrono::seconds kStrictTransportAgeMax = 2 * kYear;

/// W3C Referrer Policy, section 3, but for the empty string.
constexpr std::array<std::string_view, 8> kReferrerPolicies{
    "no-referrer",   "no-referrer-when-downgrade",      "same-origin", "origin",
    "strict-origin", "strict-origin-when-cross-origin", "unsafe-url",  "origin-when-cross-origin"};

[[noreturn]] void refuse(const char* option, const char* why) {
  throw std::invalid_argument("security headers: " + std::string(option) + " " + why);
}

std::string checked_referrer_policy(const std::string& list) {
  for_each_list_element(list, [](std::string_view policy) {
    if (std::find(kReferrerPolicies.begin(), kReferrerPolicies.end(), policy) ==
        kReferrerPolicies.end()) {
      refuse("referrer_policy", "is not one of the standard's");
    }
    return true;
  });
  return std::string(trim_whitespace(list));
}

bool has_frame_ancestors(std::string_view policy) noexcept {
  while (!policy.empty()) {
    const std::size_t end = policy.find(';');
    const std::string_view directive = trim_whitespace(policy.substr(0, end));
    const std::string_view name = directive.substr(0, directive.find_first_of(" \t"));
    if (equals_ignoring_case(name, "frame-ancestors")) {
      return true;
    }
    policy = end == std::string_view::npos ? std::string_view() : policy.substr(end + 1);
  }
  return false;
}

/// Printable ASCII (CSP Level 3, section 2.2.1), and no comma, which would begin another policy.
bool is_in_policy(char c) noexcept { return (c >= ' ' && c < 0x7F && c != ',') || c == '\t'; }

std::string content_security_policy_of(const SecurityHeadersOptions& options) {
  std::string policy(trim_whitespace(options.content_security_policy));
  if (!std::all_of(policy.begin(), policy.end(), is_in_policy)) {
    refuse("content_security_policy", "has a comma, or a character that is not printable ASCII");
  }
  if (options.framed_by == FramedBy::anybody) {
    return policy;
  }
  if (has_frame_ancestors(policy)) {
    refuse("content_security_policy", "has a frame-ancestors of its own: set framed_by to anybody");
  }
  if (!policy.empty() && policy.back() != ';') {
    policy += ';';
  }
  policy += policy.empty() ? "" : " ";
  return policy + (options.framed_by == FramedBy::nobody ? "frame-ancestors 'none'"
                                                         : "frame-ancestors 'self'");
}

std::string strict_transport_security_of(const SecurityHeadersOptions& options) {
  if (!options.strict_transport_security) {
    return {};
  }
  const StrictTransportSecurity& strict = *options.strict_transport_security;
  if (strict.max_age.count() < 0 || strict.max_age > kStrictTransportAgeMax) {
    refuse("strict_transport_security", "has a max_age that is not within 0 and two years");
  }
  if (strict.preload && (!strict.include_subdomains || strict.max_age < kYear)) {
    refuse("strict_transport_security",
           "has preload without include_subdomains, or for less than a year");
  }
  return "max-age=" + std::to_string(strict.max_age.count()) +
         (strict.include_subdomains ? "; includeSubDomains" : "") +
         (strict.preload ? "; preload" : "");
}

}  // namespace

SecurityHeaders::SecurityHeaders(const SecurityHeadersOptions& options)
    : referrer_policy_(checked_referrer_policy(options.referrer_policy)),
      content_security_policy_(content_security_policy_of(options)),
      strict_transport_security_(strict_transport_security_of(options)) {
  const auto add = [this](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      fields_.push_back({name, value});
    }
  };
  add("X-Content-Type-Options", options.no_sniff ? "nosniff" : "");
  add("Referrer-Policy", referrer_policy_);
  add("Content-Security-Policy", content_security_policy_);
  // For browsers older than frame-ancestors; all others ignore it beside that.
  if (options.framed_by != FramedBy::anybody) {
    add("X-Frame-Options", options.framed_by == FramedBy::nobody ? "DENY" : "SAMEORIGIN");
  }
  http_field_count_ = fields_.size();
  add("Strict-Transport-Security", strict_transport_security_);
}

}  // namespace stadion::http
