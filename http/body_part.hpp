// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace stadion::http {

/// A stretch of a response's body: bytes in memory, or of a file.
///
/// Lifetime   The bytes, or the open file, stay until the request's arena is disposed.
struct BodyPart {
  std::string_view bytes{};  ///< When there is no file.
  int file = -1;             ///< A descriptor of a regular file, open for reading.
  std::uint64_t offset = 0;  ///< Where in the file it begins.
  std::uint64_t file_bytes = 0;

  std::uint64_t size() const noexcept { return file >= 0 ? file_bytes : bytes.size(); }
};

}  // namespace stadion::http
