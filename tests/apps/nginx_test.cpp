// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/serve_program.hpp"
#include "tests/support/temporary_folder.hpp"

/// nginx as a reverse proxy in front of stadion-serve, as conf/nginx-proxy.conf has it.
namespace stadion {
namespace {

using tests::ChildProcess;
using tests::HttpClient;
using tests::HttpResponse;
using tests::Serve;
using tests::TemporaryFolder;

void replace(std::string& text, std::string_view from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  text.replace(at, from.size(), to);
}

/// stadion-serve behind an nginx of its own, which is reached by a Unix socket.
class Proxied {
 public:
  enum class Over { tcp, unix_socket };

  explicit Proxied(Over over)
      : serve_({"--listen", "unix:" + folder_.path("stadion.sock"), "--static", folder_.path(""),
                "--config", config()}) {
    const std::string upstream =
        over == Over::tcp ? serve_.endpoint().to_string() : "unix:" + folder_.path("stadion.sock");
    std::ifstream sample(ChildProcess::program("STADION_NGINX_CONFIG"));
    std::string site{std::istreambuf_iterator<char>(sample), {}};
    replace(site, "127.0.0.1:8080", upstream);
    replace(site, "listen 80;", "listen unix:" + folder_.path("nginx.sock") + ";");
    std::string paths;
    for (const std::string module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      paths += module + "_temp_path " + folder_.path(module) + ";\n";
    }
    std::ofstream(folder_.path("nginx.conf"))
        << "daemon off;\nmaster_process off;\npid " << folder_.path("nginx.pid")
        << ";\nevents {}\nhttp {\naccess_log off;\n"
        << paths << site << "}\n";
    nginx_.emplace(ChildProcess::program("STADION_NGINX"),
                   std::vector<std::string>{"-p", folder_.path(""), "-c",
                                            folder_.path("nginx.conf"), "-e", "stderr"});
    REQUIRE(tests::eventually([this] {
      try {
        return get("/health").status == 200;
      } catch (const std::exception&) {
        return false;  // It does not listen yet.
      }
    }));
  }
  ~Proxied() { nginx_->send(SIGTERM); }

  HttpClient connect() const {
    return HttpClient(net::Endpoint::parse("unix:" + folder_.path("nginx.sock")));
  }
  HttpResponse get(std::string_view target) const { return send("GET", target); }
  HttpResponse send(std::string_view method, std::string_view target, std::string_view body = {},
                    std::string_view fields = {}) const {
    return connect().exchange(
        std::string(method) + " " + std::string(target) +
        " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
        std::string(fields) + "\r\n" + std::string(body));
  }
  /// The value of a line of /metrics, asked of stadion-serve itself.
  long metric(const std::string& name) const {
    const std::string text = "\n" + serve_.get("/metrics").body;
    const std::size_t at = text.find("\n" + name + " ");
    REQUIRE(at != std::string::npos);
    return std::stol(text.substr(at + name.size() + 2));
  }
  std::string path(std::string_view name) const { return folder_.path(name); }
  Serve& serve() noexcept { return serve_; }

 private:
  std::string config() const {
    std::ofstream(folder_.path("stadion.toml"))
        << "access_log = \"" << folder_.path("access.log") << "\"\naccess_log_format = \"json\"\n";
    std::ofstream(folder_.path("large.txt")) << tests::patterned_text(1'000'000);
    return folder_.path("stadion.toml");
  }

