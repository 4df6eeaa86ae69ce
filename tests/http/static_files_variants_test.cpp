// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/site.hpp"

namespace stadion::http {
namespace {

using tests::file_request;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;
using tests::Site;

HttpResponse accepting(const RunningServer& server, std::string_view name,
                       std::string_view codings) {
  return server.exchange(file_request(name, {"Accept-Encoding: " + std::string(codings)}));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: what the client wants most is sent, of what there is") {
  const Site site;
  for (const std::string ending : {"br", "zst", "gz"}) {
    site.write("www/hello.txt." + ending, ending);
  }
  RunningServer server(site.served());
  CHECK(accepting(server, "hello.txt", "gzip, deflate, br, zstd").body == "br");
  CHECK(accepting(server, "hello.txt", "gzip, zstd").body == "zst");
  CHECK(accepting(server, "hello.txt", "gzip").body == "gz");
  CHECK(accepting(server, "hello.txt", "br;q=0.5, gzip;q=0.9").body == "gz");
  CHECK(accepting(server, "hello.txt", "br;q=0, zstd;q=0, *").body == "gz");
  CHECK(accepting(server, "hello.txt", "*").body == "br");
  CHECK(accepting(server, "hello.txt", "deflate").body == "hello\n");
  CHECK(accepting(server, "hello.txt", "").body == "hello\n");
  CHECK(accepting(server, "hello.txt", "gzip;q=0").body == "hello\n");
  CHECK(accepting(server, "hello.txt", "gzip;q=0.5, identity").body == "hello\n");
  CHECK(accepting(server, "hello.txt", "gzip;q=2").body == "hello\n");
  CHECK(server.exchange(file_request("hello.txt")).body == "hello\n");
  CHECK(server
            .exchange(
                file_request("hello.txt", {"Accept-Encoding: deflate", "Accept-Encoding: gzip"}))
            .body == "gz");
}

TEST_CASE_FIXTURE(LiveArenas, "static files: a compressed one has the type of what it stands for") {
  const Site site;
  site.write("www/index.html.gz", "compressed index");
  RunningServer server(site.served());
  const HttpResponse plain = server.exchange(file_request(""));
  const HttpResponse response = accepting(server, "", "gzip, br");
  CHECK(response.status == 200);
  CHECK(response.body == "compressed index");
  CHECK(response.field("Content-Encoding") == "gzip");
  CHECK(response.field("Content-Type") == "text/html; charset=utf-8");
  CHECK(response.field("Vary") == "Accept-Encoding");
  CHECK(plain.field("Vary") == "Accept-Encoding");
  CHECK_FALSE(plain.field("Content-Encoding").has_value());
  CHECK(response.field("ETag") != plain.field("ETag"));

  const std::string condition = "If-None-Match: " + response.field("ETag").value_or("");
  CHECK(server.exchange(file_request("", {"Accept-Encoding: gzip", condition})).status == 304);
  CHECK(server.exchange(file_request("", {condition})).status == 200);

  const HttpResponse direct = server.exchange(file_request("index.html.gz"));
  CHECK(direct.field("Content-Type") == "application/gzip");
  CHECK_FALSE(direct.field("Content-Encoding").has_value());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "static files: a compressed one that is older, or alone, is not sent") {
  const Site site;
  site.write("www/hello.txt.gz", "compressed");
  site.write("www/alone.txt.gz", "compressed");
  site.set_time("www/hello.txt", 1'000'000'000);
  RunningServer server(site.served());
  site.set_time("www/hello.txt.gz", 999'999'999);
  CHECK(accepting(server, "hello.txt", "gzip").body == "hello\n");
  site.set_time("www/hello.txt.gz", 1'000'000'000);
  CHECK(accepting(server, "hello.txt", "gzip").body == "compressed");
  CHECK(accepting(server, "alone.txt", "gzip").status == 404);
}

TEST_CASE_FIXTURE(LiveArenas, "static files: without `precompressed` they are files like others") {
  const Site site;
  site.write("www/hello.txt.gz", "compressed");
  RunningServer server(site.served({.precompressed = false}));
  const HttpResponse response = accepting(server, "hello.txt", "gzip");
  CHECK(response.body == "hello\n");
  CHECK_FALSE(response.field("Vary").has_value());
}

}  // namespace
}  // namespace stadion::http
