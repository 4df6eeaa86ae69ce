// SPDX-License-Identifier: MIT
#include "http/static_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "http/date.hpp"
#include "http/mime.hpp"
#include "net/descriptor.hpp"

namespace stadion::http {
namespace {

using net::Descriptor;

constexpr std::string_view kIndex = "index.html";

struct File {
  Descriptor descriptor;
  std::uint64_t bytes = 0;
  std::time_t modified = 0;
  std::string_view name;  ///< Its last segment.
};

/// Segments that may not be asked for: hidden files, "." and ".." among them, and what no file
/// system has.
bool is_refused(std::string_view segment) noexcept {
  return segment.empty() || segment.starts_with('.') || segment.size() > NAME_MAX ||
         segment.find('\0') != std::string_view::npos;
}

Descriptor open_in(const Descriptor& directory, std::string_view name, int flags, Arena& arena) {
  char* terminated = static_cast<char*>(arena.alloc(name.size() + 1, 1));
  *std::copy(name.begin(), name.end(), terminated) = '\0';
  return Descriptor(::openat(directory.get(), terminated,
                             flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

std::optional<File> regular_file(Descriptor descriptor, std::string_view name) {
  struct stat status {};
  if (!descriptor.is_open() || ::fstat(descriptor.get(), &status) != 0 ||
      !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return File{.descriptor = std::move(descriptor),
              .bytes = static_cast<std::uint64_t>(status.st_size),
              .modified = status.st_mtime,
              .name = name};
}

// Segment by segment, so that no symbolic link is followed in any of them.
std::optional<File> find_file(const Descriptor& root, std::string_view path, Arena& arena) {
  Descriptor directory(::fcntl(root.get(), F_DUPFD_CLOEXEC, 0));
  while (directory.is_open()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const bool wants_index = path.empty();
    if (!wants_index && is_refused(segment)) {
      return std::nullopt;
    }
    if (wants_index) {
      return regular_file(open_in(directory, kIndex, 0, arena), kIndex);
    }
    if (slash == std::string_view::npos) {
      Descriptor found = open_in(directory, segment, 0, arena);
      if (std::optional<File> file = regular_file(std::move(found), segment)) {
        return file;
      }
      path = {};
    } else {
      path.remove_prefix(slash + 1);
    }
    directory = open_in(directory, segment, O_DIRECTORY, arena);
  }
  return std::nullopt;
}

/// Reads the file into the output buffer. A read error, or a file that has become shorter, shows as
/// a body cut short.
class FileReader {
 public:
  explicit FileReader(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

  bool operator()(BodyWriter& out) {
    const std::span<char> room = out.room();
    const ssize_t bytes = ::read(descriptor_.get(), room.data(), room.size());
    if (bytes < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot read the file");
    }
    out.commit(static_cast<std::size_t>(bytes));
    return bytes > 0;
  }

 private:
  Descriptor descriptor_;
};

}  // namespace

Handler static_files(const std::string& directory) {
  auto root =
      std::make_shared<Descriptor>(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root->is_open()) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot serve files from '" + directory + "'");
  }
  return [root](const Request& request, Response& response) {
    std::optional<File> file = find_file(*root, request.param("path"), request.arena());
    if (!file.has_value()) {
      response.status(Status::not_found).text("There is no such file.\n");
      return;
    }
    response.header("Last-Modified", HttpDate(file->modified).text());
    response.stream(media_type_of(file->name), file->bytes,
                    FileReader(std::move(file->descriptor)));
  };
}

}  // namespace stadion::http
