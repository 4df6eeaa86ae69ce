// SPDX-License-Identifier: MIT
#include "http/multipart_reader.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/coded.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::random_text;
using tests::RunningServer;
using tests::TemporaryFile;

constexpr std::string_view kType = "multipart/form-data; boundary=XyZ";
constexpr std::size_t kReadMax = 100;

std::string field(std::string_view name, std::string_view data) {
  return "--XyZ\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(data) + "\r\n";
}
std::string file_part(std::string_view name, std::string_view filename, std::string_view data) {
  return "--XyZ\r\nContent-Disposition: form-data; name=\"" + std::string(name) +
         "\"; filename=\"" + std::string(filename) +
         "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + std::string(data) + "\r\n";
}
constexpr std::string_view kEnd = "--XyZ--\r\n";

std::string post(std::string_view path, std::string_view body, std::string_view type = kType) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// "name=data" of each field, "name(filename:type)=" of each file, ended by ';'. A part whose name
/// begins with "skip" is not read, of one that begins with "half" one piece.
Task<> describe_parts(Exchange& exchange) {
  std::string all;
  MultipartReader parts(exchange);
  for (;;) {
    const MultipartPart* part = co_await parts.next();
    if (part == nullptr) {
      break;
    }
    const std::string name(part->name.value_or("?"));
    all += name;
    if (part->filename.has_value()) {
      all += "(" + std::string(*part->filename) + ":" + std::string(part->content_type) + ")";
    }
    all += "=";
    if (name.starts_with("half")) {
      co_await parts.read();
    } else if (!name.starts_with("skip")) {
      all += co_await parts.read_all(kReadMax);
      const std::string_view behind_end = co_await parts.read();
      CHECK(behind_end.empty());
    }
    all += ";";
  }
  const MultipartPart* after_end = co_await parts.next();
  CHECK(after_end == nullptr);
  exchange.response().text(all);
}

struct Saved {
  TemporaryFile file{""};
  std::uint64_t bytes_max = 64 << 20;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::size_t> running = 0;
};

void add_routes(Server& server, Saved& saved) {
  server.post("/", describe_parts, {.body = BodyMode::streamed});
  server.post("/buffered", describe_parts);
  server.post("/small", describe_parts, {.body = BodyMode::streamed, .body_bytes_max = 1000});
  server.post("/save",
              [&saved](Exchange& exchange) -> Task<> {
                struct Running {
                  explicit Running(std::atomic<std::size_t>& counted) : count(counted) { ++count; }
                  ~Running() { --count; }
                  std::atomic<std::size_t>& count;
                } running(saved.running);
                MultipartReader parts(exchange);
                const MultipartPart* part = co_await parts.next();
                if (part != nullptr) {
                  saved.bytes = co_await parts.save(saved.file.descriptor(), saved.bytes_max);
                }
                part = co_await parts.next();
                CHECK(part == nullptr);
                exchange.response().text(std::to_string(saved.bytes));
              },
              {.body = BodyMode::streamed, .body_bytes_max = 64 << 20});
}

/// A server with the routes above.
struct Uploads {
  Saved saved;
  RunningServer server{[this](Server& made) { add_routes(made, saved); }};

