// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/socket.hpp"

namespace stadion::net::detail {

/// One call of the system's sendfile() to a non-blocking socket. Raises no SIGPIPE. Internal to
/// net/.
IoResult send_file_some(int socket, int file, std::uint64_t offset, std::size_t bytes) noexcept;

}  // namespace stadion::net::detail
