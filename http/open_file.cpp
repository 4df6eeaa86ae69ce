// SPDX-License-Identifier: MIT
#include "http/open_file.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

// O_NONBLOCK: a FIFO opens without a writer, and is then seen to be none of ours. O_NOCTTY: so does
// a terminal, without becoming the process's.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// As in linux/openat2.h, which older systems lack.
struct OpenHow {
  std::uint64_t flags = 0;
  std::uint64_t mode = 0;
  std::uint64_t resolve = 0;
};
constexpr std::uint64_t kNoMagicLinks = 0x02;
constexpr std::uint64_t kBeneath = 0x08;
constexpr long kOpenat2Number = 437;  // On every architecture.

int open_beneath(int directory, const char* path) noexcept {
  const OpenHow how{.flags = kOpenFlags, .resolve = kBeneath | kNoMagicLinks};
  // EAGAIN: something was renamed while ".." of a link was resolved, so that the kernel could not
  // tell whether it led out.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const long opened = ::syscall(kOpenat2Number, directory, path, &how, sizeof how);
    if (opened >= 0 || (errno != EAGAIN && errno != EINTR)) {
      return static_cast<int>(opened);
    }
  }
  return -1;
}

/// Whether the name is to blame, rather than the state that we are in.
bool means_not_there(int error) noexcept {
  constexpr std::array<int, 12> kErrors{ENOENT, ENOTDIR, ELOOP,  EXDEV,  EACCES,       EPERM,
                                        EINVAL, ENXIO,   EAGAIN, ENODEV, ENAMETOOLONG, EILSEQ};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

/// A first call shows whether the kernel, and what is around this process, has it.
FileRoot::Resolution best_resolution(int directory) noexcept {
  const net::Descriptor opened(open_beneath(directory, "."));
  return opened.is_open() ? FileRoot::Resolution::by_kernel : FileRoot::Resolution::by_segments;
}

bool is_safe_segment(std::string_view segment, bool allows_dotfiles) noexcept {
  return !segment.empty() && segment.size() <= NAME_MAX && segment != "." && segment != ".." &&
         (allows_dotfiles || segment.front() != '.');
}

}  // namespace

OpenFile::OpenFile(net::Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {
  if (descriptor_.is_open() && ::fstat(descriptor_.get(), &status_) != 0) {
    descriptor_.close();
  }
}

void read_file(int file, std::uint64_t offset, std::span<char> room) {
  while (!room.empty()) {
    const ssize_t got = ::pread(file, room.data(), room.size(), static_cast<off_t>(offset));
    if (got == 0) {
      throw std::runtime_error("its file is shorter than announced");
    }
    if (got > 0) {
      room = room.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "its file cannot be read");
    }
  }
}

bool is_safe_path(std::string_view path, bool allows_dotfiles) noexcept {
  // A backslash is no separator here, but it is to what may stand behind a mounted share.
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return false;
  }
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (!is_safe_segment(path.substr(0, slash), allows_dotfiles)) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    path.remove_prefix(slash + 1);
    if (path.empty()) {
      return false;
    }
  }
  return true;
}

FileRoot::FileRoot(const std::string& directory) : FileRoot(directory, Resolution::by_segments) {
  resolution_ = best_resolution(directory_.get());
}

FileRoot::FileRoot(const std::string& directory, Resolution resolution)
    : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      resolution_(resolution) {
  if (!directory_.is_open()) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot serve files from '" + directory + "'");
  }
}

OpenFile FileRoot::open(std::string_view path, Arena& arena) const {
  path = path.empty() ? "." : path;
  const int opened = resolution_ == Resolution::by_kernel
                         ? open_beneath(directory_.get(), TextBuilder(arena).add(path).c_str())
                         : open_by_segments(path, arena);
  if (opened < 0 && !means_not_there(errno)) {
    throw std::system_error(errno, std::generic_category(), "cannot open a file to be served");
  }
  return OpenFile(net::Descriptor(opened));
}

int FileRoot::open_by_segments(std::string_view path, Arena& arena) const {
  net::Descriptor last;
  int directory = directory_.get();
  while (true) {
    const std::size_t slash = path.find('/');
    const bool is_last = slash == std::string_view::npos;
    const std::string_view segment = path.substr(0, slash);
    const int flags = is_last ? kOpenFlags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    const int opened =
        ::openat(directory, TextBuilder(arena).add(segment).c_str(), flags | O_NOFOLLOW);
    if (opened < 0 || is_last) {
      const int error = errno;
      last.close();
      errno = error;
      return opened;
    }
    last = net::Descriptor(opened);
    directory = opened;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace stadion::http
