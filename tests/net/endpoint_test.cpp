// SPDX-License-Identifier: MIT
#include "net/endpoint.hpp"

#include <doctest/doctest.h>
#include <sys/un.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stadion::net {
namespace {

/// What parse() says against the text, or nothing when it takes it.
std::string refusal_of(std::string_view text) {
  try {
    (void)Endpoint::parse(text);
    return {};
  } catch (const std::invalid_argument& refusal) {
    return refusal.what();
  }
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

TEST_CASE("endpoint: an IPv4 address and port parse, and print as they were written") {
  const Endpoint endpoint = Endpoint::parse("127.0.0.1:8080");
  CHECK(endpoint.family() == AF_INET);
  CHECK(endpoint.address() == "127.0.0.1");
  CHECK(endpoint.port() == 8080);
  CHECK(endpoint.to_string() == "127.0.0.1:8080");
  CHECK(!endpoint.is_unix());
}

TEST_CASE("endpoint: an IPv6 address in brackets parses, and prints in its shortest form") {
  const Endpoint endpoint = Endpoint::parse("[0:0:0:0:0:0:0:1]:443");
  CHECK(endpoint.family() == AF_INET6);
  CHECK(endpoint.address() == "::1");
  CHECK(endpoint.port() == 443);
  CHECK(endpoint.to_string() == "[::1]:443");
  CHECK(Endpoint::parse("[::]:443").address() == "::");
}

TEST_CASE("endpoint: no host means every IPv4 address") {
  const Endpoint endpoint = Endpoint::parse(":8080");
  CHECK(endpoint.family() == AF_INET);
  CHECK(endpoint.to_string() == "0.0.0.0:8080");
}

TEST_CASE("endpoint: a host name is looked up") {
  const Endpoint endpoint = Endpoint::parse("localhost:8080");
  const bool is_loopback = endpoint.address() == "127.0.0.1" || endpoint.address() == "::1";
  CHECK_MESSAGE(is_loopback, endpoint.address());
  CHECK(endpoint.port() == 8080);
}

TEST_CASE("endpoint: a name that cannot be found is named in the error") {
  std::string message;
  try {
    (void)Endpoint::parse("no such host:80");
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK_MESSAGE(says(message, "'no such host'"), message);
}

TEST_CASE("endpoint: a Unix socket's path parses, and prints as it was written") {
  const Endpoint endpoint = Endpoint::parse("unix:/run/app.sock");
  CHECK(endpoint.is_unix());
  CHECK(endpoint.family() == AF_UNIX);
  CHECK(endpoint.address() == "/run/app.sock");
  CHECK(endpoint.port() == 0);
  CHECK(endpoint.to_string() == "unix:/run/app.sock");
  CHECK(Endpoint::parse("unix:a:b").address() == "a:b");
}

TEST_CASE("endpoint: a Unix socket's path has at most 107 bytes") {
  const std::string longest = "/" + std::string(106, 'p');
  CHECK(Endpoint::parse("unix:" + longest).address() == longest);
  const std::string message = refusal_of("unix:" + longest + "p");
  CHECK_MESSAGE(says(message, "107 bytes"), message);
}

TEST_CASE("endpoint: ports go from 0 to 65535") {
  CHECK(Endpoint::parse("127.0.0.1:0").port() == 0);
  CHECK(Endpoint::parse("127.0.0.1:1").port() == 1);
  CHECK(Endpoint::parse("127.0.0.1:65535").port() == 65535);
  CHECK(Endpoint::parse("[::1]:65535").port() == 65535);
  CHECK(says(refusal_of("127.0.0.1:65536"), "0 to 65535"));
  CHECK(says(refusal_of("[::1]:65536"), "0 to 65535"));
  CHECK(says(refusal_of("127.0.0.1:99999999999999999999"), "0 to 65535"));
}

TEST_CASE("endpoint: port 0 of TCP leaves the choice to the system, a Unix socket has none") {
  CHECK(Endpoint::parse("127.0.0.1:0").wants_any_port());
  CHECK(Endpoint::parse("[::1]:0").wants_any_port());
  CHECK(!Endpoint::parse("127.0.0.1:1").wants_any_port());
  CHECK(!Endpoint::parse("unix:/run/app.sock").wants_any_port());
}

TEST_CASE("endpoint: what is malformed is refused with what was given, what is wrong and how to") {
  struct Malformed {
    const char* text;
    const char* reason;
  };
  const Malformed all[] = {
      {"", "no port"},
      {"localhost", "no port"},
      {"127.0.0.1", "no port"},
      {":", "port is not a number"},
      {"127.0.0.1:", "port is not a number"},
      {"127.0.0.1:http", "port is not a number"},
      {"127.0.0.1:80x", "port is not a number"},
      {"127.0.0.1:x80", "port is not a number"},
      {"127.0.0.1:-1", "port is not a number"},
      {"127.0.0.1:+1", "port is not a number"},
      {"127.0.0.1: 80", "port is not a number"},
      {"127.0.0.1:80 ", "port is not a number"},
      {"127.0.0.1:8 0", "port is not a number"},
      {"[::1]", "port"},
      {"[::1]:", "port is not a number"},
      {"::1:80", "brackets"},
      {"::1", "brackets"},
      {"[::1:80", "brackets"},
      {"::1]:80", "brackets"},
      {"unix:", "path is empty"},
  };
  for (const Malformed& malformed : all) {
    CAPTURE(malformed.text);
    const std::string message = refusal_of(malformed.text);
    CHECK_MESSAGE(says(message, std::string("'").append(malformed.text).append("'")), message);
    CHECK_MESSAGE(says(message, malformed.reason), message);
    CHECK_MESSAGE(says(message, "HOST:PORT, [IPv6]:PORT or unix:/PATH"), message);
  }
}

TEST_CASE("endpoint: brackets with nothing in them do not mean every address") {
  CHECK_THROWS_AS((void)Endpoint::parse("[]:80"), std::invalid_argument);
}

TEST_CASE("endpoint: one that was never given is unspecified") {
  const Endpoint endpoint;
  CHECK(endpoint.to_string() == "unknown");
  CHECK(endpoint.address() == "unknown");
  CHECK(endpoint.port() == 0);
  CHECK(endpoint.family() == AF_UNSPEC);
  CHECK(!endpoint.is_unix());
  CHECK(endpoint.size() == 0);
}

TEST_CASE("endpoint: an unnamed Unix socket, such as a client's, has an empty path") {
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const Endpoint endpoint(reinterpret_cast<const sockaddr*>(&unnamed),
                          offsetof(sockaddr_un, sun_path));
  CHECK(endpoint.is_unix());
  CHECK(endpoint.address().empty());
  CHECK(endpoint.to_string() == "unix:");
}

TEST_CASE("endpoint: made from the system's address it is the one that was parsed") {
  for (const char* text : {"127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock"}) {
    CAPTURE(text);
    const Endpoint parsed = Endpoint::parse(text);
    CHECK(Endpoint(parsed.data(), parsed.size()).to_string() == text);
  }
}

}  // namespace
}  // namespace stadion::net
