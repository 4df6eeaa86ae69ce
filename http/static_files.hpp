// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "http/handler.hpp"
#include "http/router.hpp"

namespace stadion::http {

struct StaticFilesOptions {
  /// The file that stands for its directory; none when empty. Default is "index.html".
  std::string index = "index.html";
  /// Whether a directory without that file is answered with a list of what is in it, of 1000
  /// entries at most. Default is false.
  bool listing = false;
  /// Whether what begins with a dot can be had. Default is false.
  bool show_dotfiles = false;
  /// Whether, for "app.js", app.js.br, app.js.zst or app.js.gz is sent to who accepts it, where
  /// there is one that is not older. Default is true.
  bool precompressed = true;
  /// The Cache-Control field of every file: "public, max-age=3600". Default is none.
  std::string cache_control{};
  /// Whether browsers are told to save the file rather than show it. Default is false.
  bool attachment = false;
};

/// A handler that serves the files under a directory, for a route whose `{*path}` names the file:
///
///     server.get("/static/{*path}", static_files("/srv/www"));
///
/// Only GET and HEAD, with conditions (ETag, Last-Modified) and ranges; files go out by sendfile. A
/// directory is answered with its index, at a URL with a slash at its end: one without is
/// redirected there.
///
/// Nothing outside of the directory can be reached. A symbolic link is followed as long as all of
/// its way is inside, where the kernel can tell (see FileRoot), and never by an absolute target.
/// What is neither a regular file nor a directory, and what may not be read, is answered with 404,
/// as what is not there: nobody needs to be told which of these it is.
///
/// A file is sent as it stands when it is opened. Replace files by renaming others over them: one
/// that gets shorter while it is sent cuts the connection.
///
/// Throws     std::system_error when the directory cannot be opened; std::invalid_argument for a
///            cache_control that no field may have.
/// Source     RFC 9110 sections 8.8, 12.5.3, 13 and 14.
Handler static_files(const std::string& directory, StaticFilesOptions options = {});

}  // namespace stadion::http
