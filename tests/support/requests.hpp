// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stadion::tests {

inline std::string get_request(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n";
}

/// Of a POST whose body has this length; `fields` are whole lines.
inline std::string post_head(std::string_view target, std::size_t body_bytes,
                             std::string_view fields = {}) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n" +
         std::string(fields) + "\r\n";
}

inline std::string post_request(std::string_view target, std::string_view body) {
  return post_head(target, body.size()) + std::string(body);
}

/// Of a POST whose body comes in chunks.
inline std::string chunked_head(std::string_view target) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
}

}  // namespace stadion::tests
