// SPDX-License-Identifier: MIT
#include "http/cookie.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "http/characters.hpp"
#include "http/date.hpp"

namespace stadion::http {
namespace {

constexpr bool is_visible(char c) noexcept { return c > 0x20 && c < 0x7F; }
constexpr bool is_cookie_octet(char c) noexcept {
  return is_visible(c) && c != '"' && c != ',' && c != ';' && c != '\\';
}
constexpr bool is_path_character(char c) noexcept { return is_visible(c) && c != ';'; }
constexpr bool is_domain_character(char c) noexcept {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '.';
}

/// The octets of a value without the pair of quotes that it may have (RFC 6265 section 4.1.1).
std::string_view without_quotes(std::string_view value) noexcept {
  const bool has_quotes = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return has_quotes ? value.substr(1, value.size() - 2) : value;
}

bool is_cookie_value(std::string_view value) noexcept {
  const std::string_view octets = without_quotes(value);
  return std::all_of(octets.begin(), octets.end(), is_cookie_octet);
}

[[noreturn]] void refuse(const SetCookie& cookie, const std::string& why) {
  throw std::invalid_argument("Set-Cookie '" + std::string(cookie.name) + "': " + why);
}

/// "the path has the byte 0x3B at offset 2" for the first one that is not allowed; else empty.
/// `part` is what is looked at of the text.
template <class IsAllowed>
std::string describe_bad_byte(const char* what, std::string_view text, std::string_view part,
                              IsAllowed is_allowed) {
  const auto bad = std::find_if_not(part.begin(), part.end(), is_allowed);
  if (bad == part.end()) {
    return {};
  }
  std::array<char, 80> description;
  std::snprintf(description.data(), description.size(), "the %s has the byte 0x%02X at offset %td",
                what, static_cast<unsigned>(static_cast<unsigned char>(*bad)), &*bad - text.data());
  return description.data();
}

template <class IsAllowed>
std::string describe_bad_byte(const char* what, std::string_view text, IsAllowed is_allowed) {
  return describe_bad_byte(what, text, text, is_allowed);
}

void check_name(const SetCookie& cookie) {
  // The name itself is kept out of the message: it may have any byte.
  if (cookie.name.empty()) {
    throw std::invalid_argument("Set-Cookie: the name is empty; it has to be a token");
  }
  const std::string bad = describe_bad_byte("name", cookie.name, is_token_character);
  if (!bad.empty()) {
    throw std::invalid_argument("Set-Cookie: " + bad +
                                "; it has to be a token: letters, digits and !#$%&'*+-.^_`|~");
  }
}

void check_value(const SetCookie& cookie) {
  const std::string bad =
      describe_bad_byte("value", cookie.value, without_quotes(cookie.value), is_cookie_octet);
  if (!bad.empty()) {
    refuse(cookie, bad +
                       "; it has to be visible ASCII without '\"', ',', ';' and '\\', such as "
                       "Base64, or that in a pair of quotes");
  }
  const std::size_t bytes = cookie.name.size() + cookie.value.size();
  if (bytes > kCookieBytesMax) {
    refuse(cookie, "name and value have " + std::to_string(bytes) + " bytes; browsers take " +
                       std::to_string(kCookieBytesMax) + " at most");
  }
}

void check_attribute_size(const SetCookie& cookie, const char* what, std::string_view value) {
  if (value.size() > kCookieAttributeBytesMax) {
    refuse(cookie, "the " + std::string(what) + " has " + std::to_string(value.size()) +
                       " bytes; browsers take " + std::to_string(kCookieAttributeBytesMax) +
                       " at most");
  }
}

void check_path(const SetCookie& cookie) {
  check_attribute_size(cookie, "path", cookie.path);
  const std::string bad = describe_bad_byte("path", cookie.path, is_path_character);
  if (!bad.empty()) {
    refuse(cookie, bad + "; it has to be visible ASCII without ';', all else escaped as %XX");
  }
  if (!cookie.path.empty() && cookie.path.front() != '/') {
    refuse(cookie, "the path does not begin with '/', so browsers would ignore it");
  }
}

/// A subdomain as in RFC 1034 section 3.5 and RFC 1123 section 2.1.
bool has_good_labels(std::string_view domain) noexcept {
  constexpr std::size_t label_bytes_max = 63;
  while (true) {
    const std::string_view label = domain.substr(0, domain.find('.'));
    if (label.empty() || label.size() > label_bytes_max || label.front() == '-' ||
        label.back() == '-') {
      return false;
    }
    if (label.size() == domain.size()) {
      return true;
    }
    domain.remove_prefix(label.size() + 1);
  }
}

void check_domain(const SetCookie& cookie) {
  check_attribute_size(cookie, "domain", cookie.domain);
  const std::string bad = describe_bad_byte("domain", cookie.domain, is_domain_character);
  if (!bad.empty()) {
    refuse(cookie, bad + "; it has to be letters, digits, '-' and '.'");
  }
  if (!cookie.domain.empty() && !has_good_labels(cookie.domain)) {
    refuse(cookie, "the domain '" + std::string(cookie.domain) +
                       "' has a label that is empty, longer than 63 bytes, or with '-' at an end; "
                       "it has to be as in example.com");
  }
}

void check_lifetime(const SetCookie& cookie) {
  // RFC 6265 section 4.1.1 has no Max-Age=0, although browsers know it.
  if (cookie.max_age && cookie.max_age->count() < 1) {
    refuse(cookie, "max_age is " + std::to_string(cookie.max_age->count()) +
                       " s; it has to be 1 s at least, and expired() is there to remove a cookie");
  }
  // RFC 6265 section 5.1.1 fails on years before 1601, and a date has four digits for the year.
  constexpr std::time_t first = -11'644'473'600;
  constexpr std::time_t last = 253'402'300'799;
  if (cookie.expires && (*cookie.expires < first || *cookie.expires > last)) {
    refuse(cookie, "expires is " + std::to_string(*cookie.expires) +
                       " s; it has to be in the years 1601 to 9999, which is from " +
                       std::to_string(first) + " to " + std::to_string(last));
  }
}

/// Without case, as browsers do: they would ignore a "__HOST-" that breaks the rules, too
/// (RFC 6265bis section 5.4).
bool has_prefix(const SetCookie& cookie, std::string_view prefix) noexcept {
  return equals_ignoring_case(cookie.name.substr(0, prefix.size()), prefix);
}

void check_secure(const SetCookie& cookie) {
  if (cookie.secure) {
    return;
  }
  constexpr const char* demand = " has to be Secure: set secure = true";
  if (cookie.same_site == SameSite::none) {
    refuse(cookie, "a cookie with SameSite=None" + std::string(demand));
  }
  if (cookie.partitioned) {
    refuse(cookie, "a cookie that is Partitioned" + std::string(demand));
  }
  if (has_prefix(cookie, "__Secure-") || has_prefix(cookie, "__Host-")) {
    refuse(cookie, "a cookie with this prefix" + std::string(demand));
  }
}

void check_host_prefix(const SetCookie& cookie) {
  if (!has_prefix(cookie, "__Host-")) {
    return;
  }
  if (cookie.path != "/") {
    refuse(cookie, "a cookie with this prefix has to have the path \"/\"");
  }
  if (!cookie.domain.empty()) {
    refuse(cookie, "a cookie with this prefix is for one host: leave the domain empty");
  }
}

void check(const SetCookie& cookie) {
  check_name(cookie);
  check_value(cookie);
  check_path(cookie);
  check_domain(cookie);
  check_lifetime(cookie);
  check_secure(cookie);
  check_host_prefix(cookie);
}

/// The pieces of a text, which are put together when their size is known.
class Pieces {
 public:
  void add(std::initializer_list<std::string_view> pieces) noexcept {
    for (const std::string_view piece : pieces) {
      pieces_[count_++] = piece;
      bytes_ += piece.size();
    }
  }

