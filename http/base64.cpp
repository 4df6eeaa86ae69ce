// SPDX-License-Identifier: MIT
#include "http/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace stadion::http {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kPadding = '=';
constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

/// One to three bytes, as the first of 24 bits.
std::uint32_t packed(std::string_view bytes) noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
  }
  return bits;
}

std::size_t padding_of(std::string_view text) noexcept {
  if (text.empty() || text.back() != kPadding) {
    return 0;
  }
  return text[text.size() - 2] == kPadding ? 2 : 1;
}

}  // namespace

std::string_view base64_encode(std::string_view bytes, Arena& arena) {
  const std::size_t size = (bytes.size() + 2) / 3 * 4;
  char* const text = static_cast<char*>(arena.alloc(size, 1));
  char* at = text;
  for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3)) {
    const std::uint32_t bits = packed(bytes);
    *at++ = kAlphabet[bits >> 18];
    *at++ = kAlphabet[bits >> 12 & 0x3F];
    *at++ = bytes.size() > 1 ? kAlphabet[bits >> 6 & 0x3F] : kPadding;
    *at++ = bytes.size() > 2 ? kAlphabet[bits & 0x3F] : kPadding;
  }
  return {text, size};
}

std::optional<std::string_view> base64_decode(std::string_view text, Arena& arena) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  const std::size_t padding = padding_of(text);
  const std::string_view digits = text.substr(0, text.size() - padding);
  const std::size_t size = text.size() / 4 * 3 - padding;
  char* const bytes = static_cast<char*>(arena.alloc(size, 1));
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  char* at = bytes;
  for (const char digit : digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(digit)];
    if (value == kNone) {
      return std::nullopt;
    }
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      *at++ = static_cast<char>(bits >> bit_count & 0xFF);
    }
  }
  const std::uint32_t left_over = bits & ((1U << bit_count) - 1);
  if (left_over != 0) {
    return std::nullopt;
  }
  return std::string_view(bytes, size);
}

}  // namespace stadion::http
