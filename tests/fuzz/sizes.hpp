// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace stadion::tests {

/// How large the pieces are: '1' to '9' that many bytes, any other character likewise.
class Sizes {
 public:
  explicit Sizes(std::string_view sizes) noexcept : sizes_(sizes) {}

  std::size_t next(std::size_t rest) noexcept {
    if (sizes_.empty()) {
      return rest;
    }
    const auto size = static_cast<unsigned char>(sizes_[at_++ % sizes_.size()] - '0');
    return std::clamp<std::size_t>(size, 1, rest);
  }

 private:
  std::string_view sizes_;
  std::size_t at_ = 0;
};

/// The text in pieces of these sizes.
inline std::vector<std::string_view> pieces_of(std::string_view text, Sizes sizes) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    pieces.push_back(text.substr(0, sizes.next(text.size())));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace stadion::tests