  std::string_view join(Arena& arena) const {
    char* const text = static_cast<char*>(arena.alloc(bytes_, 1));
    char* at = text;
    for (std::size_t i = 0; i < count_; ++i) {
      at = std::copy(pieces_[i].begin(), pieces_[i].end(), at);
    }
    return {text, bytes_};
  }

 private:
  std::array<std::string_view, 16> pieces_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

void add_unless_empty(Pieces& pieces, std::string_view attribute, std::string_view value) noexcept {
  if (!value.empty()) {
    pieces.add({attribute, value});
  }
}

void add_flags(Pieces& pieces, const SetCookie& cookie) noexcept {
  if (cookie.secure) {
    pieces.add({"; Secure"});
  }
  if (cookie.http_only) {
    pieces.add({"; HttpOnly"});
  }
  switch (cookie.same_site) {
    case SameSite::strict: pieces.add({"; SameSite=Strict"}); break;
    case SameSite::lax: pieces.add({"; SameSite=Lax"}); break;
    case SameSite::none: pieces.add({"; SameSite=None"}); break;
  }
  if (cookie.partitioned) {
    pieces.add({"; Partitioned"});
  }
}

}  // namespace

namespace detail {

std::optional<Cookie> take_cookie(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    const std::string_view pair = trim_whitespace(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      continue;  // A browser sends a cookie without a name so.
    }
    // Quotes are part of the value (RFC 6265bis section 4.1.1), and what is set is read back as it
    // was. They do not shield a ';' either: readers for which they do can be made to take cookies
    // that somebody else wrote as one, and with them those that scripts must not see.
    const Cookie cookie{pair.substr(0, equals), pair.substr(equals + 1)};
    if (is_token(cookie.name) && is_cookie_value(cookie.value)) {
      return cookie;
    }
  }
  return std::nullopt;
}

}  // namespace detail

std::optional<std::string_view> cookie(const Fields& fields, std::string_view name) noexcept {
  std::optional<std::string_view> value;
  for_each_cookie(fields, [name, &value](const Cookie& cookie) noexcept {
    if (cookie.name == name) {
      value = cookie.value;
    }
    return !value.has_value();
  });
  return value;
}

std::string_view to_field_value(const SetCookie& cookie, Arena& arena) {
  check(cookie);
  Pieces pieces;
  pieces.add({cookie.name, "=", cookie.value});
  add_unless_empty(pieces, "; Path=", cookie.path);
  add_unless_empty(pieces, "; Domain=", cookie.domain);

  std::array<char, 20> digits;
  if (cookie.max_age) {
    const auto [end, error] = std::to_chars(digits.begin(), digits.end(), cookie.max_age->count());
    pieces.add({"; Max-Age=", {digits.data(), static_cast<std::size_t>(end - digits.data())}});
  }
  const HttpDate expires(cookie.expires.value_or(0));
  if (cookie.expires) {
    pieces.add({"; Expires=", expires.text()});
  }
  add_flags(pieces, cookie);
  return pieces.join(arena);
}

SetCookie expired(SetCookie cookie) noexcept {
  cookie.value = {};
  cookie.max_age.reset();  // Browsers would heed it and not the date.
  cookie.expires = 0;
  return cookie;
}

}  // namespace stadion::http
