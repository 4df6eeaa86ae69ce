// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "core/arena.hpp"
#include "http/fields.hpp"

namespace stadion::http {

/// A cookie as a browser sends it back: its name and value, no attributes.
struct Cookie {
  std::string_view name;
  std::string_view value;
};

namespace detail {

/// The next well-formed pair of a Cookie field's value, which is taken off `rest`; none at its end.
std::optional<Cookie> take_cookie(std::string_view& rest) noexcept;

}  // namespace detail

/// Calls `visit(cookie)` for each cookie of a request, in order and over all its Cookie fields,
/// until it answers false.
///
/// A pair is passed over when its name is not a token or its value has other octets than
/// `to_field_value` lets through: scripts and other servers of the domain can set such cookies, and
/// they must not hide the good ones. A name comes twice where there are cookies for two paths or
/// domains; browsers mean to send the longest path first.
///
/// Lifetime   Views of the fields.
/// Limits     Those of the request's head.
/// Source     RFC 6265 sections 4.2 and 5.4; RFC 6265bis section 4.2.
template <class Visit>
void for_each_cookie(const Fields& fields, Visit&& visit) {
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "cookie")) {
      continue;
    }
    std::string_view rest = field.value;
    while (const std::optional<Cookie> cookie = detail::take_cookie(rest)) {
      if (!visit(*cookie)) {
        return;
      }
    }
  }
}

/// The value of the first cookie of that name, whose case matters; none without it. Quotes around a
/// value are part of it.
std::optional<std::string_view> cookie(const Fields& fields, std::string_view name) noexcept;

/// Octets of a cookie's name and value together; a browser ignores a larger cookie (RFC 6265bis
/// section 5.6).
inline constexpr std::size_t kCookieBytesMax = 4096;
/// Octets of one attribute's value; a browser ignores a longer attribute (RFC 6265bis section 5.6).
inline constexpr std::size_t kCookieAttributeBytesMax = 1024;

/// To which requests from other sites a browser adds the cookie.
enum class SameSite : std::uint8_t {
  strict,  ///< None at all.
  lax,     ///< Links that lead here, but no forms that are posted, images or frames.
  none,    ///< Every one. The cookie has to be Secure.
};

/// A cookie to set, with what browsers are told about it. The defaults are the careful ones: no
/// script reads it (HttpOnly), other sites' forms do not send it (SameSite=Lax), it goes to this
/// host alone, and it ends with the browser's session.
struct SetCookie {
  /// A token.
  std::string_view name;
  /// Visible ASCII without '"', ',', ';' and '\'; it may stand in a pair of quotes, which are then
  /// part of it. Encode anything else, such as with Base64.
  std::string_view value;
  /// Which paths it is for, '/' at its beginning. Empty lets the browser take the folder of the
  /// request's path. Default is "/".
  std::string_view path = "/";
  /// A domain that is to have it with all its subdomains. Default is empty: this host, no other.
  std::string_view domain = {};
  /// How long it lives, 1 s at least; browsers heed this before `expires`, and most take no more
  /// than 400 days. Default is until the browser's session ends.
  std::optional<std::chrono::seconds> max_age = std::nullopt;
  /// When it ends, in the years 1601 to 9999; the past removes it. Default is as max_age's.
  std::optional<std::time_t> expires = std::nullopt;
  /// Only over HTTPS. Default is false, as a browser would not take it over plain HTTP: set it
  /// wherever there is TLS, here or in a proxy in front.
  bool secure = false;
  /// Out of reach for scripts. Default is true.
  bool http_only = true;
  /// Default is lax.
  SameSite same_site = SameSite::lax;
  /// In a frame, a cookie jar for each site that is around it ("CHIPS"). The cookie has to be
  /// Secure. Default is false.
  bool partitioned = false;
};

/// The value of a Set-Cookie field: `response.header("Set-Cookie", to_field_value(cookie, arena))`.
///
/// Lifetime   In the arena.
/// Limits     kCookieBytesMax and kCookieAttributeBytesMax.
/// Throws     std::invalid_argument, which says what is wrong, where, and what would be right: for
///            characters that would break or forge the field, and for whatever browsers would
///            silently ignore, such as a name with "__Host-" whose cookie is not Secure.
///            ArenaFailed.
/// Source     RFC 6265bis sections 4.1 and 5.4 to 5.7; draft-cutler-httpbis-partitioned-cookies.
std::string_view to_field_value(const SetCookie& cookie, Arena& arena);

/// What to set to remove a cookie that was set with these attributes: a browser replaces only the
/// cookie of the same name, domain and path.
SetCookie expired(SetCookie cookie) noexcept;

}  // namespace stadion::http
