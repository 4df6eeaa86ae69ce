// SPDX-License-Identifier: MIT
#include "http/framing.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/character_runs.hpp"

namespace stadion::http {
namespace {

/// A name in lower case letters and '-'.
template <std::size_t Size>
struct LowerCaseName {
  consteval LowerCaseName(const char (&literal)[Size]) noexcept {  // NOLINT: as a literal.
    std::copy_n(literal, Size, text);
  }
  char text[Size];
};

/// Whether the field, whose name is a token of the same length, has this name: four characters at a
/// time, the last four in any case. Of a token's characters only the capital becomes a small letter
/// by this bit, and only '-' stays one.
template <LowerCaseName Name>
bool is_named(const Field& field) noexcept {
  constexpr std::size_t kSize = sizeof Name.text - 1;
  constexpr std::size_t kStep = sizeof(std::uint32_t);
  static_assert(kSize >= kStep);
  const auto four_of = [](const char* text) {
    std::uint32_t four;
    std::memcpy(&four, text, kStep);
    return four;
  };
  const auto difference_at = [&](std::size_t at) {
    return (four_of(field.name.data() + at) | 0x20202020) ^ four_of(Name.text + at);
  };
  std::uint32_t difference = difference_at(kSize - kStep);
  for (std::size_t at = 0; at + kStep < kSize; at += kStep) {
    difference |= difference_at(at);
  }
  return difference == 0;
}

class FramingReader {
 public:
  FramingReader(Framing& framing, Version version) noexcept : framing_(framing), version_(version) {
    framing_.keep_alive = version == Version::http_1_1;
  }

  void read(const Field& field) noexcept {
    // By length first: most fields concern somebody else.
    switch (field.name.size()) {
      case 4:
        if (is_named<"host">(field)) read_host(field.value);
        break;
      case 6:
        if (is_named<"expect">(field)) read_expect(field.value);
        break;
      case 10:
        if (is_named<"connection">(field)) read_connection(field.value);
        break;
      case 14:
        if (is_named<"content-length">(field)) read_content_length(field.value);
        break;
      case 17:
        if (is_named<"transfer-encoding">(field)) read_transfer_encoding(field.value);
        break;
      default: break;
    }
  }

  void finish() noexcept {
    if (version_ == Version::http_1_1 && !has_host_) {
      fail(ParseError::malformed_host);
    }
    if (has_content_length_ && framing_.chunked) {
      fail(ParseError::ambiguous_framing);
    }
    if (wants_close_) {
      framing_.keep_alive = false;
    }
  }

 private:
  void fail(ParseError error) noexcept {
    if (framing_.error == ParseError::none) {
      framing_.error = error;
    }
  }

  void read_host(std::string_view value) noexcept {
    if (has_host_ || !is_valid_host(value)) {
      fail(ParseError::malformed_host);
    }
    has_host_ = true;
    framing_.host = value;
  }

  void read_expect(std::string_view value) noexcept {
    if (!equals_ignoring_case(value, "100-continue")) {
      fail(ParseError::unknown_expectation);
    }
    // A client of HTTP/1.0 does not understand the interim response (RFC 9110 section 10.1.1).
    framing_.expects_continue = version_ == Version::http_1_1;
  }

  void read_connection(std::string_view value) noexcept {
    for_each_list_element(value, [this](std::string_view option) {
      if (equals_ignoring_case(option, "close")) {
        wants_close_ = true;
      } else if (equals_ignoring_case(option, "keep-alive")) {
        framing_.keep_alive = true;
      }
      return true;
    });
  }

  // One field of digits only. RFC 9112 section 6.3 would let "5, 5" pass; nobody honest sends it.
  void read_content_length(std::string_view value) noexcept {
    framing_.has_framing_field = true;
    const bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), framing_.content_length);
    if (has_content_length_ || !is_number || error != std::errc{}) {
      fail(ParseError::malformed_content_length);
    }
    has_content_length_ = true;
  }

  void read_transfer_encoding(std::string_view value) noexcept {
    framing_.has_framing_field = true;
    if (framing_.chunked || version_ == Version::http_1_0) {
      return fail(ParseError::malformed_transfer_encoding);
    }
    if (equals_ignoring_case(value, "chunked")) {
      framing_.chunked = true;
      return;
    }
    // A coding before a final "chunked" leaves the end clear, but we could not take it off: 501.
    // Without a final "chunked" nobody knows the end: 400 (RFC 9112 sections 6.1 and 6.3).
    std::string_view last;
    std::size_t chunked_count = 0;
    for_each_list_element(value, [&](std::string_view coding) {
      last = coding;
      chunked_count += equals_ignoring_case(coding, "chunked") ? 1 : 0;
      return true;
    });
    const bool end_is_clear = chunked_count == 1 && equals_ignoring_case(last, "chunked");
    fail(end_is_clear ? ParseError::unknown_transfer_coding
                      : ParseError::malformed_transfer_encoding);
  }

  Framing& framing_;
  Version version_;
  bool has_host_ = false;
  bool has_content_length_ = false;
  bool wants_close_ = false;
};

constexpr std::string_view kPortMax = "65535";

bool is_port(std::string_view digits) noexcept {
  return digits.size() < kPortMax.size() ||
         (digits.size() == kPortMax.size() &&
          (digits.front() < kPortMax.front() || digits <= kPortMax));
}

/// An address in brackets, or a name in which a '%' is followed by two digits.
[[gnu::noinline]] bool is_rare_host(std::string_view host) noexcept {
  if (host.front() == '[') {
    const std::string_view inside =
        host.substr(1, host.size() - std::min<std::size_t>(host.size(), 2));
    return host.back() == ']' && !inside.empty() &&
           std::all_of(inside.begin(), inside.end(),
                       [](char c) { return is_host_character(c) || c == ':' || c == '%'; });
  }
  for (; !host.empty(); host.remove_prefix(host.front() == '%' ? 3 : 1)) {
    const bool is_escaped = host.front() == '%' && host.size() >= 3 && hex_value(host[1]) >= 0 &&
                            hex_value(host[2]) >= 0;
    if (!is_escaped && !is_host_character(host.front())) {
      return false;
    }
  }
  return true;
}

bool is_host_without_port(std::string_view host) noexcept {
  return !host.empty() && (is_host_run(host) || is_rare_host(host));
}

}  // namespace

Framing decide_framing(const Fields& fields, Version version) noexcept {
  Framing framing;
  FramingReader reader(framing, version);
  for (const Field& field : fields) {
    reader.read(field);
  }
  reader.finish();
  return framing;
}

bool is_valid_host(std::string_view host) noexcept {
  const std::size_t port_begin = begin_of_last_digits(host);
  if (port_begin == 0 || host[port_begin - 1] != ':') {
    return host.empty() || is_host_without_port(host);
  }
  return is_port(host.substr(port_begin)) && is_host_without_port({host.data(), port_begin - 1});
}

}  // namespace stadion::http
