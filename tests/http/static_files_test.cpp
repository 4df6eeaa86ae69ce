// SPDX-License-Identifier: MIT
#include "http/static_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "http/date.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RecordedLog;
using tests::RunningServer;
using tests::TemporaryFolder;

/// A folder with files, of which those in "www" are served, and one beside it that must never be.
class Site {
 public:
  Site() {
    std::filesystem::create_directories(folder_.path("www/sub/deep"));
    write("secret.txt", "the secret");
    write("www/hello.txt", "hello\n");
    write("www/index.html", "<p>root index</p>");
    write("www/sub/index.html", "<p>sub index</p>");
    write("www/sub/deep/page.css", "p {}");
    write("www/empty", "");
    write("www/.hidden", "hidden");
    write("www/a b.txt", "with a space");
    std::filesystem::create_directories(folder_.path("www/.git"));
    write("www/.git/config", "hidden");
    std::filesystem::create_directories(folder_.path("www/no_index"));
  }

  void write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string path(std::string_view name) const { return folder_.path(name); }

  void operator()(Server& server) const {
    server.get("/static/{*path}", static_files(path("www")));
  }

 private:
  TemporaryFolder folder_;
};

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n";
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a file is sent with type, length and Last-Modified") {
  const Site site;
  RunningServer server(site);
  const HttpResponse response = server.exchange(get("/static/hello.txt"));
  CHECK(response.status == 200);
  CHECK(response.body == "hello\n");
  CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(response.field("Content-Length") == "6");
  struct stat status {};
  REQUIRE(::stat(site.path("www/hello.txt").c_str(), &status) == 0);
  CHECK(response.field("Last-Modified") == HttpDate(status.st_mtime).text());

  CHECK(server.exchange(get("/static/sub/deep/page.css")).body == "p {}");
  CHECK(server.exchange(get("/static/sub/deep/page.css")).field("Content-Type") ==
        "text/css; charset=utf-8");
  CHECK(server.exchange(get("/static/a%20b.txt?query")).body == "with a space");
  CHECK(server.exchange(get("/static/sub%2Fdeep%2Fpage.css")).body == "p {}");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: an empty file, and HEAD") {
  const Site site;
  RunningServer server(site);
  HttpClient client = server.connect();
  const HttpResponse empty = client.exchange(get("/static/empty"));
  CHECK(empty.status == 200);
  CHECK(empty.field("Content-Length") == "0");
  CHECK(empty.field("Content-Type") == "application/octet-stream");
  const HttpResponse head = client.exchange("HEAD /static/hello.txt HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == "6");
  CHECK(client.exchange(get("/static/hello.txt")).body == "hello\n");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a directory is answered with its index.html") {
  const Site site;
  RunningServer server(site);
  CHECK(server.exchange(get("/static/")).body == "<p>root index</p>");
  CHECK(server.exchange(get("/static/sub/")).body == "<p>sub index</p>");
  CHECK(server.exchange(get("/static/sub")).body == "<p>sub index</p>");
  CHECK(server.exchange(get("/static/")).field("Content-Type") == "text/html; charset=utf-8");
  CHECK(server.exchange(get("/static/no_index")).status == 404);
  CHECK(server.exchange(get("/static/no_index/")).status == 404);
  CHECK(server.exchange(get("/static/sub/deep/")).status == 404);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: nothing outside the directory can be reached") {
  const Site site;
  RunningServer server(site);
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
                                  std::string(255, 'n'),
                                  std::string(256, 'n'),
                                  std::string(5000, 'n')}) {
    CAPTURE(path);
    const HttpResponse response = server.exchange(get("/static/" + path));
    CHECK(response.is_complete);
    CHECK(response.status == 404);
    CHECK(response.body.find("secret") == std::string::npos);
  }
  // NUL would end the name early where the system reads it; its escape is refused before.
  CHECK(server.exchange(get("/static/hello.txt%00.png")).status == 400);
  CHECK(server.exchange(get("/static/%00")).status == 400);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: symbolic links are not followed, in any segment") {
  const Site site;
  std::filesystem::create_symlink(site.path("secret.txt"), site.path("www/link.txt"));
  std::filesystem::create_symlink("hello.txt", site.path("www/inner.txt"));
  std::filesystem::create_directory_symlink(site.path(""), site.path("www/up"));
  std::filesystem::create_directory_symlink("sub", site.path("www/inner"));
  std::filesystem::create_symlink(site.path("secret.txt"), site.path("www/no_index/index.html"));
  std::filesystem::create_symlink("nowhere", site.path("www/dangling"));
  RunningServer server(site);
  for (const std::string path : {"link.txt", "inner.txt", "up", "up/", "up/secret.txt", "inner",
                                 "inner/index.html", "no_index/", "dangling"}) {
    CAPTURE(path);
    CHECK(server.exchange(get("/static/" + path)).status == 404);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: what is no regular file is not there, and nothing waits") {
  const Site site;
  REQUIRE(::mkfifo(site.path("www/fifo").c_str(), 0600) == 0);
  RunningServer server(site);
  CHECK(server.exchange(get("/static/fifo")).status == 404);
  CHECK(server.exchange(get("/static/fifo/")).status == 404);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a file that may not be read is not there") {
  if (::geteuid() == 0) {
    return;  // Nothing is forbidden to root.
  }
  const Site site;
  std::filesystem::permissions(site.path("www/hello.txt"), std::filesystem::perms::none);
  RunningServer server(site);
  CHECK(server.exchange(get("/static/hello.txt")).status == 404);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a large file arrives whole, twice on one connection") {
  const Site site;
  const std::string text = patterned_text(5 * 1024 * 1024 + 1);
  site.write("www/large", text);
  RunningServer server(site);
  HttpClient client = server.connect();
  client.send(get("/static/large") + get("/static/large"));
  CHECK(client.read_response().body == text);
  CHECK(client.read_response().body == text);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: one that shrinks while it is sent cuts the connection") {
  RecordedLog log;
  const Site site;
  constexpr std::size_t kBytes = 64 * 1024 * 1024;
  site.write("www/shrinks", "");
  std::filesystem::resize_file(site.path("www/shrinks"), kBytes);
  RunningServer server(site);
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("/static/shrinks"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  std::filesystem::resize_file(site.path("www/shrinks"), 100);
  const HttpResponse response = client.read_response();
  CHECK(response.field("Content-Length") == std::to_string(kBytes));
  CHECK_FALSE(response.is_complete);
  CHECK(log.count(LogLevel::error, "GET /static/shrinks") == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: one that grows or is replaced is sent as it was opened") {
  const Site site;
  const std::string text = patterned_text(16 * 1024 * 1024);
  site.write("www/changes", text);
  RunningServer server(site);
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("/static/changes"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  std::ofstream(site.path("www/changes"), std::ios::app) << "more";
  std::filesystem::rename(site.path("www/changes"), site.path("gone"));
  site.write("www/changes", "new");
  CHECK(client.read_response().body == text);
  CHECK(client.exchange(get("/static/changes")).body == "new");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: no descriptor is left behind") {
  const Site site;
  site.write("www/large", patterned_text(8 * 1024 * 1024));
  RunningServer server(site);
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = open_descriptors();
  for (const std::string path : {"hello.txt", "", "sub", "missing", "no_index", "../x"}) {
    CHECK(server.exchange(get("/static/" + path)).is_complete);
  }
  CHECK(server.exchange("HEAD /static/large HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
  {
    HttpClient leaves = server.connect({.receive_buffer_bytes = 4096});
    leaves.send(get("/static/large"));
    REQUIRE(eventually([&] { return leaves.has_input(); }));
    leaves.reset();
  }
  CHECK(eventually([&] { return open_descriptors() == before; }));
}

TEST_CASE("static files: a directory that is not there is refused when the route is made") {
  const TemporaryFolder folder;
  try {
    (void)static_files(folder.path("missing"));
    FAIL("there is no such directory");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()).find(folder.path("missing")) != std::string::npos);
  }
  std::ofstream(folder.path("file")) << "x";
  CHECK_THROWS_AS(static_files(folder.path("file")), std::system_error);
}

}  // namespace
}  // namespace stadion::http
