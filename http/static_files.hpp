// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "http/router.hpp"

namespace stadion::http {

/// A handler that serves the files under a directory, for a route whose `{*path}` names the file:
///
///     server.get("/static/{*path}", static_files("/srv/www"));
///
/// A directory is answered with its index.html. What is not a regular file, a name that begins with
/// a dot, "..", and a symbolic link anywhere below the directory are answered with 404: nothing
/// outside the directory can be reached. Files are sent piece by piece as they stand when they are
/// opened; the client is told Last-Modified.
///
/// Throws     std::system_error when the directory cannot be opened.
Handler static_files(const std::string& directory);

}  // namespace stadion::http
