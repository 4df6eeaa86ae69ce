// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/smuggling_cases.hpp"
#include "tests/support/temporary_folder.hpp"

/// What Stadion takes and both nginx and Node.js refuse would want a reason.
namespace stadion {
namespace {

using tests::ChildProcess;
using tests::eventually;
using tests::HttpClient;
using tests::SmugglingCase;
using tests::TemporaryFolder;

/// nginx that answers whatever it understands with 200.
class Nginx {
 public:
  Nginx() {
    std::string paths;
    for (const std::string module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      paths += module + "_temp_path " + folder_.path(module) + ";\n";
    }
    std::ofstream(folder_.path("nginx.conf"))
        << "daemon off;\nmaster_process off;\npid " << folder_.path("pid") << ";\nerror_log "
        << folder_.path("error.log") << ";\nevents {}\nhttp {\naccess_log off;\n"
        << paths << "server { listen unix:" << folder_.path("socket")
        << "; location / { return 200 taken; } }\n}\n";
    process_.emplace(
        ChildProcess::program("STADION_NGINX"),
        std::vector<std::string>{"-p", folder_.path(""), "-c", folder_.path("nginx.conf"), "-e",
                                 folder_.path("error.log")});
    REQUIRE(eventually([this] {
      try {
        HttpClient client(endpoint());
        return true;
      } catch (const std::system_error&) {
        return false;  // Not there yet.
      }
    }));
  }
  net::Endpoint endpoint() const { return net::Endpoint::parse("unix:" + folder_.path("socket")); }

 private:
  TemporaryFolder folder_;
  std::optional<ChildProcess> process_;
};

class Node {
 public:
  Node()
      : process_(ChildProcess::program("STADION_NODE"),
                 {"-e",
                  "require('http').createServer((request, response) => {"
                  "  request.resume(); request.on('end', () => response.end('taken'));"
                  "}).listen(0, '127.0.0.1', function() { console.log(this.address().port); })"}) {
    port_ = process_.read_line().value_or("");
    REQUIRE(!port_.empty());
  }
  net::Endpoint endpoint() const { return net::Endpoint::parse("127.0.0.1:" + port_); }

 private:
  ChildProcess process_;
  std::string port_;
};

/// Whether the first answer says that it did not understand; what it does with a method that it knows is
/// another matter.
bool refuses(const net::Endpoint& endpoint, const std::string& bytes) {
  HttpClient client(endpoint);
  client.send(bytes);
  client.shutdown_send();
  const int status = client.read_response().status;
  return status == 0 || (status >= 400 && status != 404 && status != 405);
}

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 120)) {
    const bool is_plain = c >= ' ' && c < '\x7F';
    text += is_plain ? std::string(1, c) : "\\" + std::to_string(static_cast<unsigned char>(c));
  }
  return text;
}

TEST_CASE("differential: what Stadion takes, nginx or Node.js takes, too") {
  const Nginx nginx;
  const Node node;
  for (const net::Endpoint& endpoint : {nginx.endpoint(), node.endpoint()}) {
    CHECK(!refuses(endpoint, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(refuses(endpoint, "GET / HTTP/1.1\r\n\r\n"));
  }
  std::size_t taken = 0;
  std::string alone;
  for (const SmugglingCase& smuggling : tests::smuggling_cases()) {
    if (smuggling.statuses.empty() || smuggling.statuses.front() != 200) {
      continue;
    }
    ++taken;
    if (refuses(nginx.endpoint(), smuggling.bytes) && refuses(node.endpoint(), smuggling.bytes)) {
      alone +=
          "RFC 9112 " + std::string(smuggling.section) + ": " + printable(smuggling.bytes) + "\n";
    }
  }
  CHECK(taken > 70);
  CHECK(alone == "");
}

}  // namespace
}  // namespace stadion
