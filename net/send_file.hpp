// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

namespace stadion::net::detail {

struct SendFileResult {
  std::error_code error;
  std::size_t bytes = 0;

  /// Nothing could be sent because the socket's buffer is full.
  bool would_block() const noexcept;
};

/// One call of the system's sendfile() to a non-blocking socket. Raises no SIGPIPE. Internal to
/// net/.
SendFileResult send_file_some(int socket, int file, std::uint64_t offset,
                              std::size_t bytes) noexcept;

}  // namespace stadion::net::detail
