// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "net/descriptor.hpp"

/// Internal to http/.
namespace stadion::http {

/// A file or directory that was found and opened for reading, or neither.
class OpenFile {
 public:
  OpenFile() noexcept = default;
  explicit OpenFile(net::Descriptor descriptor) noexcept;

  bool is_regular() const noexcept { return descriptor_.is_open() && S_ISREG(status_.st_mode); }
  bool is_directory() const noexcept { return descriptor_.is_open() && S_ISDIR(status_.st_mode); }
  std::uint64_t bytes() const noexcept { return static_cast<std::uint64_t>(status_.st_size); }
  const struct stat& status() const noexcept { return status_; }
  net::Descriptor& descriptor() noexcept { return descriptor_; }

 private:
  net::Descriptor descriptor_;
  struct stat status_ {};
};

/// Fills `room` with the file's bytes from `offset` on.
/// Throws std::runtime_error when there are fewer, std::system_error when they cannot be read.
void read_file(int file, std::uint64_t offset, std::span<char> room);

/// Whether a name from outside may be looked for: relative, without empty segments, "." and "..",
/// backslashes and NUL; with `allows_dotfiles` false, without any name that begins with a dot. The
/// empty name, of the root itself, may.
bool is_safe_path(std::string_view path, bool allows_dotfiles) noexcept;

/// The directory beneath which files are looked for, and never outside of it.
///
/// A symbolic link is followed when all that it leads through is beneath the root: the kernel
/// resolves the whole name in one call (openat2 with RESOLVE_BENEATH), so that nobody who renames a
/// directory meanwhile can lead it astray. An absolute link always leads out, as does one of those
/// in /proc. Without that call (before Linux 5.6, and in some sandboxes) a link could only be
/// checked before it is followed, and be another by then: none is followed there.
///
/// Throws     std::system_error when the directory cannot be opened.
/// Threads    open() from any.
class FileRoot {
 public:
  enum class Resolution : std::uint8_t { by_kernel, by_segments };

  explicit FileRoot(const std::string& directory);
  /// As on a system that has no other.
  FileRoot(const std::string& directory, Resolution resolution);

  Resolution resolution() const noexcept { return resolution_; }

  /// The regular file or directory of that name; closed when there is none that may be read. Never
  /// waits for the other end of a FIFO. Requires is_safe_path().
  /// Throws std::system_error where it is not the name that is to blame: out of descriptors.
  OpenFile open(std::string_view path, Arena& arena) const;

 private:
  int open_by_segments(std::string_view path, Arena& arena) const;

  net::Descriptor directory_;
  Resolution resolution_;
};

}  // namespace stadion::http
