// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/fields.hpp"
#include "http/method.hpp"

namespace stadion::http {

/// Which pages of other origins a browser lets read responses. "*" stands for any.
struct CorsOptions {
  /// As browsers write them, "https://app.example" or "http://localhost:3000": in lower case, with
  /// neither path nor default port. Or only "*". Default is none: nobody is let in.
  std::vector<std::string> origins{};
  /// What may be asked for, in a preflight. Default is GET, HEAD and POST.
  std::vector<Method> methods{Method::get, Method::head, Method::post};
  /// Request header fields beyond those that any page may send; a Content-Type of application/json
  /// takes "Content-Type". "*" does not stand for "Authorization". Default is none.
  std::vector<std::string> headers{};
  /// Response header fields beyond those that any page may read. Default is none.
  std::vector<std::string> exposed_headers{};
  /// Whether a page may send cookies and the like, and read what comes back. Then "*" is refused
  /// everywhere. Default is no.
  bool credentials = false;
  /// How long a browser keeps a preflight's answer, at most kCorsAgeMax. Default is 10 minutes.
  std::chrono::seconds max_age{600};
};

inline constexpr std::chrono::seconds kCorsAgeMax{86'400};
/// So many header names a preflight may ask for.
inline constexpr std::size_t kCorsRequestHeadersMax = 100;

enum class CorsVerdict {
  pass,               ///< No preflight: the handler answers, and the fields are added.
  preflight_allowed,  ///< To be answered with 204 and the fields; no handler is asked.
  preflight_refused,  ///< To be answered with 403 and the fields; no handler is asked.
};

/// What is to be done about a request, and which fields its response gets, an error's too.
class CorsDecision {
 public:
  CorsVerdict verdict = CorsVerdict::pass;

  std::span<const Field> fields() const noexcept { return {fields_.data(), size_}; }
  void add(std::string_view name, std::string_view value) noexcept {
    if (!value.empty()) {
      fields_[size_++] = {name, value};
    }
  }

 private:
  std::array<Field, 6> fields_{};
  std::size_t size_ = 0;
};

/// Decides by the CORS protocol which responses other origins may read.
///
///     const CorsDecision decision = policy.decide(request.method(), request.headers());
///
/// It protects nobody's server: a request that is no preflight is let through, whoever sent it, and
/// only the browser keeps its response from the page. "Vary: Origin" is added to every response
/// where the origins are a list, also to those that went to no other origin, and never where they
/// are "*": then all responses are the same.
///
/// Lifetime   The policy outlives its decisions, whose fields are views into it.
/// Threads    Deciding is safe from any.
/// Cost       One look-up among the sorted origins; no memory is allocated.
/// Source     WHATWG Fetch, "CORS protocol" and "CORS protocol and HTTP caches".
class CorsPolicy {
 public:
  /// Throws std::invalid_argument, with the option's name in it, for "*" together with credentials
  /// or with other origins; for an origin that no browser would send, "null" included, which any
  /// page can get; for a header that is no token; for CONNECT or TRACE; for a max_age out of range.
  explicit CorsPolicy(CorsOptions options);

  CorsPolicy(const CorsPolicy&) = delete;
  CorsPolicy& operator=(const CorsPolicy&) = delete;

  CorsDecision decide(Method method, const Fields& request) const noexcept;

 private:
  std::string_view allowed_origin(const Fields& request) const noexcept;
  bool allows_preflight(std::string_view method, const Fields& request) const noexcept;
  bool allows_headers(std::string_view names) const noexcept;
  void add_preflight_fields(CorsDecision& decision) const noexcept;

  CorsOptions options_;
  bool allows_any_origin_ = false;
  std::string methods_;
  std::string headers_;
  std::string exposed_headers_;
  std::string max_age_;
};

}  // namespace stadion::http
