// SPDX-License-Identifier: MIT
#include "http/cors.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/characters.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kAny = "*";

[[noreturn]] void refuse(std::string_view option, std::string_view value, const char* why) {
  throw std::invalid_argument("CORS " + std::string(option) + ": '" + std::string(value) + "' " +
                              why);
}

bool is_lower_or_digit(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'z'); }

/// A host as URLs are serialised: lower case, IPv6 in brackets.
bool is_host(std::string_view host) noexcept {
  const bool is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_ipv6) {
    host = host.substr(1, host.size() - 2);
    return std::all_of(host.begin(), host.end(),
                       [](char c) { return is_lower_or_digit(c) || c == ':' || c == '.'; });
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return is_lower_or_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_port(std::string_view port) noexcept {
  return !port.empty() && port.size() <= 5 && port.front() != '0' &&
         std::all_of(port.begin(), port.end(), is_digit);
}

/// WHATWG URL, "origin", serialised: a scheme, a host, and a port that is not the scheme's own.
void check_origin(std::string_view origin) {
  constexpr std::string_view kSeparator = "://";
  const std::size_t scheme_end = origin.find(kSeparator);
  if (scheme_end == std::string_view::npos || scheme_end == 0) {
    refuse("origins", origin, "is not scheme://host");
  }
  const std::string_view scheme = origin.substr(0, scheme_end);
  std::string_view host = origin.substr(scheme_end + kSeparator.size());
  const std::size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (!is_port(port)) {
      refuse("origins", origin, "has a malformed port");
    }
    if ((scheme == "http" && port == "80") || (scheme == "https" && port == "443")) {
      refuse("origins", origin, "has its scheme's own port, which browsers leave out");
    }
  }
  const bool is_scheme = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.';
  });
  if (!is_scheme || !is_host(host)) {
    refuse("origins", origin, "is not in lower case, or has more than scheme, host and port");
  }
}

/// Whether they are "*".
bool check_origins(const CorsOptions& options) {
  const bool has_any =
      std::find(options.origins.begin(), options.origins.end(), kAny) != options.origins.end();
  if (!has_any) {
    std::for_each(options.origins.begin(), options.origins.end(), check_origin);
    return false;
  }
  if (options.credentials) {
    refuse("origins", kAny, "and credentials exclude each other: list the origins");
  }
  if (options.origins.size() > 1) {
    refuse("origins", kAny, "leaves nothing for other origins");
  }
  return true;
}

void check_headers(std::string_view option, const std::vector<std::string>& names,
                   bool credentials) {
  for (const std::string& name : names) {
    if (!is_token(name)) {
      refuse(option, name, "is not a header's name");
    }
    if (name == kAny && credentials) {
      refuse(option, name, "and credentials exclude each other: list the names");
    }
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list.append(list.empty() ? "" : ", ").append(name);
  }
  return list;
}

std::string joined(const std::vector<Method>& methods) {
  std::vector<std::string> names;
  for (const Method method : methods) {
    if (method == Method::connect || method == Method::trace) {
      refuse("methods", to_string(method), "is one that no page may use");
    }
    names.emplace_back(to_string(method));
  }
  return joined(names);
}

}  // namespace

CorsPolicy::CorsPolicy(CorsOptions options)
    : options_(std::move(options)),
      allows_any_origin_(check_origins(options_)),
      methods_(joined(options_.methods)),
      headers_(joined(options_.headers)),
      exposed_headers_(joined(options_.exposed_headers)),
      max_age_(std::to_string(options_.max_age.count())) {
  check_headers("headers", options_.headers, options_.credentials);
  check_headers("exposed_headers", options_.exposed_headers, options_.credentials);
  if (options_.max_age.count() < 0 || options_.max_age > kCorsAgeMax) {
    refuse("max_age", max_age_, "seconds are not within 0 and 86400");
  }
  std::sort(options_.origins.begin(), options_.origins.end());
}

CorsDecision CorsPolicy::decide(Method method, const Fields& request) const noexcept {
  CorsDecision decision;
  if (!allows_any_origin_ && !options_.origins.empty()) {
    decision.add("Vary", "Origin");
  }
  const std::string_view origin = allowed_origin(request);
  const auto requested_method = request.find("Access-Control-Request-Method");
  const bool is_preflight =
      method == Method::options && requested_method && request.contains("Origin");
  if (is_preflight && (origin.empty() || !allows_preflight(*requested_method, request))) {
    decision.verdict = CorsVerdict::preflight_refused;
    return decision;
  }
  if (origin.empty()) {
    return decision;
  }
  decision.add("Access-Control-Allow-Origin", origin);
  decision.add("Access-Control-Allow-Credentials", options_.credentials ? "true" : "");
  if (is_preflight) {
    decision.verdict = CorsVerdict::preflight_allowed;
    add_preflight_fields(decision);
  } else {
    decision.add("Access-Control-Expose-Headers", exposed_headers_);
  }
  return decision;
}

/// As it is sent back, in the policy's own memory; empty when there is none.
std::string_view CorsPolicy::allowed_origin(const Fields& request) const noexcept {
  if (allows_any_origin_) {
    return kAny;
  }
  const std::optional<std::string_view> origin = request.find("Origin");
  if (!origin) {
    return {};
  }
  const auto found = std::lower_bound(options_.origins.begin(), options_.origins.end(), *origin,
                                      std::less<std::string_view>());
  return found != options_.origins.end() && *found == *origin ? std::string_view(*found)
                                                              : std::string_view();
}

bool CorsPolicy::allows_preflight(std::string_view method, const Fields& request) const noexcept {
  const std::optional<Method> requested = parse_method(method);
  const auto& methods = options_.methods;
  if (!requested || std::find(methods.begin(), methods.end(), *requested) == methods.end()) {
    return false;
  }
  return allows_headers(request.find("Access-Control-Request-Headers").value_or(""));
}

bool CorsPolicy::allows_headers(std::string_view names) const noexcept {
  std::size_t count = 0;
  bool are_allowed = true;
  for_each_list_element(names, [&](std::string_view name) {
    const bool is_wildcard_enough = !equals_ignoring_case(name, "authorization");
    are_allowed = ++count <= kCorsRequestHeadersMax &&
                  std::any_of(options_.headers.begin(), options_.headers.end(),
                              [name, is_wildcard_enough](const std::string& allowed) {
                                return equals_ignoring_case(name, allowed) ||
                                       (allowed == kAny && is_wildcard_enough);
                              });
    return are_allowed;
  });
  return are_allowed;
}

void CorsPolicy::add_preflight_fields(CorsDecision& decision) const noexcept {
  decision.add("Access-Control-Allow-Methods", methods_);
  decision.add("Access-Control-Allow-Headers", headers_);
  decision.add("Access-Control-Max-Age", max_age_);
}

}  // namespace stadion::http
