// SPDX-License-Identifier: MIT
#include "http/request_id.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace stadion::http {
namespace {

constexpr std::array<bool, 256> kIdCharacters = [] {
  std::array<bool, 256> characters{};
  for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "abcdefghijklmnopqrstuvwxyz._~+/=:-")) {
    characters[static_cast<unsigned char>(c)] = true;
  }
  return characters;
}();

RequestIdGenerator::Start random_start() {
  RequestIdGenerator::Start start;
  ssize_t bytes = 0;
  do {
    bytes = ::getrandom(&start, sizeof start, 0);
  } while (bytes < 0 && errno == EINTR);
  if (bytes != static_cast<ssize_t>(sizeof start)) {
    throw std::system_error(errno, std::system_category(), "getrandom for request ids");
  }
  start.prefix |= start.prefix == 0 ? 1 : 0;  // Trace-id must not be all zeros.
  return start;
}

/// SplitMix64's output function (Steele, Lea and Flood): no two numbers become the same.
std::uint64_t mixed(std::uint64_t number) noexcept {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31);
}

char* put_hex(char* at, std::uint64_t number) noexcept {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) {
    *at++ = kHexDigits[(number >> shift) & 0xF];
  }
  return at;
}

}  // namespace

bool is_valid_request_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return kIdCharacters[static_cast<unsigned char>(c)]; });
}

RequestIdGenerator::RequestIdGenerator() : start_(random_start()) {}

std::string_view RequestIdGenerator::next(Arena& arena) {
  char* const id = static_cast<char*>(arena.alloc(kIdBytes, 1));
  put_hex(put_hex(id, start_.prefix), mixed(start_.counter++));
  return {id, kIdBytes};
}

}  // namespace stadion::http