  HttpResponse exchange(std::string_view request) const { return server.exchange(request); }
  std::size_t saved_size() const {
    struct stat status {};
    REQUIRE(::fstat(saved.file.descriptor(), &status) == 0);
    return static_cast<std::size_t>(status.st_size);
  }
  std::string saved_text() const {
    std::string text(saved_size(), '\0');
    REQUIRE(::pread(saved.file.descriptor(), text.data(), text.size(), 0) ==
            static_cast<ssize_t>(text.size()));
    return text;
  }
};

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: fields and files in any order") {
  const Uploads uploads;
  for (const std::string_view path : {"/", "/buffered"}) {
    CAPTURE(path);
    const auto parts_of = [&](const std::string& body) {
      const HttpResponse response = uploads.exchange(post(path, body));
      CHECK(response.status == 200);
      return response.body;
    };
    CHECK(parts_of(field("a", "1") + file_part("f", "x.bin", "data") + std::string(kEnd)) ==
          "a=1;f(x.bin:application/octet-stream)=data;");
    CHECK(parts_of(file_part("f", "", "") + field("a", "") + field("a", "2") + std::string(kEnd)) ==
          "f(:application/octet-stream)=;a=;a=2;");
    CHECK(parts_of(field("a", "\r\n--Xy\r\n-XyZ") + std::string(kEnd)) == "a=\r\n--Xy\r\n-XyZ;");
    CHECK(parts_of(std::string(kEnd)) == "");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: what was not read of a part is skipped") {
  const Uploads uploads;
  const std::string large(300'000, 'x');
  for (const std::string_view path : {"/", "/buffered"}) {
    CAPTURE(path);
    const HttpResponse response = uploads.exchange(
        post(path, field("skip", large) + field("half", large) + field("skip2", "") +
                       field("a", "1") + field("half2", "") + std::string(kEnd)));
    CHECK(response.body == "skip=;half=;skip2=;a=1;half2=;");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: read_all() takes just so much") {
  const Uploads uploads;
  for (const std::string_view path : {"/", "/buffered"}) {
    CAPTURE(path);
    const auto answer = [&](std::size_t bytes) {
      return uploads.exchange(
          post(path, field("a", std::string(bytes, 'x')) + field("b", "1") + std::string(kEnd)));
    };
    CHECK(answer(kReadMax - 1).body == "a=" + std::string(kReadMax - 1, 'x') + ";b=1;");
    CHECK(answer(kReadMax).body == "a=" + std::string(kReadMax, 'x') + ";b=1;");
    const HttpResponse over = answer(kReadMax + 1);
    CHECK(over.status == 413);
    CHECK_FALSE(over.body.empty());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: save() writes a file of some MiB byte for byte") {
  Uploads uploads;
  const std::string data = random_text(5'000'000);
  const HttpResponse response =
      uploads.exchange(post("/save", file_part("f", "x", data) + std::string(kEnd)));
  CHECK(response.body == std::to_string(data.size()));
  CHECK((uploads.saved_text() == data));
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: save() keeps its limit") {
  Uploads uploads;
  uploads.saved.bytes_max = 200'000;
  const auto status_of = [&](std::size_t bytes) {
    uploads.saved.file.resize(0);
    const std::string data = random_text(bytes);
    return uploads.exchange(post("/save", file_part("f", "x", data) + std::string(kEnd))).status;
  };
  CHECK(status_of(199'999) == 200);
  CHECK(status_of(200'000) == 200);
  CHECK(status_of(200'001) == 413);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart reader: a file that can't be written is the server's fault") {
  RunningServer server([](Server& made) {
    made.post("/",
              [](Exchange& exchange) -> Task<> {
                MultipartReader parts(exchange);
                co_await parts.next();
                co_await parts.save(-1, 1000);
              },
              {.body = BodyMode::streamed});
  });
  CHECK(server.exchange(post("/", field("a", "1") + std::string(kEnd))).status == 500);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart reader: a malformed body is refused, also at its very end") {
  const Uploads uploads;
  for (const std::string_view path : {"/", "/buffered"}) {
    for (const std::string& body :
         {std::string("no delimiter at all"), std::string(), field("a", "1"),
          field("a", "1") + "--XyZ", field("a", "1") + "--XyZ-garbage\r\n",
          std::string("--XyZ\r\nno colon\r\n\r\nx\r\n--XyZ--\r\n"),
          field("a", "1") + "--XyZ\r\nContent-Disposition: form-data; name=\"b\"",
          "--XyZ\r\nX: " + std::string(10'000, 'y') + "\r\n\r\n\r\n" + std::string(kEnd)}) {
      CAPTURE(path);
      CAPTURE(body);
      const HttpResponse response = uploads.exchange(post(path, body));
      CHECK(response.status == 400);
      CHECK(response.body.ends_with("\n"));
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: what is no multipart body is refused as such") {
  const Uploads uploads;
  const std::string body = field("a", "1") + std::string(kEnd);
  for (const std::string_view type :
       {"multipart/form-data", "text/plain", "application/x-www-form-urlencoded", "",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a\xC3\xA9\""}) {
    CAPTURE(type);
    CHECK(uploads.exchange(post("/", body, type)).status == 415);
  }
  CHECK(uploads.exchange("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n").status == 415);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "multipart reader: the route's body_bytes_max is for the whole body") {
  const Uploads uploads;
  const std::string frame = field("skip", "") + std::string(kEnd);
  const auto body = [&](std::size_t bytes) {
    return field("skip", std::string(bytes - frame.size(), 'x')) + std::string(kEnd);
  };
  CHECK(uploads.exchange(post("/small", body(1000))).status == 200);
  CHECK(uploads.exchange(post("/small", body(1001))).status == 413);
  HttpClient client = uploads.server.connect();
  client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Type: " + std::string(kType) +
              "\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body(1001) + "\r\n0\r\n\r\n");
  CHECK(client.read_response().status == 413);
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: a little behind the end is skipped, much is not") {
  const Uploads uploads;
  for (const std::string_view path : {"/", "/buffered"}) {
    const std::string body = field("a", "1") + std::string(kEnd);
    CHECK(uploads.exchange(post(path, "preamble\r\n" + body + "epilogue\r\n--XyZ\r\n")).body ==
          "a=1;");
    CHECK(uploads.exchange(post(path, body + std::string(5000, 'x'))).status == 400);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: chunks may split the body anywhere") {
  const Uploads uploads;
  const std::string body = field("a", "1") + file_part("f", "x", "\r\n--X\r\n--XyW") +
                           field("skip", "22") + std::string(kEnd);
  const std::string expected = uploads.exchange(post("/", body)).body;
  for (const std::string_view path : {"/", "/buffered"}) {
    for (std::size_t step = 1; step < 40; ++step) {
      CAPTURE(step);
      HttpClient client = uploads.server.connect();
      std::string chunks;
      for (std::size_t at = 0; at < body.size(); at += step) {
        const std::string data = body.substr(at, step);
        chunks += std::string(1, "0123456789abcdef"[data.size() / 16]) +
                  "0123456789abcdef"[data.size() % 16] + "\r\n" + data + "\r\n";
      }
      client.send("POST " + std::string(path) + " HTTP/1.1\r\nHost: t\r\nContent-Type: " +
                  std::string(kType) + "\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (std::size_t at = 0; at < chunks.size(); at += 13) {  // And packets anywhere else.
        client.send(std::string_view(chunks).substr(at, 13));
      }
      client.send("0\r\n\r\n");
      CHECK(client.read_response().body == expected);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "multipart reader: a client that leaves while its file is saved") {
  for (const bool with_reset : {true, false}) {
    Uploads uploads;
    HttpClient client = uploads.server.connect();
    const std::string body = file_part("f", "x", std::string(10'000'000, 'x'));
    const std::string request = post("/save", body);
    client.send(std::string_view(request).substr(0, 1'000'000));
    CHECK(eventually([&] { return uploads.saved_size() > 100'000; }));
    CHECK(uploads.saved.running == 1);
    with_reset ? client.reset() : client.close();
    CHECK(eventually([&] { return uploads.saved.running == 0; }));
    CHECK(uploads.saved.bytes == 0);  // save() did not come to its end.
    CHECK(uploads.exchange(post("/", field("a", "1") + std::string(kEnd))).body == "a=1;");
  }
}

}  // namespace
}  // namespace stadion::http
