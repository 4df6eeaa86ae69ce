// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/serve_program.hpp"
#include "tests/support/steady_load.hpp"
#include "tests/support/temporary_folder.hpp"

/// A configuration that is read again, and one server after another on one address.
namespace stadion {
namespace {

using tests::ChildProcess;
using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::Serve;
using tests::SteadyLoad;
using tests::TemporaryFolder;

constexpr std::string_view kReloaded = "the configuration was read again";
constexpr std::string_view kUnchanged = "the configuration stays as it was: ";
constexpr std::string_view kPostFour =
    "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody";
constexpr std::string_view kGet = "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n";

/// A configuration file that changes.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) { write(text); }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  std::string path() const { return folder_.path("stadion.toml"); }

 private:
  TemporaryFolder folder_;
};

void reload(Serve& serve, std::string_view outcome = kReloaded) {
  serve.process().send(SIGHUP);
  REQUIRE(serve.process().wait_for_next_error(outcome));
}

TEST_CASE("reload: new values are those of new connections") {
  const ConfigFile config("[limits]\nbody_bytes_max = 3\n");
  Serve serve({"--config", config.path()});
  HttpClient before = serve.connect();
  CHECK(before.exchange(kGet).status == 200);
  CHECK(serve.connect().exchange(kPostFour).status == 413);
  config.write("[limits]\nbody_bytes_max = 4\n");
  reload(serve);
  // The old server may be a moment behind.
  CHECK(eventually([&] { return serve.connect().exchange(kPostFour).body == "body"; }));
  serve.process().send(SIGTERM);
  CHECK(serve.process().wait().status == 0);
}

TEST_CASE("reload: a request in flight ends as it began") {
  const ConfigFile config("[limits]\nbody_bytes_max = 4\n");
  Serve serve({"--config", config.path()});
  HttpClient client = serve.connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  REQUIRE(client.read_response().status == 100);
  config.write("[limits]\nbody_bytes_max = 3\n");
  reload(serve);
  CHECK(eventually([&] { return serve.connect().exchange(kPostFour).status == 413; }));
  client.send("body");
  const HttpResponse response = client.read_response();
  CHECK(response.body == "body");
  CHECK(response.field("Connection") == "close");
}

TEST_CASE("reload: a configuration that can't be served changes nothing, and is explained") {
  const ConfigFile config("[limits]\nbody_bytes_max = 4\n");
  Serve serve({"--config", config.path()});
  HttpClient client = serve.connect();
  const auto taken = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  for (const std::string& text :
       {std::string("[limits]\nbody_byte_max = 3\n"), std::string("static_directory = \"/none\"\n"),
        std::string("[limits]\nrequest_memory_bytes_max = 100\n")}) {
    CAPTURE(text);
    config.write(text);
    reload(serve, kUnchanged);
    CHECK(client.exchange(kPostFour).body == "body");
    CHECK(serve.connect().exchange(kPostFour).body == "body");
  }
  config.write("[limits]\nbody_bytes_max = 3\n");
  reload(serve);
  CHECK(eventually([&] { return serve.connect().exchange(kPostFour).status == 413; }));
}

TEST_CASE("reload: what there is no memory for changes nothing, and the server can be stopped") {
  const ConfigFile config("connections_max = 100\n");
  Serve serve({"--config", config.path()});
  // A place for a connection takes some 230 bytes: there is memory for them once, but not twice.
  config.write("connections_max = 100000\nmemory_bytes_max = 31457280\n");
  reload(serve);
  reload(serve, kUnchanged);
  CHECK(serve.connect().exchange(kGet).status == 200);
  serve.process().send(SIGTERM);
  CHECK(serve.process().wait().status == 0);
}

TEST_CASE("reload: listens on what is new, and no longer on what is gone") {
  const TemporaryFolder folder;
  const std::string first = "unix:" + folder.path("first");
  const std::string second = "unix:" + folder.path("second");
  const std::string third = "unix:" + folder.path("third");
  const ConfigFile config("listen = [\"" + first + "\", \"" + second + "\"]\n");
  ChildProcess process(ChildProcess::program("STADION_SERVE"), {"--config", config.path()});
  CHECK(process.read_line() == "listening on " + first);
  CHECK(process.read_line() == "listening on " + second);
  config.write("listen = [\"" + second + "\", \"" + third + "\"]\nworkers = 3\n");
  process.send(SIGHUP);
  CHECK(process.read_line() == "listening on " + third);
  CHECK(HttpClient(net::Endpoint::parse(second)).exchange(kGet).status == 200);
  CHECK(HttpClient(net::Endpoint::parse(third)).exchange(kGet).status == 200);
  CHECK(eventually([&] { return ::access(folder.path("first").c_str(), F_OK) != 0; }));
  process.send(SIGTERM);
  CHECK(process.wait().status == 0);
  CHECK(::access(folder.path("second").c_str(), F_OK) != 0);
}

TEST_CASE("reload: under load no request fails") {
  const ConfigFile config("workers = 2\n");
  Serve serve({"--config", config.path()});
  SteadyLoad kept(serve.endpoint(), 4, SteadyLoad::Connections::kept);
  SteadyLoad single(serve.endpoint(), 4, SteadyLoad::Connections::one_per_request);
  for (int round = 0; round < 5; ++round) {
    config.write("workers = " + std::to_string(1 + round % 3) + "\n");
    reload(serve);
    const std::size_t before = kept.answered() + single.answered();
    CHECK(eventually([&] { return kept.answered() + single.answered() > before + 100; }));
  }
  kept.end();
  single.end();
  CHECK(kept.failures() == "");
  CHECK(single.failures() == "");
}

TEST_CASE("reload: the access log is opened anew, for who rotates it") {
  const TemporaryFolder folder;
  const ConfigFile config("access_log = \"" + folder.path("log") + "\"\n");
  Serve serve({"--config", config.path()});
  const auto lines_of = [&folder](const char* name) {
    std::ifstream file(folder.path(name));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(serve.get("/plaintext").status == 200);
  CHECK(eventually([&] { return lines_of("log") == 1; }));
  REQUIRE(std::rename(folder.path("log").c_str(), folder.path("log.1").c_str()) == 0);
  reload(serve);
  CHECK(eventually([&] {
    CHECK(serve.get("/plaintext").status == 200);
    return lines_of("log") > 0;
  }));
  CHECK(lines_of("log.1") >= 1);
}

TEST_CASE("reload: asked for many times at once, and a stop in between") {
  const ConfigFile config("workers = 2\n");
  for (int round = 0; round < 5; ++round) {
    Serve serve({"--config", config.path()});
    for (int i = 0; i < 20; ++i) {
      serve.process().send(SIGHUP);
    }
    serve.process().send(SIGTERM);
    CHECK(serve.process().wait().status == 0);
  }
}

/// stadion-serve with a listening socket that it is given as systemd would.
class ActivatedServe {
 public:
  ActivatedServe(const net::ListeningSocket& socket, const std::vector<std::string>& arguments)
      : process_(ChildProcess::program("STADION_SERVE"), arguments, [&socket] {
          char pid[16];
          std::snprintf(pid, sizeof pid, "%d", static_cast<int>(::getpid()));
          ::setenv("LISTEN_PID", pid, 1);
          ::setenv("LISTEN_FDS", "1", 1);
          ::dup2(socket.native_handle(), 3);
        }) {
    line_ = process_.read_line().value_or("");
  }
  ChildProcess& process() noexcept { return process_; }
  const std::string& line() const noexcept { return line_; }

 private:
  ChildProcess process_;
  std::string line_;
};

TEST_CASE("socket activation: it listens on what it is given, and on nothing else") {
  const auto socket = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  HttpClient early(socket.local_endpoint());
  early.send(kGet);  // Before anybody is there.
  ActivatedServe serve(socket, {"--listen", "127.0.0.1:1", "--workers", "2"});
  CHECK(serve.line() == "listening on http://" + socket.local_endpoint().to_string());
  CHECK(early.read_response().body == "Hello, World!");
  serve.process().send(SIGHUP);
  REQUIRE(serve.process().wait_for_next_error(kReloaded));
  CHECK(HttpClient(socket.local_endpoint()).exchange(kGet).status == 200);
  serve.process().send(SIGTERM);
  CHECK(serve.process().wait().status == 0);

  // The socket lives on: who comes now is served by the next.
  HttpClient waiting(socket.local_endpoint());
  waiting.send(kGet);
  const ActivatedServe next(socket, {});
  CHECK(waiting.read_response().status == 200);
}

TEST_CASE("socket activation: restarted under load, no request fails") {
  const auto socket = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  auto serve = std::make_unique<ActivatedServe>(socket, std::vector<std::string>{});
  SteadyLoad kept(socket.local_endpoint(), 4, SteadyLoad::Connections::kept);
  SteadyLoad single(socket.local_endpoint(), 4, SteadyLoad::Connections::one_per_request);
  for (int round = 0; round < 4; ++round) {
    serve->process().send(SIGTERM);
    CHECK(serve->process().wait().status == 0);
    serve = std::make_unique<ActivatedServe>(socket, std::vector<std::string>{});
    const std::size_t before = kept.answered() + single.answered();
    CHECK(eventually([&] { return kept.answered() + single.answered() > before + 100; }));
  }
  kept.end();
  single.end();
  CHECK(kept.failures() == "");
  CHECK(single.failures() == "");
}

TEST_CASE("rolling restart: two servers share a port that both say they share, and only then") {
  const ConfigFile config("reuse_port = true\n");
  auto serve = std::make_unique<Serve>(std::vector<std::string>{"--config", config.path()});
  const std::string address = serve->endpoint().to_string();
  ChildProcess alone(ChildProcess::program("STADION_SERVE"), {"--listen", address});
  CHECK(alone.wait().status == 1);
  CHECK(alone.read_error().find(address) != std::string::npos);

  SteadyLoad kept(serve->endpoint(), 8, SteadyLoad::Connections::kept);
  std::vector<std::unique_ptr<ChildProcess>> next;
  ChildProcess* old = &serve->process();
  for (int round = 0; round < 4; ++round) {
    next.push_back(std::make_unique<ChildProcess>(
        ChildProcess::program("STADION_SERVE"),
        std::vector<std::string>{"--config", config.path(), "--listen", address}));
    CHECK(next.back()->read_line() == "listening on http://" + address);
    old->send(SIGTERM);
    CHECK(old->wait().status == 0);
    old = next.back().get();
    const std::size_t before = kept.answered();
    CHECK(eventually([&] { return kept.answered() > before + 100; }));
  }
  kept.end();
  CHECK(kept.failures() == "");
}

}  // namespace
}  // namespace stadion
