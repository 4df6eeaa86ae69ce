// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/serve_program.hpp"
#include "tests/support/steady_load.hpp"
#include "tests/support/temporary_folder.hpp"

/// HAProxy in front of two of stadion-serve, as conf/haproxy.cfg has it.
namespace stadion {
namespace {

using tests::ChildProcess;
using tests::eventually;
using tests::HttpClient;
using tests::Serve;
using tests::SteadyLoad;
using tests::TemporaryFolder;

void replace(std::string& text, std::string_view from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  text.replace(at, from.size(), to);
}

/// Two servers, each on a Unix socket that stays the same when it is restarted, behind an HAProxy that is
/// reached by another.
class Proxied {
 public:
  Proxied() : servers_{start(0), start(1)} {
    std::ifstream sample(ChildProcess::program("STADION_HAPROXY_CONFIG"));
    std::string text{std::istreambuf_iterator<char>(sample), {}};
    replace(text, "bind :80", "bind unix@" + folder_.path("haproxy.sock"));
    replace(text, "127.0.0.1:8081", "unix@" + path_of(0));
    replace(text, "127.0.0.1:8082", "unix@" + path_of(1));
    std::ofstream(folder_.path("haproxy.cfg")) << text;
    haproxy_.emplace(ChildProcess::program("STADION_HAPROXY"),
                     std::vector<std::string>{"-db", "-q", "-f", folder_.path("haproxy.cfg")});
    REQUIRE(eventually([this] {
      try {
        return HttpClient(endpoint()).exchange("GET /health HTTP/1.1\r\nHost: t\r\n\r\n").status ==
               200;
      } catch (const std::system_error&) {
        return false;  // Not there yet.
      }
    }));
  }

  net::Endpoint endpoint() const {
    return net::Endpoint::parse("unix:" + folder_.path("haproxy.sock"));
  }
  void restart(std::size_t index) {
    servers_[index]->process().send(SIGTERM);
    CHECK(servers_[index]->process().wait().status == 0);
    servers_[index] = start(index);
    // Until HAProxy knows that it is back, the other one is all there is.
    const long before = requests_of(index);
    REQUIRE(eventually([&] { return requests_of(index) > before + 20; }));
  }

 private:
  std::string path_of(std::size_t index) const {
    return folder_.path("stadion-" + std::to_string(index));
  }
  std::unique_ptr<Serve> start(std::size_t index) const {
    // Only what logs requests names them.
    std::ofstream(folder_.path("stadion.toml"))
        << "access_log = \"" << folder_.path("access.log") << "\"\n";
    return std::make_unique<Serve>(std::vector<std::string>{
        "--listen", "unix:" + path_of(index), "--config", folder_.path("stadion.toml")});
  }
  long requests_of(std::size_t index) const {
    const std::string metrics = servers_[index]->get("/metrics").body;
    constexpr std::string_view kName = "stadion_http_requests_total{status=\"200\"} ";
    const std::size_t at = metrics.find(kName);
    return at == std::string::npos ? 0 : std::stol(metrics.substr(at + kName.size()));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Serve> servers_[2];
  std::optional<ChildProcess> haproxy_;
};

TEST_CASE("haproxy: passes requests on to both servers, with the client's address and an id") {
  const Proxied proxied;
  HttpClient client(proxied.endpoint());
  for (int i = 0; i < 4; ++i) {
    const auto response = client.exchange("GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK(response.body == "Hello, World!");
    CHECK(response.field("X-Request-Id").value_or("").size() == 36);
  }
}

TEST_CASE("haproxy: both servers are restarted under load, and no request fails") {
  Proxied proxied;
  SteadyLoad kept(proxied.endpoint(), 8, SteadyLoad::Connections::kept);
  SteadyLoad single(proxied.endpoint(), 2, SteadyLoad::Connections::one_per_request);
  for (int round = 0; round < 2; ++round) {
    proxied.restart(0);
    proxied.restart(1);
  }
  kept.end();
  single.end();
  CHECK(kept.failures() == "");
  CHECK(single.failures() == "");
  CHECK(kept.answered() > 100);
}

}  // namespace
}  // namespace stadion
