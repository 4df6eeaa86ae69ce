// SPDX-License-Identifier: MIT
#include "apps/serve/access_log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace stadion::serve {
namespace {

int open_log(const std::string& path) {
  constexpr mode_t kMode = 0640;
  return path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                     : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
}

}  // namespace

AccessLogFile::AccessLogFile(const std::string& path, AccessLogFormat format)
    : file_(open_log(path)), format_(format) {
  if (!file_.is_open()) {
    throw std::system_error(errno, std::generic_category(), "cannot open the access log " + path);
  }
}

void AccessLogFile::write(const http::AccessRecord& record) const noexcept {
  http::AccessLine line;
  std::string_view text = format_ == AccessLogFormat::json ? http::format_json(record, line)
                                                           : http::format_combined(record, line);
  // A full disk must not end the server, and there is nobody to tell.
  while (!text.empty()) {
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written <= 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

}  // namespace stadion::serve
