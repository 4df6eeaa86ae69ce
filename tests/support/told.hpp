// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include "net/socket.hpp"

namespace stadion::tests {

/// Remembers what an operation's completion tells.
struct Told {
  int times = 0;
  std::uint64_t tag = 0;
  std::error_code error;
  std::size_t bytes = 0;

  net::IoCompletion completion(std::uint64_t with_tag = 0) { return {remember, this, with_tag}; }

  static void remember(void* told, std::uint64_t its_tag, std::error_code its_error,
                       std::size_t its_bytes) {
    auto* self = static_cast<Told*>(told);
    *self = {self->times + 1, its_tag, its_error, its_bytes};
  }
};

}  // namespace stadion::tests
