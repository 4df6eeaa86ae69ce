// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/support/child_process.hpp"
#include "tests/support/example.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/serve_program.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

/// What curl can do, against the programs: a client that is not ours.
namespace stadion {
namespace {

using tests::ChildProcess;
using tests::Example;
using tests::Serve;
using tests::Shell;
using tests::TemporaryFolder;

const std::string kStatus = " -o /dev/null -w '%{http_code}' ";

/// curl with these arguments; a transfer that hangs is an error.
Shell curl(const std::string& arguments) {
  return Shell("exec '" + ChildProcess::program("STADION_CURL") + "' -sS --max-time 20 " +
               arguments);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A server with a large file in /static/.
struct Site {
  Site() { write(folder.path("large.txt"), text); }
  std::string url(std::string_view path = "/static/large.txt") const { return serve.url(path); }

  const std::string text = tests::patterned_text(1'000'000);
  TemporaryFolder folder;
  Serve serve{{"--static", folder.path("")}};
};

TEST_CASE("curl: --compressed takes every coding, and the text is whole") {
  const Site site;
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    CAPTURE(coding);
    const std::string head = site.folder.path("head");
    const Shell run =
        curl("--compressed -H 'Accept-Encoding: " + coding + "' -D " + head + " " + site.url());
    CHECK(run.status == 0);
    CHECK((run.output == site.text));
    CHECK(read(head).find("Content-Encoding: " + coding) != std::string::npos);
    CHECK(read(head).find("Vary: Accept-Encoding") != std::string::npos);
  }
  CHECK((curl("--compressed " + site.url()).output == site.text));
  CHECK((curl(site.url()).output == site.text));
}

TEST_CASE("curl: -C - goes on where a download broke off") {
  const Site site;
  const std::string path = site.folder.path("download");
  write(path, site.text.substr(0, 400'000));
  const Shell run = curl("-C - -w '%{http_code} %{size_download}' -o " + path + " " + site.url());
  CHECK(run.output == "206 600000");
  CHECK((read(path) == site.text));
}

TEST_CASE("curl: -r has one range, the last bytes, several, or none that is there") {
  const Site site;
  CHECK(curl("-r 5-9 " + site.url()).output == site.text.substr(5, 5));
  CHECK(curl("-r -7 " + site.url()).output == site.text.substr(site.text.size() - 7));
  CHECK(curl("-r 999990- " + site.url()).output == site.text.substr(999'990));
  const Shell several = curl("-i -r 0-1,10-11 " + site.url());
  CHECK(several.output.find("206 Partial Content") != std::string::npos);
  CHECK(several.output.find("multipart/byteranges") != std::string::npos);
  CHECK(several.output.find("Content-Range: bytes 10-11/1000000\r\n\r\n" + site.text.substr(10, 2) +
                            "\r\n") != std::string::npos);
  CHECK(curl(kStatus + "-r 1000000- " + site.url()).output == "416");
}

TEST_CASE("curl: -T sends a file, and what comes from a pipe in chunks") {
  const Site site;
  const std::string file = site.folder.path("large.txt");
  const std::string url = site.url("/upload");
  CHECK(curl("-T " + file + " " + url).output == "1000000 bytes\n");
  CHECK(curl("-T - " + url + " < " + file).output == "1000000 bytes\n");
  CHECK(curl("-T - --limit-rate 4M " + url + " < " + file).output == "1000000 bytes\n");
  CHECK((curl("-X POST -T - " + site.url("/echo") + " < " + file).output == site.text));
}

TEST_CASE("curl: --expect100-timeout: the body comes when it is asked for, or not at all") {
  const Site site;
  // Without 100 Continue curl would wait for 15 seconds, and --max-time end it.
  const std::string expects =
      "--max-time 10 --expect100-timeout 15 -H 'Expect: 100-continue' -w ' "
      "%{http_code} %{size_upload}' ";
  const std::string file = "--data-binary @" + site.folder.path("large.txt") + " ";
  CHECK(curl(expects + file + site.url("/upload")).output == "1000000 bytes\n 200 1000000");
  CHECK(curl(expects + "-o /dev/null " + file + file + site.url("/echo")).output == " 413 0");
  CHECK(curl(expects + "-o /dev/null " + file + site.url("/missing")).output == " 404 0");
  CHECK(curl(kStatus + "-H 'Expect: something' -d x " + site.url("/echo")).output == "417");
}

TEST_CASE("curl: -F sends a form in parts") {
  const Site site;
  const std::string file = site.folder.path("large.txt");
  const std::string body = curl("-F name=value -F 'file=@" + file + ";type=text/plain' " +
                                site.url("/echo") + " 2>&1 || true")
                               .output;
  CHECK(body.find("Content-Disposition: form-data; name=\"file\"; filename=\"large.txt\"") !=
        std::string::npos);
  CHECK(body.find(site.text) != std::string::npos);
}

TEST_CASE("curl: -z and --etag-compare download no more than what has changed") {
  const Site site;
  const std::string etag = site.folder.path("etag");
  CHECK((curl("--etag-save " + etag + " " + site.url()).output == site.text));
  CHECK(read(etag).size() > 2);
  CHECK(curl(kStatus + "--etag-compare " + etag + " " + site.url()).output == "304");
  CHECK(curl(kStatus + "-z " + site.folder.path("large.txt") + " " + site.url()).output == "304");
  CHECK(curl(kStatus + "-z 'Sat, 01 Jan 2000 00:00:00 GMT' " + site.url()).output == "200");
  write(site.folder.path("large.txt"), "changed");
  CHECK(curl("--etag-compare " + etag + " " + site.url()).output == "changed");
}

TEST_CASE("curl: --path-as-is gets nothing from outside of the directory") {
  const Site site;
  write(site.folder.path(".hidden"), "secret");
  for (const std::string path :
       {"/static/../../etc/passwd", "/static/..%2f..%2fetc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd", "/static/.hidden", "/static/large.txt%00",
        "/static//etc/passwd", "/../../etc/passwd"}) {
    CAPTURE(path);
    const Shell run = curl("-w '%{http_code}' --path-as-is '" + site.url(path) + "'");
    const std::string status = run.output.substr(run.output.size() - 3);
    CHECK((status == "404" || status == "400"));
    CHECK(run.output.find("root:") == std::string::npos);
    CHECK(run.output.find("secret") == std::string::npos);
  }
}

TEST_CASE("curl: versions of HTTP before 1.1, and after") {
  const Site site;
  const Shell old = curl("-i --http1.0 " + site.url("/plaintext"));
  CHECK(old.output.find("Connection: close") != std::string::npos);
  CHECK(old.output.ends_with("\r\n\r\nHello, World!"));
  CHECK((curl("--http1.0 " + site.url("/stream")).output.find("line 10 of 10")) !=
        std::string::npos);
  CHECK(curl("--http2 " + site.url("/plaintext")).output == "Hello, World!");  // Upgrade declined.
  CHECK(curl("--http2-prior-knowledge " + site.url("/plaintext")).status != 0);
  // No client asks in HTTP/0.9; it is curl's own word for an answer without a head.
  CHECK(curl("--http0.9 -i " + site.url("/plaintext")).output.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(site.serve.connect().exchange("GET /plaintext\r\n\r\n").status == 400);
}

TEST_CASE("curl: HEAD, OPTIONS *, the absolute form, and methods that are refused") {
  const Site site;
  const Shell head = curl("-I " + site.url());
  CHECK(head.output.find("Content-Length: 1000000\r\n") != std::string::npos);
  CHECK(head.output.ends_with("\r\n\r\n"));
  CHECK(curl(kStatus + "-X OPTIONS --request-target '*' " + site.url("/")).output == "204");
  CHECK(curl("--request-target 'http://elsewhere/plaintext' " + site.url("/")).output ==
        "Hello, World!");
  CHECK(curl(kStatus + "-X BREW " + site.url("/plaintext")).output == "501");
  CHECK(curl(kStatus + "-X CONNECT --request-target a:1 " + site.url("/")).output == "501");
  CHECK(curl(kStatus + "-X DELETE " + site.url("/plaintext")).output == "405");
  CHECK(curl("-p -x " + site.url("/") + " http://127.0.0.1:1/").status != 0);  // No proxy.
}

TEST_CASE("curl: several requests have one connection, and --parallel as many as it likes") {
  const Site site;
  const std::string three =
      site.url("/plaintext") + " " + site.url("/json") + " " + site.url("/health");
  CHECK(curl("-w '%{num_connects}' -o /dev/null -o /dev/null -o /dev/null " + three).output ==
        "100");
  std::string outputs;
  for (int i = 0; i < 40; ++i) {
    outputs += "-o " + site.folder.path("out" + std::to_string(i)) + " " + site.url() + " ";
  }
  CHECK(curl("--parallel --parallel-immediate " + outputs).status == 0);
  for (int i = 0; i < 40; ++i) {
    CHECK((read(site.folder.path("out" + std::to_string(i))) == site.text));
  }
}

TEST_CASE("curl: --unix-socket") {
  const TemporaryFolder folder;
  const std::string path = folder.path("socket");
  const Serve serve({"--listen", "unix:" + path});
  CHECK(curl("--unix-socket " + path + " http://any/plaintext").output == "Hello, World!");
}

TEST_CASE("curl: events come one by one, and end in order when the server stops") {
  Serve serve;
  ChildProcess client(ChildProcess::program("STADION_CURL"),
                      {"-sSN", "--max-time", "20", serve.url("/events")});
  CHECK(client.read_line() == "retry: 3000");
  CHECK(client.read_line().value_or("").starts_with("data: "));
  CHECK(client.read_line() == "");
  CHECK(client.read_line().value_or("").starts_with("data: "));  // A second later.
  serve.process().send(SIGTERM);
  CHECK(client.read_output().size() < 200);
  CHECK(client.wait().status == 0);  // 18 is a body that was cut off.
  CHECK(serve.process().wait().status == 0);
}

TEST_CASE("curl: a slow reader of a large body gets all of it") {
  const Serve serve;
  const Shell run =
      curl("--limit-rate 40M -o /dev/null -w '%{size_download}' " + serve.url("/download/32"));
  CHECK(run.output == std::to_string(32 * 1024 * 1024));
}

}  // namespace
}  // namespace stadion
