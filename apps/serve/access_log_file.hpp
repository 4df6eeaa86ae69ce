// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "http/access_log.hpp"
#include "net/descriptor.hpp"

namespace stadion::serve {

enum class AccessLogFormat { combined, json };

/// A file to which each exchange is appended as a line, in one write: it may be rotated by renaming
/// it and starting anew, and several servers may share it.
///
/// Threads    write() from any.
class AccessLogFile {
 public:
  /// "-" is stdout. Throws std::system_error when the file can't be opened.
  AccessLogFile(const std::string& path, AccessLogFormat format);

  void write(const http::AccessRecord& record) const noexcept;

 private:
  net::Descriptor file_;
  AccessLogFormat format_;
};

}  // namespace stadion::serve
