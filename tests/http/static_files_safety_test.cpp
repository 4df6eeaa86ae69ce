// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "http/open_file.hpp"
#include "http/static_files.hpp"
#include "net/descriptor.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/site.hpp"

namespace stadion::http {
namespace {

using tests::file_request;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;
using tests::Site;

TEST_CASE_FIXTURE(LiveArenas, "static files: nothing outside the directory can be reached") {
  const Site site;
  RunningServer server(site.served());
  for (const std::string& path : {std::string("../secret.txt"),
                                  std::string("sub/../../secret.txt"),
                                  std::string(".."),
                                  std::string("../"),
                                  std::string("."),
                                  std::string("./hello.txt"),
                                  std::string("sub/./index.html"),
                                  std::string("sub/../hello.txt"),
                                  std::string("%2e%2e/secret.txt"),
                                  std::string("%2E%2E%2Fsecret.txt"),
                                  std::string("..%2Fsecret.txt"),
                                  std::string("..%2fsecret.txt"),
                                  std::string("sub%2F..%2F..%2Fsecret.txt"),
                                  std::string("%2e/hello.txt"),
                                  std::string("..%5Csecret.txt"),
                                  std::string("..\\secret.txt"),
                                  std::string("....//secret.txt"),
                                  std::string("%252e%252e/secret.txt"),
                                  std::string("%c0%ae%c0%ae/secret.txt"),
                                  std::string("..;/secret.txt"),
                                  std::string("/hello.txt"),
                                  "/" + site.path("secret.txt"),
                                  site.path("secret.txt"),
                                  std::string("%2Fetc%2Fpasswd"),
                                  std::string("/etc/passwd"),
                                  std::string("sub//index.html"),
                                  std::string("hello.txt/"),
                                  std::string("hello.txt/.."),
                                  std::string("hello.txt/index.html"),
                                  std::string(".hidden"),
                                  std::string("%2ehidden"),
                                  std::string(".git/config"),
                                  std::string("missing"),
                                  std::string("sub/missing"),
                                  std::string("HELLO.TXT"),
                                  std::string("sub\\deep\\page.css"),
                                  std::string("sub%5Cindex.html"),
                                  std::string("/"),
                                  std::string("//"),
                                  std::string("sub//"),
                                  std::string("%2F"),
                                  std::string("%2F%2F"),
                                  std::string("%2e%2e%2f"),
                                  std::string("sub/deep/../../../secret.txt"),
                                  std::string("sub/%2e%2e/%2e%2e/secret.txt"),
                                  std::string("..%252fsecret.txt"),
                                  std::string(".%2e/secret.txt"),
                                  std::string("..."),
                                  std::string("~root"),
                                  std::string("C:/secret.txt"),
                                  std::string("hello.txt::$DATA"),
                                  std::string("hello.txt%20"),
                                  std::string("hello.txt."),
                                  std::string(255, 'n'),
                                  std::string(256, 'n'),
                                  std::string(5000, 'n')}) {
    CAPTURE(path);
    const HttpResponse response = server.exchange(file_request(path));
    CHECK(response.is_complete);
    CHECK(response.status == 404);
    CHECK(response.body.find("secret") == std::string::npos);
  }
  // NUL would end the name early where the system reads it; its escape is refused before.
  CHECK(server.exchange(file_request("hello.txt%00.png")).status == 400);
  CHECK(server.exchange(file_request("%00")).status == 400);
}

/// Links of all kinds into the site, and out of it.
void add_links(const Site& site) {
  namespace fs = std::filesystem;
  fs::create_symlink(site.path("secret.txt"), site.path("www/absolute_out.txt"));
  fs::create_symlink("../secret.txt", site.path("www/out.txt"));
  fs::create_symlink("sub/../../secret.txt", site.path("www/out_by_sub.txt"));
  fs::create_symlink("../www/hello.txt", site.path("www/out_and_in.txt"));
  fs::create_symlink(site.path("www/hello.txt"), site.path("www/absolute_in.txt"));
  fs::create_directory_symlink("..", site.path("www/up"));
  fs::create_directory_symlink(site.path(""), site.path("www/absolute_up"));
  fs::create_symlink("../../secret.txt", site.path("www/no_index/index.html"));
  fs::create_symlink("nowhere", site.path("www/dangling"));
  fs::create_symlink("loop_2", site.path("www/loop"));
  fs::create_symlink("loop", site.path("www/loop_2"));
  fs::create_symlink("itself/x", site.path("www/itself"));
  fs::create_symlink("/proc/self/root/etc/passwd", site.path("www/magic"));
  fs::create_symlink("/proc/self/cwd", site.path("www/magic_folder"));
  fs::create_symlink("hello.txt", site.path("www/inner.txt"));
  fs::create_directory_symlink("sub", site.path("www/inner"));
  fs::create_symlink("../hello.txt", site.path("www/sub/back.txt"));
}

const std::vector<std::string> kLinksOut{
    "absolute_out.txt",
    "out.txt",
    "out_by_sub.txt",
    "out_and_in.txt",
    "absolute_in.txt",
    "up",
    "up/",
    "up/secret.txt",
    "up/www/hello.txt",
    "absolute_up",
    "absolute_up/secret.txt",
    "no_index/",
    "no_index",
    "no_index/index.html",
    "dangling",
    "loop",
    "loop/",
    "loop/x",
    "itself",
    "magic",
    "magic_folder/",
    "magic_folder/CMakeCache.txt",
};
/// With what they lead to.
const std::vector<std::pair<std::string, std::string>> kLinksIn{
    {"inner.txt", "hello\n"},
    {"inner/", "<p>sub index</p>"},
    {"inner/index.html", "<p>sub index</p>"},
    {"inner/deep/page.css", "p {}"},
    {"sub/back.txt", "hello\n"},
};

TEST_CASE_FIXTURE(LiveArenas, "static files: a symbolic link is followed only as far as the root") {
  const Site site;
  add_links(site);
  RunningServer server(site.served());
  for (const std::string& name : kLinksOut) {
    CAPTURE(name);
    CHECK(server.exchange(file_request(name)).status == 404);
  }
  const FileRoot root(site.path("www"));
  for (const auto& link : kLinksIn) {
    CAPTURE(link.first);
    const auto& [name, text] = link;
    const HttpResponse response = server.exchange(file_request(name));
    if (root.resolution() == FileRoot::Resolution::by_kernel) {
      CHECK(response.status == 200);
      CHECK(response.body == text);
    } else {
      CHECK(response.status == 404);
    }
  }
}

TEST_CASE("file root: without the kernel's help no link is followed, in any segment") {
  const Site site;
  add_links(site);
  const FileRoot root(site.path("www"), FileRoot::Resolution::by_segments);
  Arena arena;
  for (std::string name : kLinksOut) {
    CAPTURE(name);
    name.erase(name.find_last_not_of('/') + 1);
    const OpenFile file = root.open(name, arena);
    CHECK_FALSE(file.is_regular());
    CHECK((!file.is_directory() || name == "no_index"));
  }
  for (std::string name : {"inner.txt", "inner", "inner/index.html", "sub/back.txt"}) {
    CAPTURE(name);
    CHECK_FALSE(root.open(name, arena).is_regular());
    CHECK_FALSE(root.open(name, arena).is_directory());
  }
  CHECK(root.open("hello.txt", arena).bytes() == 6);
  CHECK(root.open("sub/deep/page.css", arena).is_regular());
  CHECK(root.open("sub/deep", arena).is_directory());
  CHECK(root.open("", arena).is_directory());
  CHECK_FALSE(root.open("missing", arena).is_regular());
  CHECK_FALSE(root.open("missing/x", arena).is_regular());
  CHECK_FALSE(root.open("hello.txt/x", arena).is_regular());
}

TEST_CASE("file root: both ways find the same files, and refuse the same names") {
  const Site site;
  Arena arena;
  REQUIRE(::mkfifo(site.path("www/fifo").c_str(), 0600) == 0);
  const FileRoot by_kernel(site.path("www"));
  const FileRoot by_segments(site.path("www"), FileRoot::Resolution::by_segments);
  for (const std::string name : {"hello.txt", "sub", "sub/index.html", "", "fifo", "missing",
                                 "fifo/x", "sub/missing", "sub/deep/page.css"}) {
    CAPTURE(name);
    const OpenFile left = by_kernel.open(name, arena);
    const OpenFile right = by_segments.open(name, arena);
    CHECK(left.is_regular() == right.is_regular());
    CHECK(left.is_directory() == right.is_directory());
    CHECK((!left.is_regular() || left.status().st_ino == right.status().st_ino));
  }
  const std::string long_path = [] {
    std::string path;
    while (path.size() < 5000) {
      path += "long/";
    }
    return path + "x";
  }();
  CHECK_FALSE(by_kernel.open(long_path, arena).is_regular());
  CHECK_FALSE(by_segments.open(long_path, arena).is_regular());
}

TEST_CASE("file root: a name is safe or not, segment by segment") {
  for (const std::string_view path : {"", "a", "a/b", "a.b", "a..b", "a/b..", "~", "a b"}) {
    CAPTURE(path);
    CHECK(is_safe_path(path, false));
  }
  for (const std::string_view path :
       {"/", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "a/../b", "./a", "a\\b", "\\"}) {
    CAPTURE(path);
    CHECK_FALSE(is_safe_path(path, true));
  }
  for (const std::string_view path : {".a", "a/.b", ".a/b", "...", "..a"}) {
    CAPTURE(path);
    CHECK_FALSE(is_safe_path(path, false));
    CHECK(is_safe_path(path, true));
  }
  CHECK_FALSE(is_safe_path(std::string_view("a\0b", 3), true));
  CHECK(is_safe_path(std::string(254, 'n'), false));
  CHECK(is_safe_path(std::string(255, 'n'), false));
  CHECK_FALSE(is_safe_path(std::string(256, 'n'), false));
}

/// A socket in the file system, as long as it lives.
net::Descriptor listen_at(const std::string& path) {
  net::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: what is no regular file is not there, and nothing waits") {
  const Site site;
  REQUIRE(::mkfifo(site.path("www/fifo").c_str(), 0600) == 0);
  REQUIRE(::mkfifo(site.path("www/sub/deep/index.html").c_str(), 0600) == 0);
  REQUIRE(::mkfifo(site.path("www/hello.txt.gz").c_str(), 0600) == 0);
  const net::Descriptor socket = listen_at(site.path("www/socket"));
  RunningServer server(site.served());
  for (const std::string name : {"fifo", "fifo/", "sub/deep/", "sub/deep", "socket", "socket/"}) {
    CAPTURE(name);
    CHECK(server.exchange(file_request(name)).status == 404);
  }
  CHECK(server.exchange(file_request("hello.txt", {"Accept-Encoding: gzip"})).body == "hello\n");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a device is not there") {
  if (::geteuid() != 0) {
    return;  // Only root makes one.
  }
  const Site site;
  if (::mknod(site.path("www/zero").c_str(), S_IFCHR | 0666, makedev(1, 5)) != 0) {
    return;  // Nor does every sandbox let it.
  }
  RunningServer server(site.served());
  CHECK(server.exchange(file_request("zero")).status == 404);
}

/// Has this thread reach for files as nobody in particular, where it is root's otherwise.
class AsNobody {
 public:
  AsNobody() noexcept { ::setfsuid(65534); }
  ~AsNobody() { ::setfsuid(::geteuid()); }

  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

TEST_CASE("file root: what may not be read is not there") {
  const Site site;
  const auto allow = [&site](std::string_view name, mode_t mode) {
    REQUIRE(::chmod(site.path(name).c_str(), mode) == 0);
  };
  allow("www", 0755);
  allow("www/sub", 0755);
  allow("www/hello.txt", 0);
  allow("www/empty", 0644);
  allow("www/sub/deep", 0);
  {
    const FileRoot by_kernel(site.path("www"));
    const FileRoot by_segments(site.path("www"), FileRoot::Resolution::by_segments);
    Arena arena;
    const AsNobody nobody;
    for (const FileRoot* root : {&by_kernel, &by_segments}) {
      CHECK(root->open("empty", arena).is_regular());
      CHECK_FALSE(root->open("hello.txt", arena).is_regular());
      CHECK_FALSE(root->open("sub/deep", arena).is_directory());
      CHECK_FALSE(root->open("sub/deep/page.css", arena).is_regular());
    }
  }
  allow("www/sub/deep", 0755);
}

#ifndef __SANITIZE_ADDRESS__  // The sanitizers look at an exception's type by way of a pipe.
TEST_CASE("file root: without a free descriptor the name is not said to be missing") {
  const Site site;
  const FileRoot by_kernel(site.path("www"));
  const FileRoot by_segments(site.path("www"), FileRoot::Resolution::by_segments);
  Arena arena;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK_THROWS_AS((void)by_kernel.open("hello.txt", arena), std::system_error);
  CHECK_THROWS_AS((void)by_segments.open("hello.txt", arena), std::system_error);
  CHECK_THROWS_AS((void)by_segments.open("sub/index.html", arena), std::system_error);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(by_kernel.open("hello.txt", arena).is_regular());
}
#endif

TEST_CASE_FIXTURE(LiveArenas, "static files: dotfiles are there when asked for, but never '..'") {
  const Site site;
  RunningServer server(site.served({.show_dotfiles = true}));
  CHECK(server.exchange(file_request(".hidden")).body == "hidden");
  CHECK(server.exchange(file_request(".git/config")).body == "hidden");
  for (const std::string name :
       {"..", "../secret.txt", "%2e%2e/secret.txt", "sub/..", "sub/../hello.txt", "./hello.txt",
        "sub/%2e%2e/%2e%2e/secret.txt", "..\\secret.txt", "."}) {
    CAPTURE(name);
    CHECK(server.exchange(file_request(name)).status == 404);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a precompressed file that leads out is not taken") {
  const Site site;
  std::filesystem::create_symlink("../secret.txt", site.path("www/hello.txt.gz"));
  site.set_time("www/hello.txt", 1'000'000'000);
  RunningServer server(site.served());
  const HttpResponse response =
      server.exchange(file_request("hello.txt", {"Accept-Encoding: gzip"}));
  CHECK(response.body == "hello\n");
  CHECK_FALSE(response.field("Content-Encoding").has_value());
}

}  // namespace
}  // namespace stadion::http
