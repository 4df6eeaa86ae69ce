// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "net/listening_socket.hpp"
#include "tests/support/example.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion {
namespace {

using tests::ChildProcess;
using tests::Example;
using tests::HttpClient;
using tests::HttpResponse;
using tests::TemporaryFolder;

/// Those that were built.
std::vector<std::string> names() {
  std::vector<std::string> all{"CLOCK",   "FILES",         "HELLO", "NOTES",
                               "OFFLOAD", "TWO_PROTOCOLS", "UPLOAD"};
  std::erase_if(all, [](const std::string& name) { return !Example::is_built(name); });
  return all;
}

/// What follows the address: the second one of the only program that has two.
std::vector<std::string> further_arguments(std::string_view name) {
  return name == "TWO_PROTOCOLS" ? std::vector<std::string>{"127.0.0.1:0"}
                                 : std::vector<std::string>{};
}

TEST_CASE("examples: SIGINT and SIGTERM end each, also right behind the ready line") {
  CHECK(names().size() >= 5);
  for (const std::string& name : names()) {
    for (const int signal : {SIGINT, SIGTERM}) {
      CAPTURE(name);
      CAPTURE(signal);
      CHECK(Example(name, further_arguments(name)).ends_at(signal));
      Example example(name, further_arguments(name));
      HttpClient idle = example.connect();
      CHECK(example.get("/there/is/no/such/path").status == 404);
      CHECK(example.ends_at(signal));
      CHECK(idle.is_at_end());
    }
  }
}

TEST_CASE("examples: an address that cannot be had is said, with exit status 1") {
  const auto taken = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  const std::string address = taken.local_endpoint().to_string();
  for (const std::string& name : names()) {
    for (const std::string& given : {address, std::string("nonsense")}) {
      CAPTURE(name);
      std::vector<std::string> arguments = further_arguments(name);
      arguments.insert(arguments.begin(), given);
      ChildProcess process(ChildProcess::program(Example::variable_of(name).c_str()), arguments);
      CHECK(process.wait().status == 1);
      CHECK(process.read_output().empty());
      const std::string error = process.read_error();
      CHECK(error.starts_with("stadion-example-"));
      CHECK(error.find(given) != std::string::npos);
    }
  }
}

TEST_CASE("examples: hello greets whom the path names, as often as the query says") {
  const Example hello("HELLO");
  CHECK(hello.get("/").body == "Hello, World!\n");
  CHECK(hello.get("/hello/Ada").body == "Hello, Ada!\n");
  CHECK(hello.get("/hello/Ada%20L?times=2").body == "Hello, Ada L!\nHello, Ada L!\n");
  CHECK(hello.get("/hello/Ada").field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(hello.get("/hello/Ada?times=1").body == "Hello, Ada!\n");
  CHECK(hello.get("/hello/Ada?times=100").body.size() == 100 * 12);
  for (const char* times : {"0", "101", "-1", "", "x", "1x", "99999999999"}) {
    CAPTURE(times);
    CHECK(hello.get(std::string("/hello/Ada?times=") + times).status == 400);
  }
  CHECK(hello.get("/hello/").status == 404);
  CHECK(hello.send("POST", "/hello/Ada").status == 405);
  const std::string long_name(4000, 'a');
  CHECK(hello.get("/hello/" + long_name + "?times=100").body.size() == 100 * (4000 + 9));
}

TEST_CASE("examples: files serves what is in the folder, and nothing else") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("public/.git"));
  std::filesystem::create_directories(folder.path("public/sub"));
  std::ofstream(folder.path("secret")) << "secret";
  std::ofstream(folder.path("public/.git/config")) << "secret";
  std::ofstream(folder.path("public/a b.txt")) << "0123456789";
  std::ofstream(folder.path("public/sub/index.html")) << "<p>index</p>";
  std::filesystem::create_symlink(folder.path("secret"), folder.path("public/link"));
  std::filesystem::create_symlink("a b.txt", folder.path("public/inside"));
  const Example files("FILES", {folder.path("public")});

