// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/fields.hpp"
#include "http/method.hpp"
#include "http/url.hpp"

namespace stadion::http {

enum class Version { http_1_0, http_1_1 };

/// A value that the path gave for a route's `{name}`.
struct PathParameter {
  std::string_view name;
  std::string_view value;
};

/// What a handler is asked: everything that can be seen of it was copied into the request's arena.
///
/// Lifetime   It, and every view it gives, lives until the last byte of its response was handed to
///            the system: longer than the handler runs, and no matter whether the client is still
///            there. To keep something for longer, copy it.
/// Threads    Its Worker's; its arena allocates from any.
class Request {
 public:
  explicit Request(Arena& arena) noexcept : arena_(&arena), fields_(arena), trailers_(arena) {}

  Method method() const noexcept { return method_; }
  Version version() const noexcept { return version_; }

  /// As it was sent: "/users/7?verbose=1".
  std::string_view target() const noexcept { return target_; }
  /// The target's path as it was sent, escapes included: "/a%20b". "*" for `OPTIONS *`.
  std::string_view raw_path() const noexcept { return raw_path_; }
  /// What follows the '?', undecoded.
  std::string_view raw_query() const noexcept { return raw_query_; }
  /// Who was asked: the authority of an absolute target, else the Host field (RFC 9112
  /// section 3.2.2).
  std::string_view host() const noexcept { return host_; }

  /// The decoded value of the route's `{name}` or `{*name}`; empty when the route has none of that
  /// name.
  std::string_view param(std::string_view name) const noexcept;
  /// The decoded value of a query parameter: empty for "?name", none without it or where its
  /// escapes are malformed.
  std::optional<std::string_view> query(std::string_view name) const {
    return query_parameter(raw_query_, name, *arena_);
  }

  /// The first field of that name, whatever its case.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return fields_.find(name);
  }
  const Fields& headers() const noexcept { return fields_; }

  /// The whole body, its transfer coding taken off. Empty while it was not received as a whole: on a
  /// route with BodyMode::streamed.
  std::string_view body() const noexcept { return body_; }
  /// The fields behind a chunked body, once it is complete. Never to be taken for header fields: who
  /// sent them had not to pass what checked these (RFC 9110 section 6.5).
  const Fields& trailers() const noexcept { return trailers_; }

  /// Memory that lives exactly as long as this request: the place for what a handler makes.
  Arena& arena() const noexcept { return *arena_; }

 private:
  friend class Parser;
  friend class Router;

  Arena* arena_;
  Method method_ = Method::get;
  Version version_ = Version::http_1_1;
  std::string_view target_;
  std::string_view raw_path_;
  std::string_view raw_query_;
  std::string_view host_;
  Fields fields_;
  Fields trailers_;
  std::string_view body_;
  std::span<const PathParameter> parameters_;
};

}  // namespace stadion::http
