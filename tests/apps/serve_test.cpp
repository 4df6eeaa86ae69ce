// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/serve_program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion {
namespace {

using tests::ChildProcess;
using tests::HttpClient;
using tests::HttpResponse;
using tests::Serve;
using tests::TemporaryFolder;

/// `stadion-serve` with these arguments, that is to end by itself.
struct Run {
  explicit Run(const std::vector<std::string>& arguments) {
    ChildProcess process(ChildProcess::program("STADION_SERVE"), arguments);
    end = process.wait();
    output = process.read_output();
    error = process.read_error();
  }
  ChildProcess::End end;
  std::string output;
  std::string error;
};

TEST_CASE("serve: every route gives what it promises") {
  const TemporaryFolder folder;
  std::ofstream(folder.path("hello.txt")) << "a file\n";
  std::ofstream(folder.path("index.html")) << "<p>index</p>";
  const Serve serve({"--static", folder.path("")});

  CHECK(serve.get("/plaintext").body == "Hello, World!");
  CHECK(serve.get("/plaintext").field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(serve.get("/json").body == R"({"message":"Hello, World!"})");
  CHECK(serve.get("/json").field("Content-Type") == "application/json");
  CHECK(serve.get("/users/al%20ice").body.find("al ice") != std::string::npos);
  CHECK(serve.get("/health").status == 200);
  CHECK(serve.get("/static/hello.txt").body == "a file\n");
  CHECK(serve.get("/static/").body == "<p>index</p>");
  CHECK(serve.get("/static/missing").status == 404);
  CHECK(serve.get("/static/../secret").status == 404);
  CHECK(serve.get("/missing").status == 404);
  CHECK(serve.get("/%zz").status == 400);

  const HttpResponse stream = serve.get("/stream");
  CHECK(stream.is_chunked);
  CHECK(std::count(stream.body.begin(), stream.body.end(), '\n') == 10);

  const std::string bytes("\0\r\n\xFF", 4);
  const HttpResponse echo = serve.connect().exchange(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\n" + bytes);
  CHECK(echo.body == bytes);
  CHECK(echo.field("Content-Type") == "a/b");

  const HttpResponse home = serve.get("/");
  CHECK(home.field("Content-Type") == "text/html; charset=utf-8");
  for (const char* part : {"<!DOCTYPE html>", "/plaintext", "/users/{id}", "/metrics", "/static/",
                           "stadion_http_requests_total"}) {
    CAPTURE(part);
    CHECK(home.body.find(part) != std::string::npos);
  }

  const HttpResponse metrics = serve.get("/metrics");
  CHECK(metrics.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  for (const char* part : {"stadion_http_requests_total{status=\"200\"} ", "stadion_connections ",
                           "stadion_arenas_live ", "stadion_arena_bytes ",
                           "stadion_request_memory_bytes_bucket{le="}) {
    CAPTURE(part);
    CHECK(metrics.body.find(part) != std::string::npos);
  }
}

TEST_CASE("serve: HTTP/1.0, HEAD, OPTIONS and refusals behave as the RFC says") {
  const Serve serve;
  const HttpResponse old = serve.connect().exchange("GET /plaintext HTTP/1.0\r\n\r\n");
  CHECK(old.body == "Hello, World!");
  CHECK(old.field("Connection") == "close");
  CHECK(serve.connect()
            .exchange("HEAD /plaintext HTTP/1.1\r\nHost: t\r\n\r\n")
            .field("Content-Length") == "13");
  CHECK(serve.connect().exchange("OPTIONS /plaintext HTTP/1.1\r\nHost: t\r\n\r\n").field("Allow") ==
        "GET, HEAD, OPTIONS");
  CHECK(serve.connect().exchange("DELETE /plaintext HTTP/1.1\r\nHost: t\r\n\r\n").status == 405);

  const std::string large_body(2 * 1024 * 1024, 'x');
  CHECK(serve.connect()
            .exchange("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                      std::to_string(large_body.size()) + "\r\n\r\n" + large_body)
            .status == 413);
  CHECK(
      serve.connect()
          .exchange("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(100 * 1024, 'x') + "\r\n\r\n")
          .status == 431);
  CHECK(serve.get("/static/x").status == 404);  // Without --static there is no such route.
}

TEST_CASE("serve: listens on all that is asked for, and says so") {
  const TemporaryFolder folder;
  const std::string path = folder.path("socket");
  ChildProcess process(ChildProcess::program("STADION_SERVE"),
                       {"--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen",
                        "unix:" + path, "--workers", "2"});
  const std::string first = process.read_line().value_or("");
  const std::string second = process.read_line().value_or("");
  const std::string third = process.read_line().value_or("");
  CHECK(first.starts_with("listening on http://127.0.0.1:"));
  CHECK(second.starts_with("listening on http://[::1]:"));
  CHECK(third == "listening on unix:" + path);
  HttpClient client(net::Endpoint::parse("unix:" + path));
  CHECK(client.exchange("GET /health HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
}

TEST_CASE("serve: flags come before the configuration file") {
  const TemporaryFolder folder;
  const std::string file = folder.path("test.toml");
  std::ofstream(file) << "listen = [\"127.0.0.1:1\"]\n[limits]\nbody_bytes_max = 3\n";
  const Serve serve({"--config", file});
  CHECK(serve.endpoint().port() != 1);
  CHECK(serve.connect()
            .exchange("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody")
            .status == 413);
}

TEST_CASE("serve: a body that passes memory_bytes_max is 503, and 0 is no such limit") {
  constexpr std::string_view kGet = "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n";
  const std::string body(8 * 1024 * 1024, 'x');
  const std::string post =
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  const TemporaryFolder folder;
  const std::string file = folder.path("test.toml");
  const auto configure = [&file](std::size_t memory_bytes_max) {
    std::ofstream(file) << "connections_max = 10\nmemory_bytes_max = " << memory_bytes_max
                        << "\n[limits]\nbody_bytes_max = 8388608\n"
                        << "request_memory_bytes_max = 67108864\n";
  };
  configure(4 * 1024 * 1024);
  {
    const Serve serve({"--config", file});
    for (int i = 0; i < 3; ++i) {
      CHECK(serve.connect().exchange(post).status == 503);
      CHECK(serve.connect().exchange(kGet).body == "Hello, World!");
    }
  }
  configure(0);
  const Serve serve({"--config", file});
  const HttpResponse echo = serve.connect().exchange(post);
  CHECK(echo.status == 200);
  CHECK((echo.body == body));
}

TEST_CASE("serve: --check-config answers with the exit status") {
  const Run shipped({"--config", ChildProcess::program("STADION_CONFIG"), "--check-config"});
  CHECK(shipped.end.status == 0);
  CHECK(Run({"--check-config"}).end.status == 0);

  const TemporaryFolder folder;
  const std::string file = folder.path("bad.toml");
  for (const char* text :
       {"worker = 1\n", "workers = \"x\"\n", "workers = [\n", "workers = 5000\n"}) {
    CAPTURE(text);
    std::ofstream(file) << text;
    for (const bool only_check : {true, false}) {
      std::vector<std::string> arguments{"--config", file};
      if (only_check) {
        arguments.emplace_back("--check-config");
      }
      const Run run(arguments);
      CHECK(run.end.status == 2);
      CHECK(run.output.empty());
      CHECK(run.error.find(file + ":1: ") != std::string::npos);
    }
  }
  CHECK(Run({"--config", folder.path("missing.toml")}).end.status == 2);
}

TEST_CASE("serve: --check-config finds limits that contradict each other") {
  const TemporaryFolder folder;
  const std::string file = folder.path("bad.toml");
  std::ofstream(file) << "[limits]\nrequest_memory_bytes_max = 1000\n";
  const Run run({"--config", file, "--check-config"});
  CHECK(run.end.status == 2);
  CHECK(run.error.find("request_memory_bytes_max") != std::string::npos);
}

TEST_CASE("serve: --version, --help, and flags that are wrong") {
  const Run version({"--version"});
  CHECK(version.end.status == 0);
  CHECK(version.output.starts_with("stadion-serve "));
  const Run help({"--help"});
  CHECK(help.end.status == 0);
  for (const char* flag : {"--config", "--listen", "--workers", "--static", "--log-level",
                           "--check-config", "--version", "--help"}) {
    CAPTURE(flag);
    CHECK(help.output.find(flag) != std::string::npos);
  }
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--unknown"},
                                             {"--workers", "many"},
                                             {"--workers", "-1"},
                                             {"--workers", "1025"},
                                             {"--log-level", "loud"},
                                             {"--listen"},
                                             {"stray"}}) {
    CAPTURE(arguments.front());
    const Run run(arguments);
    CHECK(run.end.status == 2);
    CHECK(run.output.empty());
    CHECK_FALSE(run.error.empty());
  }
}

TEST_CASE("serve: what cannot be served is said, with exit status 1") {
  const auto taken = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  const std::string address = taken.local_endpoint().to_string();
  const Run in_use({"--listen", address});
  CHECK(in_use.end.status == 1);
  CHECK(in_use.output.empty());
  CHECK(in_use.error.find(address) != std::string::npos);

  const Run no_folder({"--listen", "127.0.0.1:0", "--static", "/does/not/exist"});
  CHECK(no_folder.end.status == 1);
  CHECK(no_folder.error.find("/does/not/exist") != std::string::npos);
}

/// What `stadion-serve` logs from its start to its end, when the system allows it so many file
/// descriptors.
std::string log_under(rlim_t descriptors, const std::vector<std::string>& arguments) {
  ChildProcess process(ChildProcess::program("STADION_SERVE"), arguments, [descriptors] {
    const rlimit limit{.rlim_cur = descriptors, .rlim_max = descriptors};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  });
  REQUIRE(process.read_line().has_value());
  process.send(SIGTERM);
  CHECK(process.wait().status == 0);
  return process.read_error();
}

TEST_CASE("serve: more connections than file descriptors are warned of, whatever the Workers") {
  constexpr rlim_t kDescriptors = 1000;
  const TemporaryFolder folder;
  const std::string file = folder.path("test.toml");
  const auto log_with = [&file](std::size_t connections_max, const std::string& workers) {
    std::ofstream(file) << "listen = [\"127.0.0.1:0\"]\nconnections_max = " << connections_max
                        << "\n";
    return log_under(kDescriptors, {"--config", file, "--workers", workers});
  };
  const auto is_warned = [](const std::string& log, std::size_t connections) {
    return log.find(std::to_string(connections) +
                    " connections are allowed, but only 1000 file descriptors") !=
           std::string::npos;
  };
  CHECK(log_with(kDescriptors, "1").find("file descriptors") == std::string::npos);
  CHECK(is_warned(log_with(kDescriptors + 1, "1"), kDescriptors + 1));
  CHECK(log_with(kDescriptors / 2, "2").find("file descriptors") == std::string::npos);
  CHECK(is_warned(log_with(kDescriptors / 2 + 1, "2"), kDescriptors + 2));

  const std::string log = log_with(kDescriptors + 1, "0");  // One per processor.
  std::smatch parts;
  REQUIRE(std::regex_search(log, parts, std::regex(R"(serving with (\d+) worker)")));
  CHECK(is_warned(log, (kDescriptors + 1) * std::stoul(parts[1])));
}

TEST_CASE("serve: SIGINT and SIGTERM end it within a second, an idle connection or not") {
  for (const int signal : {SIGINT, SIGTERM}) {
    for (const bool with_idle_connection : {false, true}) {
      CAPTURE(signal);
      CAPTURE(with_idle_connection);
      Serve serve({"--workers", "2"});
      HttpClient client = serve.connect();
      CHECK(client.exchange("GET /health HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
      if (!with_idle_connection) {
        client.close();
      }
      const auto before = std::chrono::steady_clock::now();
      serve.process().send(signal);
      CHECK(serve.process().wait().status == 0);
      // What the sanitizers look for at the end of a program takes its time, too.
      CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(3));
      if (with_idle_connection) {
        CHECK(client.is_at_end());
      }
    }
  }
}

TEST_CASE("serve: a signal right behind the ready line ends it in order") {
  for (int i = 0; i < 20; ++i) {
    Serve serve;
    serve.process().send(SIGTERM);
    const ChildProcess::End end = serve.process().wait();
    CHECK(end.status == 0);
    CHECK(end.signal == 0);
  }
}

TEST_CASE("serve: a request in flight is finished before it ends") {
  Serve serve;
  HttpClient client = serve.connect();
  HttpClient idle = serve.connect();
  CHECK(idle.exchange("GET /health HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
  // An interim response shows that the server is in the middle of this request.
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n");
  REQUIRE(client.read_response().status == 100);
  serve.process().send(SIGTERM);
  REQUIRE(idle.is_at_end());
  client.send("finished");
  const HttpResponse response = client.read_response();
  CHECK(response.body == "finished");
  CHECK(response.field("Connection") == "close");
  CHECK(serve.process().wait().status == 0);
}

TEST_CASE("serve: it does not end when nobody reads its log any more") {
  const TemporaryFolder folder;
  const std::string config = folder.path("stadion.toml");
  std::ofstream(config) << "access_log = \"-\"\n";
  Serve serve({"--config", config});
  serve.process().stop_reading();
  for (int i = 0; i < 3; ++i) {
    CHECK(serve.get("/plaintext").status == 200);
    serve.process().send(SIGHUP);
  }
  CHECK(serve.get("/plaintext").status == 200);
  serve.process().send(SIGTERM);
  CHECK(serve.process().wait().status == 0);
}

TEST_CASE("serve: /form tells what is in a form, of either kind and coded or not") {
  const Serve serve;
  const auto answer_to = [&serve](const std::string& fields, const std::string& body) {
    return serve.connect().exchange("POST /form HTTP/1.1\r\nHost: t\r\n" + fields +
                                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                                    body);
  };
  CHECK(answer_to("", "a=12&b=%20&c").body == "3 fields, 3 bytes\n");
  CHECK(answer_to("", "a=%2").status == 400);
  CHECK(answer_to("Content-Type: multipart/form-data; boundary=b\r\n",
                  "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n12345\r\n--b--\r\n")
            .body == "1 fields, 5 bytes\n");
  CHECK(answer_to("Content-Type: multipart/form-data; boundary=b\r\n", "--b\r\n").status == 400);
  CHECK(answer_to("Content-Encoding: compress\r\n", "x").status == 415);
}

TEST_CASE("serve: a second signal ends it at once") {
  Serve serve;
  HttpClient client = serve.connect();
  HttpClient idle = serve.connect();
  CHECK(idle.exchange("GET /health HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n");
  REQUIRE(client.read_response().status == 100);
  serve.process().send(SIGINT);
  REQUIRE(idle.is_at_end());
  serve.process().send(SIGINT);
  CHECK(serve.process().wait(std::chrono::seconds(5)).status == 0);
  CHECK(client.is_at_end());
}

}  // namespace
}  // namespace stadion