  const HttpResponse file = files.get("/a%20b.txt");
  CHECK(file.body == "0123456789");
  CHECK(file.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(file.field("Last-Modified").has_value());
  CHECK(files.get("/sub/").body == "<p>index</p>");
  CHECK(files.get("/inside").body == "0123456789");
  const std::string listing = files.get("/").body;
  CHECK(listing.find("a%20b.txt") != std::string::npos);
  CHECK(listing.find(".git") == std::string::npos);
  const HttpResponse part =
      files.connect().exchange("GET /a%20b.txt HTTP/1.1\r\nHost: t\r\nRange: bytes=4-6\r\n\r\n");
  CHECK(part.status == 206);
  CHECK(part.body == "456");
  CHECK(part.field("Content-Range") == "bytes 4-6/10");
  for (const char* path : {"/../secret", "/..%2fsecret", "/sub/../../secret", "/link",
                           "/.git/config", "/missing", "/a%00"}) {
    CAPTURE(path);
    const HttpResponse response = files.get(path);
    CHECK((response.status == 404 || response.status == 400));
    CHECK(response.body.find("secret") == std::string::npos);
  }
}

TEST_CASE("examples: files says that there is no such folder") {
  ChildProcess process(ChildProcess::program("STADION_EXAMPLE_FILES"),
                       {"127.0.0.1:0", "/does/not/exist"});
  CHECK(process.wait().status == 1);
  CHECK(process.read_error().find("/does/not/exist") != std::string::npos);
}

const bool is_without_upload = !Example::is_built("UPLOAD");

std::string digest_of(const HttpResponse& response) {
  constexpr std::string_view kBefore = R"({"sha256":")";
  return response.body.starts_with(kBefore) ? response.body.substr(kBefore.size(), 64) : "";
}

TEST_CASE("examples: upload answers the SHA-256 of what came, as of FIPS 180-2's messages" *
          doctest::skip(is_without_upload)) {
  const Example upload("UPLOAD");
  CHECK(upload.send("POST", "/upload").body ==
        R"({"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","bytes":0})"
        "\n");
  CHECK(upload.send("POST", "/upload", "abc").body ==
        R"({"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","bytes":3})"
        "\n");
  constexpr std::string_view kMillion =
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  const std::string million(1'000'000, 'a');
  CHECK(digest_of(upload.send("POST", "/upload", million)) == kMillion);

  HttpClient client = upload.connect();
  client.send("POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 1000; ++i) {
    client.send("3e8\r\n" + million.substr(0, 1000) + "\r\n");
  }
  client.send("0\r\n\r\n");
  const HttpResponse response = client.read_response();
  CHECK(digest_of(response) == kMillion);
  CHECK(response.field("Content-Type") == "application/json");
  CHECK(digest_of(client.exchange(Example::request("POST", "/upload", "abc")))
            .starts_with("ba7816bf"));
}

TEST_CASE("examples: upload takes many times the memory that a request may have" *
          doctest::skip(is_without_upload)) {
  const Example upload("UPLOAD");
  constexpr std::size_t kBytes = 64 * 1024 * 1024;  // Eight times Limits::request_memory_bytes_max.
  HttpClient client = upload.connect();
  client.send("POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(kBytes) +
              "\r\n\r\n");
  const std::string piece(1024 * 1024, '\0');
  for (std::size_t sent = 0; sent < kBytes; sent += piece.size()) {
    REQUIRE(client.send(piece));
  }
  CHECK(digest_of(client.read_response()) ==  // head -c 67108864 /dev/zero | sha256sum
        "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351");
}

TEST_CASE("examples: upload asks for 16 GiB, and refuses a byte more" *
          doctest::skip(is_without_upload)) {
  const Example upload("UPLOAD");
  const auto status_for = [&upload](const char* length) {
    return upload.connect()
        .exchange("POST /upload HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
                  std::string(length) + "\r\n\r\n")
        .status;
  };
  CHECK(status_for("17179869183") == 100);
  CHECK(status_for("17179869184") == 100);
  CHECK(status_for("17179869185") == 413);
}

TEST_CASE("examples: upload goes on when a client leaves half-way" *
          doctest::skip(is_without_upload)) {
  Example upload("UPLOAD");
  for (int i = 0; i < 10; ++i) {
    HttpClient client = upload.connect();
    client.send("POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf");
    i % 2 == 0 ? client.reset() : client.close();
  }
  CHECK(upload.send("POST", "/upload", "abc").status == 200);
  CHECK(upload.ends_at(SIGTERM));
}

}  // namespace
}  // namespace stadion
