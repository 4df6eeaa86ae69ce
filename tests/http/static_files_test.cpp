// SPDX-License-Identifier: MIT
#include "http/static_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
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
#include "tests/support/site.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::file_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RecordedLog;
using tests::RunningServer;
using tests::Site;
using tests::TemporaryFolder;

std::string get(std::string_view name) { return file_request(name); }

TEST_CASE_FIXTURE(LiveArenas, "static files: a file is sent with type, length and Last-Modified") {
  const Site site;
  RunningServer server(site.served());
  const HttpResponse response = server.exchange(get("hello.txt"));
  CHECK(response.status == 200);
  CHECK(response.body == "hello\n");
  CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(response.field("Content-Length") == "6");
  struct stat status {};
  REQUIRE(::stat(site.path("www/hello.txt").c_str(), &status) == 0);
  CHECK(response.field("Last-Modified") == HttpDate(status.st_mtime).text());

  CHECK(server.exchange(get("sub/deep/page.css")).body == "p {}");
  CHECK(server.exchange(get("sub/deep/page.css")).field("Content-Type") ==
        "text/css; charset=utf-8");
  CHECK(server.exchange(get("a%20b.txt?query")).body == "with a space");
  CHECK(server.exchange(get("sub%2Fdeep%2Fpage.css")).body == "p {}");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: an empty file, and HEAD") {
  const Site site;
  RunningServer server(site.served());
  HttpClient client = server.connect();
  const HttpResponse empty = client.exchange(get("empty"));
  CHECK(empty.status == 200);
  CHECK(empty.field("Content-Length") == "0");
  CHECK(empty.field("Content-Type") == "application/octet-stream");
  const HttpResponse head = client.exchange(file_request("hello.txt", {}, "HEAD"));
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == "6");
  CHECK(client.exchange(get("hello.txt")).body == "hello\n");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: who has the file already gets 304 [RFC 9110 §13.1]") {
  const Site site;
  site.set_time("www/hello.txt", 1'000'000'000);
  RunningServer server(site.served({.cache_control = "max-age=60", .attachment = true}));
  HttpClient client = server.connect();
  const HttpResponse first = client.exchange(get("hello.txt"));
  const std::string tag = first.field("ETag").value_or("");
  CHECK(tag.size() > 4);
  CHECK(tag.starts_with('"'));
  const auto exchange = [&](const std::string& condition) {
    return client.exchange(file_request("hello.txt", {condition}));
  };
  const HttpResponse not_modified = exchange("If-None-Match: " + tag);
  CHECK(not_modified.status == 304);
  CHECK(not_modified.field("ETag") == tag);
  CHECK(not_modified.field("Cache-Control") == "max-age=60");
  CHECK(not_modified.field("Vary") == "Accept-Encoding");
  CHECK_FALSE(not_modified.field("Content-Disposition").has_value());

  CHECK(exchange("If-None-Match: \"other\"").body == "hello\n");
  CHECK(exchange("If-None-Match: \"other\", W/" + tag).status == 304);
  CHECK(exchange("If-None-Match: *").status == 304);
  const auto at = [](std::time_t time) { return std::string(HttpDate(time).text()); };
  CHECK(exchange("If-Modified-Since: " + at(1'000'000'000)).status == 304);
  CHECK(exchange("If-Modified-Since: " + at(1'000'000'001)).status == 304);
  CHECK(exchange("If-Modified-Since: " + at(999'999'999)).status == 200);
  CHECK(exchange("If-Match: \"other\"").status == 412);
  CHECK(exchange("If-Match: " + tag).status == 200);
  CHECK(client.exchange(file_request("hello.txt", {"If-None-Match: " + tag}, "HEAD")).status ==
        304);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: another content, time or file has another ETag") {
  const Site site;
  site.write("www/other.txt", "hello\n");
  RunningServer server(site.served());
  const auto tag = [&](std::string_view name) { return server.exchange(get(name)).field("ETag"); };
  site.set_time("www/hello.txt", 1'000'000'000);
  site.set_time("www/other.txt", 1'000'000'000);
  const auto first = tag("hello.txt");
  CHECK(first.has_value());
  CHECK(tag("hello.txt") == first);
  CHECK(tag("other.txt") != first);
  site.set_time("www/hello.txt", 1'000'000'001);
  CHECK(tag("hello.txt") != first);
  site.write("www/hello.txt", "longer than it was");
  site.set_time("www/hello.txt", 1'000'000'000);
  CHECK(tag("hello.txt") != first);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a time to come is sent as now [RFC 9110 §8.8.2.1]") {
  const Site site;
  const std::time_t now = std::time(nullptr);
  site.set_time("www/hello.txt", now + 1'000'000);
  RunningServer server(site.served());
  const auto field = server.exchange(get("hello.txt")).field("Last-Modified");
  bool is_now = false;
  for (std::time_t time = now; time <= std::time(nullptr); ++time) {
    is_now = is_now || field == HttpDate(time).text();
  }
  CHECK(is_now);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: Cache-Control and Content-Disposition when asked for") {
  const Site site;
  site.write("www/r\xC3\xA9sum\xC3\xA9.txt", "x");
  RunningServer plain(site.served());
  CHECK_FALSE(plain.exchange(get("hello.txt")).field("Cache-Control").has_value());
  CHECK_FALSE(plain.exchange(get("hello.txt")).field("Content-Disposition").has_value());
  RunningServer server(site.served({.cache_control = "no-cache", .attachment = true}));
  const HttpResponse response = server.exchange(get("hello.txt"));
  CHECK(response.field("Cache-Control") == "no-cache");
  CHECK(response.field("Content-Disposition") == R"(attachment; filename="hello.txt")");
  CHECK(server.exchange(get("r%C3%A9sum%C3%A9.txt")).field("Content-Disposition") ==
        R"(attachment; filename="r_sum_.txt"; filename*=UTF-8''r%C3%A9sum%C3%A9.txt)");
  CHECK_THROWS_AS(static_files(site.path("www"), {.cache_control = "a\r\nb"}),
                  std::invalid_argument);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: only GET and HEAD, also where a route lets others in") {
  const Site site;
  RunningServer server(
      [&](Server& to) { to.post("/static/{*path}", static_files(site.path("www"))); });
  const HttpResponse response =
      server.exchange(file_request("hello.txt", {"Content-Length: 0"}, "POST"));
  CHECK(response.status == 405);
  CHECK(response.field("Allow") == "GET, HEAD");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a large file arrives whole, twice on one connection") {
  const Site site;
  const std::string text = patterned_text(5 * 1024 * 1024 + 1);
  site.write("www/large", text);
  RunningServer server(site.served());
  HttpClient client = server.connect();
  client.send(get("large") + get("large"));
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
  RunningServer server(site.served());
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("shrinks"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  std::filesystem::resize_file(site.path("www/shrinks"), 100);
  const HttpResponse response = client.read_response();
  CHECK(response.field("Content-Length") == std::to_string(kBytes));
  CHECK_FALSE(response.is_complete);
  CHECK(log.count(LogLevel::error, "cannot send file") == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: one that grows or is replaced is sent as it was opened") {
  const Site site;
  const std::string text = patterned_text(16 * 1024 * 1024);
  site.write("www/changes", text);
  RunningServer server(site.served());
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("changes"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  std::ofstream(site.path("www/changes"), std::ios::app) << "more";
  std::filesystem::rename(site.path("www/changes"), site.path("gone"));
  site.write("www/changes", "new");
  CHECK(client.read_response().body == text);
  CHECK(client.exchange(get("changes")).body == "new");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: no descriptor is left behind") {
  const Site site;
  site.write("www/large", patterned_text(8 * 1024 * 1024));
  RunningServer server(site.served());
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = open_descriptors();
  for (const std::string path : {"hello.txt", "", "sub", "missing", "no_index", "../x"}) {
    CHECK(server.exchange(get(path)).is_complete);
  }
  CHECK(server.exchange(file_request("large", {}, "HEAD")).status == 200);
  {
    HttpClient leaves = server.connect({.receive_buffer_bytes = 4096});
    leaves.send(get("large"));
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
