// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "net/descriptor.hpp"

namespace stadion::tests {

/// An open file without a name, which goes when it is closed.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string path = (std::filesystem::temp_directory_path() / "stadion-XXXXXX").string();
    descriptor_ = net::Descriptor(::mkostemp(path.data(), O_CLOEXEC));
    REQUIRE(descriptor_.is_open());
    ::unlink(path.c_str());
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_.get(), content.data(), content.size());
      REQUIRE(written > 0);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  int descriptor() const noexcept { return descriptor_.get(); }
  /// Cuts it, or extends it by zeros.
  void resize(std::size_t bytes) const {
    REQUIRE(::ftruncate(descriptor_.get(), static_cast<off_t>(bytes)) == 0);
  }

 private:
  net::Descriptor descriptor_;
};

}  // namespace stadion::tests
