// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "http/characters.hpp"

/// Where a run of characters of one kind ends. Most of a message's bytes are in such runs, so they
/// are looked at 16 at a time where the processor can. Internal to http/.
namespace stadion::http {

namespace detail {

struct FieldValueRun {
  static constexpr bool contains(char c) noexcept { return is_field_value_character(c); }
#ifdef __SSE2__
  /// 0xFF for each byte that is not contained.
  static __m128i outside(__m128i bytes) noexcept {
    const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i is_tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i is_delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    return _mm_or_si128(_mm_andnot_si128(is_tab, is_low), is_delete);
  }
#endif
};

struct RequestLinePartRun {
  static constexpr bool contains(char c) noexcept {
    return c != ' ' && is_request_line_character(c);
  }
#ifdef __SSE2__
  // Compared as signed numbers: those from 0x80 on are below any other.
  static __m128i outside(__m128i bytes) noexcept {
    const __m128i is_low_or_8_bit = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ' + 1));
    const __m128i is_delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    const __m128i is_hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
    return _mm_or_si128(is_low_or_8_bit, _mm_or_si128(is_delete, is_hash));
  }
#endif
};

/// The path of a target that is followed by a space.
struct PathRun {
  static constexpr bool contains(char c) noexcept { return c != '?' && c != ' '; }
#ifdef __SSE2__
  static __m128i outside(__m128i bytes) noexcept {
    return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('?')),
                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
  }
#endif
};

#ifdef __SSE2__
/// 0xFF for each byte from `first` to `last`: moved to the lowest number there is, it is below the
/// range's size.
inline __m128i within(__m128i bytes, char first, char last) noexcept {
  const __m128i from_lowest = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(first + 128)));
  return _mm_cmplt_epi8(from_lowest, _mm_set1_epi8(static_cast<char>(last - first + 1 - 128)));
}
inline __m128i is_letter(__m128i bytes) noexcept {
  return within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
}
#endif
constexpr bool is_letter(char c) noexcept { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

/// Of a token's characters those that nearly all names are made of.
struct PlainNameRun {
  static constexpr bool contains(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '-';
  }
#ifdef __SSE2__
  static __m128i outside(__m128i bytes) noexcept {
    const __m128i is_hyphen = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
    const __m128i inside =
        _mm_or_si128(is_letter(bytes), _mm_or_si128(within(bytes, '0', '9'), is_hyphen));
    return _mm_cmpeq_epi8(inside, _mm_setzero_si128());
  }
#endif
};

/// Of a host's characters those that nearly all are made of.
struct PlainHostRun {
  static constexpr bool contains(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.';
  }
#ifdef __SSE2__
  static __m128i outside(__m128i bytes) noexcept {
    const __m128i inside = _mm_or_si128(
        is_letter(bytes), _mm_or_si128(within(bytes, '0', '9'), within(bytes, '-', '.')));
    return _mm_cmpeq_epi8(inside, _mm_setzero_si128());
  }
#endif
};

#ifdef __SSE2__
inline constexpr std::size_t kStep = sizeof(__m128i);

/// One bit for each of the 16 bytes from there on that is not in the run.
template <class Run>
unsigned outside_at(const char* at) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return static_cast<unsigned>(_mm_movemask_epi8(Run::outside(bytes)));
}
#endif

template <class Run>
[[gnu::noinline]] std::size_t end_of_long_run(std::string_view text, std::size_t at) noexcept {
#ifdef __SSE2__
  for (; text.size() - at >= kStep; at += kStep) {
    if (const unsigned outside = outside_at<Run>(text.data() + at); outside != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(outside));
    }
  }
#endif
  while (at < text.size() && Run::contains(text[at])) {
    ++at;
  }
  return at;
}

/// Most runs end within the first step, which is therefore where it is needed, not behind a call.
template <class Run>
[[gnu::always_inline]] inline std::size_t end_of_run(std::string_view text,
                                                     std::size_t at) noexcept {
#ifdef __SSE2__
  if (text.size() - at >= kStep) {
    if (const unsigned outside = outside_at<Run>(text.data() + at); outside != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(outside));
    }
    at += kStep;
  }
#endif
  return end_of_long_run<Run>(text, at);
}

#ifdef __SSE2__
/// 8 to 15 bytes, some of them twice: for whom their order does not matter.
inline __m128i both_ends(std::string_view text) noexcept {
  const auto* end = text.data() + text.size() - 8;
  return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(text.data())),
                            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(end)));
}
#endif

template <class Run>
bool is_run(std::string_view text) noexcept {
#ifdef __SSE2__
  if (text.size() >= kStep) {
    const auto outside = [](const char* at) {
      return Run::outside(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    };
    // The last step looks again at what the one before has seen, so that nothing is left over.
    const char* const last = text.data() + text.size() - kStep;
    __m128i found = outside(last);
    for (const char* at = text.data(); at < last; at += kStep) {
      found = _mm_or_si128(found, outside(at));
    }
    return _mm_movemask_epi8(found) == 0;
  }
  if (text.size() >= 8) {
    return _mm_movemask_epi8(Run::outside(both_ends(text))) == 0;
  }
#endif
  return std::all_of(text.begin(), text.end(), Run::contains);
}

}  // namespace detail

/// Whether all of the text may be in a field value.
inline bool is_field_value_run(std::string_view text) noexcept {
  return detail::is_run<detail::FieldValueRun>(text);
}
/// Whether all of the text may be, unescaped, in a host without its port.
inline bool is_host_run(std::string_view text) noexcept {
  return detail::is_run<detail::PlainHostRun>(text) ||
         std::all_of(text.begin(), text.end(), is_host_character);
}
/// Where the digits begin that the text ends with; the text's end where it ends with none.
inline std::size_t begin_of_last_digits(std::string_view text) noexcept {
  std::size_t begin = text.size();
#ifdef __SSE2__
  constexpr std::size_t kHalfStep = detail::kStep / 2;
  if (begin >= kHalfStep) {
    begin -= kHalfStep;
    const auto* end = reinterpret_cast<const __m128i*>(text.data() + begin);
    const int digits = _mm_movemask_epi8(detail::within(_mm_loadl_epi64(end), '0', '9'));
    if (const unsigned others = ~static_cast<unsigned>(digits) & 0xFF; others != 0) {
      return begin + static_cast<std::size_t>(std::bit_width(others));
    }
  }
#endif
  while (begin > 0 && is_digit(text[begin - 1])) {
    --begin;
  }
  return begin;
}
/// The first position from `at` on, which is at most the text's end, of what may not be in a field
/// value; the text's end where there is none.
inline std::size_t end_of_field_value(std::string_view text, std::size_t at) noexcept {
  return detail::end_of_run<detail::FieldValueRun>(text, at);
}
/// The same for what is between a request line's spaces.
inline std::size_t end_of_request_line_part(std::string_view text, std::size_t at) noexcept {
  return detail::end_of_run<detail::RequestLinePartRun>(text, at);
}
/// The same for what is before a query, or the space behind a target.
inline std::size_t end_of_path(std::string_view text, std::size_t at) noexcept {
  return detail::end_of_run<detail::PathRun>(text, at);
}
/// The same for a token.
inline std::size_t end_of_token(std::string_view text, std::size_t at) noexcept {
  at = detail::end_of_run<detail::PlainNameRun>(text, at);
  while (at < text.size() && is_token_character(text[at])) {  // '_', say.
    at = detail::end_of_run<detail::PlainNameRun>(text, at + 1);
  }
  return at;
}

}  // namespace stadion::http
