// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "http/date.hpp"
#include "http/range.hpp"
#include "net/descriptor.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/site.hpp"

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

std::string range_request(std::string_view name, std::string_view range) {
  return file_request(name, {"Range: " + std::string(range)});
}

/// The boundary that a multipart/byteranges response names.
std::string boundary_of(const HttpResponse& response) {
  const std::string type = response.field("Content-Type").value_or("");
  constexpr std::string_view prefix = "multipart/byteranges; boundary=";
  REQUIRE(type.starts_with(prefix));
  return type.substr(prefix.size());
}

/// One part as it must stand in the body: its own head, then the bytes.
std::string part(std::string_view boundary, std::string_view type, std::string_view range,
                 std::string_view bytes) {
  std::string text = "\r\n--";
  text.append(boundary).append("\r\nContent-Type: ").append(type);
  text.append("\r\nContent-Range: bytes ").append(range).append("\r\n\r\n");
  return text.append(bytes);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: one range is sent as 206 with its place [RFC 9110 §14]") {
  const Site site;
  site.write("www/digits.txt", "0123456789");
  RunningServer server(site.served());
  const HttpResponse response = server.exchange(range_request("digits.txt", "bytes=2-4"));
  CHECK(response.status == 206);
  CHECK(response.body == "234");
  CHECK(response.field("Content-Range") == "bytes 2-4/10");
  CHECK(response.field("Content-Length") == "3");
  CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(response.field("Accept-Ranges") == "bytes");
  CHECK(response.field("ETag").has_value());
  CHECK(response.field("Last-Modified").has_value());

  CHECK(server.exchange(range_request("digits.txt", "bytes=-3")).body == "789");
  CHECK(server.exchange(range_request("digits.txt", "bytes=7-")).body == "789");
  CHECK(server.exchange(range_request("digits.txt", "bytes=0-0")).body == "0");
  CHECK(server.exchange(range_request("digits.txt", "bytes=9-100")).body == "9");
  const HttpResponse all = server.exchange(range_request("digits.txt", "bytes=0-"));
  CHECK(all.status == 206);
  CHECK(all.body == "0123456789");
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: every range of a file has just its bytes") {
  const Site site;
  site.write("www/digits.txt", "0123456789");
  RunningServer server(site.served());
  HttpClient client = server.connect();
  for (std::size_t first = 0; first < 10; ++first) {
    for (std::size_t last = first; last < 12; ++last) {
      const std::string range = std::to_string(first) + "-" + std::to_string(last);
      CAPTURE(range);
      CHECK(client.exchange(range_request("digits.txt", "bytes=" + range)).body ==
            std::string("0123456789").substr(first, last - first + 1));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: a file without a range, and without the field, is whole") {
  const Site site;
  RunningServer server(site.served());
  const HttpResponse whole = server.exchange(file_request("hello.txt"));
  CHECK(whole.status == 200);
  CHECK(whole.field("Accept-Ranges") == "bytes");
  CHECK_FALSE(whole.field("Content-Range").has_value());
  for (const std::string_view range : {"items=0-1", "bytes=x", "bytes=3-1", "0-1"}) {
    CAPTURE(range);
    const HttpResponse response = server.exchange(range_request("hello.txt", range));
    CHECK(response.status == 200);
    CHECK(response.body == "hello\n");
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: one behind the end is 416 with the size [RFC 9110 §15.5.17]") {
  const Site site;
  site.write("www/hello.txt.gz", "compressed");
  RunningServer server(site.served({.attachment = true}));
  HttpClient client = server.connect();
  for (const std::string_view range : {"bytes=6-", "bytes=100-200", "bytes=-0", "bytes=6-7,8-9"}) {
    CAPTURE(range);
    const HttpResponse response = client.exchange(range_request("hello.txt", range));
    CHECK(response.status == 416);
    CHECK(response.field("Content-Range") == "bytes */6");
    CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
    CHECK_FALSE(response.field("Content-Disposition").has_value());
    CHECK(response.is_complete);
  }
  const HttpResponse encoded =
      client.exchange(file_request("hello.txt", {"Range: bytes=10-", "Accept-Encoding: gzip"}));
  CHECK(encoded.status == 416);
  CHECK(encoded.field("Content-Range") == "bytes */10");
  CHECK_FALSE(encoded.field("Content-Encoding").has_value());
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: of an empty file there is none") {
  const Site site;
  RunningServer server(site.served());
  const HttpResponse from_start = server.exchange(range_request("empty", "bytes=0-"));
  CHECK(from_start.status == 416);
  CHECK(from_start.field("Content-Range") == "bytes */0");
  const HttpResponse at_end = server.exchange(range_request("empty", "bytes=-5"));
  CHECK(at_end.status == 200);
  CHECK(at_end.field("Content-Length") == "0");
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: several are the parts of one body, byte for byte") {
  const Site site;
  const std::string text = patterned_text(1'000'000);
  site.write("www/large.txt", text);
  RunningServer server(site.served());
  HttpClient client = server.connect();
  // Small and large, so that parts go by the buffer and by sendfile, in turn.
  const HttpResponse response = client.exchange(
      range_request("large.txt", "bytes=900000-999999, 0-9 ,-0,100-600099,700000-700000"));
  CHECK(response.status == 206);
  CHECK(response.is_complete);
  CHECK_FALSE(response.is_chunked);
  CHECK_FALSE(response.field("Content-Range").has_value());
  const std::string boundary = boundary_of(response);
  const std::string_view type = "text/plain; charset=utf-8";
  const std::string expected =
      part(boundary, type, "900000-999999/1000000", text.substr(900000)) +
      part(boundary, type, "0-9/1000000", text.substr(0, 10)) +
      part(boundary, type, "100-600099/1000000", text.substr(100, 600000)) +
      part(boundary, type, "700000-700000/1000000", text.substr(700000, 1)) + "\r\n--" + boundary +
      "--\r\n";
  CHECK((response.body == expected));
  CHECK(response.field("Content-Length") == std::to_string(expected.size()));
  CHECK(client.exchange(file_request("hello.txt")).body == "hello\n");
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: no two responses have one boundary") {
  const Site site;
  RunningServer server(site.served());
  HttpClient client = server.connect();
  std::set<std::string> boundaries;
  for (int i = 0; i < 100; ++i) {
    boundaries.insert(boundary_of(client.exchange(range_request("hello.txt", "bytes=0-0,2-2"))));
  }
  CHECK(boundaries.size() == 100);
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: those that become one by merging are no multipart") {
  const Site site;
  RunningServer server(site.served());
  const HttpResponse response = server.exchange(range_request("hello.txt", "bytes=3-4,0-2,2-3"));
  CHECK(response.status == 206);
  CHECK(response.field("Content-Range") == "bytes 0-4/6");
  CHECK(response.body == "hello");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: as many as the limit are sent, one more gets the whole") {
  const Site site;
  const std::string text = patterned_text(1000);
  site.write("www/many", text);
  RunningServer server(site.served());
  for (const std::size_t count : {kRangesMax - 1, kRangesMax, kRangesMax + 1}) {
    CAPTURE(count);
    std::string range = "bytes=";
    for (std::size_t i = 0; i < count; ++i) {
      range += (i == 0 ? "" : ",") + std::to_string(10 * i) + "-" + std::to_string(10 * i + 4);
    }
    const HttpResponse response = server.exchange(range_request("many", range));
    CHECK(response.status == (count <= kRangesMax ? 206 : 200));
    CHECK((response.body == text) == (count > kRangesMax));
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: HEAD has none, and is as for the whole [RFC 9110 §14.2]") {
  const Site site;
  RunningServer server(site.served());
  HttpClient client = server.connect();
  for (const std::string_view range :
       {"Range: bytes=0-1", "Range: bytes=0-0,2-2", "Range: bytes=100-"}) {
    CAPTURE(range);
    const HttpResponse head = client.exchange(file_request("hello.txt", {range}, "HEAD"));
    CHECK(head.status == 200);
    CHECK(head.field("Content-Length") == "6");
    CHECK(head.field("Accept-Ranges") == "bytes");
    CHECK_FALSE(head.field("Content-Range").has_value());
  }
  CHECK(client.exchange(file_request("hello.txt")).body == "hello\n");
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: If-Range gives the whole when the file is another") {
  const Site site;
  site.set_time("www/hello.txt", 1'000'000'000);
  RunningServer server(site.served());
  const std::string tag = server.exchange(file_request("hello.txt")).field("ETag").value_or("");
  const auto status_with = [&](const std::string& if_range) {
    return server.exchange(file_request("hello.txt", {"Range: bytes=0-1", "If-Range: " + if_range}))
        .status;
  };
  CHECK(status_with(tag) == 206);
  CHECK(status_with("W/" + tag) == 200);  // Weak ones do not tell whether bytes are the same.
  CHECK(status_with("\"other\"") == 200);
  CHECK(status_with(std::string(HttpDate(1'000'000'000).text())) == 206);
  CHECK(status_with(std::string(HttpDate(1'000'000'001).text())) == 200);
  CHECK(status_with(std::string(HttpDate(999'999'999).text())) == 200);
  CHECK(status_with("no date") == 200);
  site.write("www/hello.txt", "other content");
  CHECK(status_with(tag) == 200);
  // A range that does not count cannot be unsatisfiable either.
  CHECK(
      server.exchange(file_request("hello.txt", {"Range: bytes=99-", "If-Range: \"x\""})).status ==
      200);
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: conditions come before ranges [RFC 9110 §13.2.2]") {
  const Site site;
  RunningServer server(site.served());
  const std::string tag = server.exchange(file_request("hello.txt")).field("ETag").value_or("");
  CHECK(server.exchange(file_request("hello.txt", {"Range: bytes=0-1", "If-None-Match: " + tag}))
            .status == 304);
  CHECK(server.exchange(file_request("hello.txt", {"Range: bytes=99-", "If-Match: \"other\""}))
            .status == 412);
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: the end of a sparse file of 8 GiB") {
  constexpr std::uint64_t kBytes = std::uint64_t{8} << 30;
  const Site site;
  {
    const net::Descriptor file(
        ::open(site.path("www/huge").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::pwrite(file.get(), "the end", 7, static_cast<off_t>(kBytes - 7)) == 7);
  }
  RunningServer server(site.served());
  HttpClient client = server.connect();
  const HttpResponse end = client.exchange(range_request("huge", "bytes=-7"));
  CHECK(end.body == "the end");
  CHECK(end.field("Content-Range") == "bytes 8589934585-8589934591/8589934592");
  CHECK(client.exchange(range_request("huge", "bytes=8589934588-")).body == " end");
  const HttpResponse large = client.exchange(range_request("huge", "bytes=-1000000"));
  CHECK(large.body.size() == 1'000'000);
  CHECK(large.body.ends_with(std::string_view("\0the end", 8)));
  const HttpResponse parts = client.exchange(range_request("huge", "bytes=0-0,-3"));
  CHECK(parts.body.find("\r\n\r\nend\r\n--") != std::string::npos);
  CHECK(client.exchange(file_request("huge", {}, "HEAD")).field("Content-Length") == "8589934592");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "file ranges: a file that shrinks under its parts cuts the connection") {
  RecordedLog log;
  const Site site;
  constexpr std::size_t kBytes = 64 * 1024 * 1024;
  site.write("www/shrinks", "");
  std::filesystem::resize_file(site.path("www/shrinks"), kBytes);
  RunningServer server(site.served());
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(range_request("shrinks", "bytes=0-33554431,33554440-67108863"));
  REQUIRE(eventually([&] { return client.has_input(); }));
  std::filesystem::resize_file(site.path("www/shrinks"), 100);
  CHECK_FALSE(client.read_response().is_complete);
  CHECK(log.count(LogLevel::error, "cannot send file") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "file ranges: of a compressed file they are those of its bytes") {
  const Site site;
  site.write("www/hello.txt.gz", "compressed");
  RunningServer server(site.served());
  const HttpResponse response =
      server.exchange(file_request("hello.txt", {"Range: bytes=3-5", "Accept-Encoding: gzip"}));
  CHECK(response.status == 206);
  CHECK(response.body == "pre");
  CHECK(response.field("Content-Encoding") == "gzip");
  CHECK(response.field("Content-Range") == "bytes 3-5/10");
}

}  // namespace
}  // namespace stadion::http
