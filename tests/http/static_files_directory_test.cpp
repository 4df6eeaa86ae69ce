// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "http/directory_listing.hpp"
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

std::string get(std::string_view name) { return file_request(name); }

bool contains(const HttpResponse& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}

std::size_t count_links(const HttpResponse& response) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = response.body.find("href=\"./", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

TEST_CASE_FIXTURE(LiveArenas, "directories: one is answered with its index") {
  const Site site;
  RunningServer server(site.served());
  CHECK(server.exchange(get("")).body == "<p>root index</p>");
  CHECK(server.exchange(get("sub/")).body == "<p>sub index</p>");
  CHECK(server.exchange(get("")).field("Content-Type") == "text/html; charset=utf-8");
  for (const std::string_view name : {"no_index", "no_index/", "sub/deep", "sub/deep/"}) {
    CAPTURE(name);
    CHECK(server.exchange(get(name)).status == 404);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "directories: the index may have another name, or none") {
  const Site site;
  RunningServer named(site.served({.index = "page.css"}));
  CHECK(named.exchange(get("sub/deep/")).body == "p {}");
  CHECK(named.exchange(get("sub/")).status == 404);
  RunningServer without(site.served({.index = ""}));
  CHECK(without.exchange(get("")).status == 404);
  CHECK(without.exchange(get("index.html")).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas, "directories: without its slash one is redirected, the query kept") {
  const Site site;
  std::filesystem::create_directories(site.path("www/a b"));
  site.write("www/a b/index.html", "spaced");
  RunningServer server(site.served());
  const HttpResponse response = server.exchange(get("sub"));
  CHECK(response.status == 308);
  CHECK(response.field("Location") == "/static/sub/");
  CHECK(server.exchange(get("sub?a=1&b=%2F")).field("Location") == "/static/sub/?a=1&b=%2F");
  CHECK(server.exchange(get("a%20b")).field("Location") == "/static/a%20b/");
  CHECK(server.exchange(get("s%75b")).field("Location") == "/static/s%75b/");
  CHECK(server.exchange(file_request("sub", {}, "HEAD")).status == 308);
  CHECK(server.exchange("GET http://t/static/sub HTTP/1.1\r\nHost: t\r\n\r\n").field("Location") ==
        "/static/sub/");
}

TEST_CASE_FIXTURE(LiveArenas, "directories: no redirect leads to another server") {
  const Site site;
  std::filesystem::create_directories(site.path("www/example.com"));
  site.write("www/example.com/index.html", "x");
  RunningServer server([&](Server& to) { to.get("/{*path}", static_files(site.path("www"))); });
  for (const std::string target : {"//example.com", "///example.com", "/\\example.com",
                                   "/%5Cexample.com", "/%2Fexample.com", "//example.com/%2e%2e"}) {
    CAPTURE(target);
    const HttpResponse response = server.exchange("GET " + target + " HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK(response.status >= 300);
    const std::string location = response.field("Location").value_or("/");
    CHECK(location.starts_with('/'));
    CHECK_FALSE(location.starts_with("//"));
    CHECK_FALSE(location.starts_with("/\\"));
  }
  CHECK(server.exchange("GET /example.com HTTP/1.1\r\nHost: t\r\n\r\n").field("Location") ==
        "/example.com/");
}

TEST_CASE_FIXTURE(LiveArenas, "directories: a file is none, whatever its slash says") {
  const Site site;
  RunningServer server(site.served({.listing = true}));
  CHECK(server.exchange(get("hello.txt/")).status == 404);
  CHECK(server.exchange(get("missing/")).status == 404);
}

TEST_CASE_FIXTURE(LiveArenas, "listing: sorted names, folders with a slash, no dotfiles") {
  const Site site;
  for (const std::string_view name : {"www/no_index/b", "www/no_index/a", "www/no_index/.c"}) {
    site.write(name, "x");
  }
  std::filesystem::create_directories(site.path("www/no_index/ab"));
  REQUIRE(::mkfifo(site.path("www/no_index/fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink("../../secret.txt", site.path("www/no_index/out"));
  RunningServer server(site.served({.listing = true}));
  const HttpResponse response = server.exchange(get("no_index/"));
  CHECK(response.status == 200);
  CHECK(response.field("Content-Type") == "text/html; charset=utf-8");
  CHECK(contains(response,
                 "<ul>\n<li><a href=\"../\">../</a></li>\n"
                 "<li><a href=\"./a\">a</a></li>\n<li><a href=\"./ab/\">ab/</a></li>\n"
                 "<li><a href=\"./b\">b</a></li>\n</ul>\n"));
  CHECK(contains(response, "<title>/no_index</title>"));
  CHECK(server.exchange(get("no_index")).field("Location") == "/static/no_index/");
  const HttpResponse head = server.exchange(file_request("no_index/", {}, "HEAD"));
  CHECK(head.field("Content-Length") == std::to_string(response.body.size()));
  // An index is shown in place of a list.
  CHECK(server.exchange(get("sub/")).body == "<p>sub index</p>");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "listing: the root has no way up, and dotfiles stand there when shown") {
  const Site site;
  std::filesystem::remove(site.path("www/index.html"));
  RunningServer server(site.served({.listing = true, .show_dotfiles = true}));
  const HttpResponse response = server.exchange(get(""));
  CHECK_FALSE(contains(response, "../"));
  CHECK(contains(response, "<li><a href=\"./.git/\">.git/</a></li>\n"));
  CHECK(contains(response, "<li><a href=\"./.hidden\">.hidden</a></li>\n"));
}

TEST_CASE_FIXTURE(LiveArenas, "listing: names are escaped, for HTML and for URLs") {
  const Site site;
  const std::string folder = "www/no_index/";
  for (const std::string_view name : {"<script>alert('1')&\"", "javascript:x", "a b?c#d%e", "é",
                                      "\xFF", "line\nbreak", "back\\slash"}) {
    site.write(folder + std::string(name), "x");
  }
  RunningServer server(site.served({.listing = true}));
  const HttpResponse response = server.exchange(get("no_index/"));
  CHECK(contains(response,
                 "<a href=\"./%3Cscript%3Ealert%28%271%27%29%26%22\">"
                 "&lt;script&gt;alert(&#39;1&#39;)&amp;&quot;</a>"));
  CHECK(contains(response, "<a href=\"./javascript%3Ax\">javascript:x</a>"));
  CHECK(contains(response, "<a href=\"./a%20b%3Fc%23d%25e\">a b?c#d%e</a>"));
  CHECK(contains(response, "<a href=\"./%C3%A9\">é</a>"));
  CHECK(contains(response, "<a href=\"./%FF\">\xEF\xBF\xBD</a>"));
  CHECK(contains(response,
                 "<a href=\"./line%0Abreak\">line\xEF\xBF\xBD"
                 "break</a>"));
  CHECK_FALSE(contains(response, "slash"));  // It could not be had.
  CHECK(server.exchange(get("no_index/a%20b%3Fc%23d%25e")).status == 200);
  CHECK(server.exchange(get("no_index/%FF")).status == 200);
}

TEST_CASE_FIXTURE(LiveArenas, "listing: a folder's own name is escaped as well") {
  const Site site;
  std::filesystem::create_directories(site.path("www/<b>&"));
  RunningServer server(site.served({.listing = true}));
  CHECK(contains(server.exchange(get("%3Cb%3E&/")), "<h1>/&lt;b&gt;&amp;</h1>"));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "listing: as many entries as the limit, and word that there is more") {
  const Site site;
  RunningServer server(site.served({.listing = true}));
  std::size_t written = 0;
  for (const std::size_t count :
       {kListedEntriesMax - 1, kListedEntriesMax, kListedEntriesMax + 1}) {
    CAPTURE(count);
    for (; written < count; ++written) {
      site.write("www/no_index/" + std::to_string(written), "");
    }
    const HttpResponse response = server.exchange(get("no_index/"));
    CHECK(count_links(response) == std::min(count, kListedEntriesMax));
    CHECK(contains(response, "There is more.") == (count > kListedEntriesMax));
  }
}

}  // namespace
}  // namespace stadion::http