  TemporaryFolder folder_;
  Serve serve_;
  std::optional<ChildProcess> nginx_;
};

const Proxied::Over kWays[] = {Proxied::Over::tcp, Proxied::Over::unix_socket};

TEST_CASE("nginx: every route works through it, over TCP and over a Unix socket") {
  for (const Proxied::Over over : kWays) {
    CAPTURE(static_cast<int>(over));
    const Proxied proxied(over);
    const std::string text = tests::patterned_text(1'000'000);
    CHECK(proxied.get("/plaintext").body == "Hello, World!");
    CHECK(proxied.get("/json").body == R"({"message":"Hello, World!"})");
    CHECK(proxied.get("/users/al%20ice").body == "user al ice\n");
    CHECK(proxied.get("/").body.find("<!DOCTYPE html>") != std::string::npos);
    CHECK(proxied.get("/metrics").body.find("stadion_connections") != std::string::npos);
    CHECK(proxied.get("/missing").status == 404);
    CHECK(proxied.send("DELETE", "/plaintext").status == 405);
    CHECK(proxied.send("HEAD", "/plaintext").field("Content-Length") == "13");
    const HttpResponse stream = proxied.get("/stream");
    CHECK(stream.is_complete);
    CHECK(std::count(stream.body.begin(), stream.body.end(), '\n') == 10);
    CHECK((proxied.send("POST", "/echo", text).body == text));
    CHECK((proxied.get("/static/large.txt").body == text));
    const HttpResponse part = proxied.send("GET", "/static/large.txt", "", "Range: bytes=5-9\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == text.substr(5, 5));
    const std::string etag(proxied.get("/static/large.txt").field("ETag").value_or(""));
    CHECK(proxied.send("GET", "/static/large.txt", "", "If-None-Match: " + etag + "\r\n").status ==
          304);
    CHECK(proxied.send("GET", "/static/large.txt", "", "Accept-Encoding: gzip\r\n")
              .field("Content-Encoding") == "gzip");
  }
}

TEST_CASE("nginx: bodies of many MiB pass, in both directions, framed either way") {
  for (const Proxied::Over over : kWays) {
    CAPTURE(static_cast<int>(over));
    const Proxied proxied(over);
    const std::string body(8 * 1024 * 1024, 'b');
    CHECK(proxied.send("POST", "/upload", body).body == "8388608 bytes\n");
    HttpClient client = proxied.connect();
    std::string chunked = "POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 50; ++i) {
      chunked += "ffff\r\n" + body.substr(0, 0xffff) + "\r\n";
    }
    CHECK(client.exchange(chunked + "0\r\n\r\n").body == std::to_string(50 * 0xffff) + " bytes\n");
    CHECK(client.exchange("GET /download/8 HTTP/1.1\r\nHost: t\r\n\r\n").body.size() ==
          body.size());
    CHECK(proxied.send("POST", "/echo", body).status == 413);  // Of nginx itself.
    CHECK(client.exchange("GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n").body == "Hello, World!");
  }
}

TEST_CASE("nginx: many requests of many clients go by few connections") {
  for (const Proxied::Over over : kWays) {
    CAPTURE(static_cast<int>(over));
    const Proxied proxied(over);
    const long before = proxied.metric("stadion_connections_accepted_total");
    std::string pipelined;
    for (int i = 0; i < 50; ++i) {
      pipelined += "GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
    }
    for (int round = 0; round < 4; ++round) {
      HttpClient client = proxied.connect();
      client.send(pipelined);
      for (int i = 0; i < 50; ++i) {
        CHECK(client.read_response().body == "user " + std::to_string(i) + "\n");
      }
    }
    // nginx's one and those that ask for the metrics.
    CHECK(proxied.metric("stadion_connections_accepted_total") - before <= 4);
  }
}

TEST_CASE("nginx: an event is passed on at once, and the stream ends when the server stops") {
  for (const Proxied::Over over : kWays) {
    CAPTURE(static_cast<int>(over));
    Proxied proxied(over);
    HttpClient client = proxied.connect();
    client.send("GET /events HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    std::string stream;
    while (stream.find("data: ") == std::string::npos) {
      const std::string byte = client.read_bytes(1);
      REQUIRE(byte.size() == 1);
      stream += byte;
    }
    proxied.serve().process().send(SIGTERM);
    CHECK(client.read_until_end().ends_with("0\r\n\r\n"));
    CHECK(proxied.serve().process().wait().status == 0);
  }
}

TEST_CASE("nginx: both logs know a request by one name") {
  const Proxied proxied(Proxied::Over::tcp);
  const std::string id(proxied.get("/plaintext").field("X-Request-Id").value_or(""));
  CHECK(id.size() == 32);  // nginx's $request_id.
  CHECK(tests::eventually([&] {
    std::ifstream file(proxied.path("access.log"));
    const std::string log{std::istreambuf_iterator<char>(file), {}};
    return log.find(id) != std::string::npos;
  }));
}

}  // namespace
}  // namespace stadion
