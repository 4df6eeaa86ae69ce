// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "http/server.hpp"
#include "http/static_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::tests {

/// A folder with files, of which those in "www" are served, and one beside it that must never be.
class Site {
 public:
  Site() {
    for (const std::string_view folder : {"www/sub/deep", "www/.git", "www/no_index"}) {
      std::filesystem::create_directories(path(folder));
    }
    write("secret.txt", "the secret");
    write("www/hello.txt", "hello\n");
    write("www/index.html", "<p>root index</p>");
    write("www/sub/index.html", "<p>sub index</p>");
    write("www/sub/deep/page.css", "p {}");
    write("www/empty", "");
    write("www/.hidden", "hidden");
    write("www/a b.txt", "with a space");
    write("www/.git/config", "hidden");
  }

  std::string path(std::string_view name) const { return folder_.path(name); }
  void write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  void set_time(std::string_view name, std::time_t modified) const {
    const timespec times[2]{{.tv_sec = modified, .tv_nsec = 0}, {.tv_sec = modified, .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, path(name).c_str(), times, 0) == 0);
  }
  std::time_t time(std::string_view name) const {
    struct stat status {};
    REQUIRE(::stat(path(name).c_str(), &status) == 0);
    return status.st_mtime;
  }

  /// Sets up a server with the files under /static/.
  auto served(http::StaticFilesOptions options = {}) const {
    return [directory = path("www"), options = std::move(options)](http::Server& server) {
      server.get("/static/{*path}", http::static_files(directory, options));
    };
  }

 private:
  TemporaryFolder folder_;
};

/// A request of the static file; the fields without their line ends.
inline std::string file_request(std::string_view name,
                                std::initializer_list<std::string_view> fields = {},
                                std::string_view method = "GET") {
  std::string request = std::string(method) + " /static/" + std::string(name) + " HTTP/1.1\r\n";
  for (const std::string_view field : fields) {
    request.append(field).append("\r\n");
  }
  return request + "Host: t\r\n\r\n";
}

}  // namespace stadion::tests
