// SPDX-License-Identifier: MIT
#include "net/service_manager.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "net/descriptor.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::net {
namespace {

using tests::TemporaryFolder;

/// For one scope.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~EnvironmentVariable() { ::unsetenv(name_); }

  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  const char* name_;
};

std::string own_pid() { return std::to_string(::getpid()); }

TEST_CASE("service manager: without the variables nothing is inherited") {
  CHECK(inherited_listening_sockets().empty());
  const EnvironmentVariable count("LISTEN_FDS", "1");
  CHECK(inherited_listening_sockets().empty());  // Whose they are is not said.
}

TEST_CASE("service manager: what another process was given is not taken") {
  const EnvironmentVariable pid("LISTEN_PID", "1");
  const EnvironmentVariable count("LISTEN_FDS", "1");
  CHECK(inherited_listening_sockets().empty());
  CHECK(std::getenv("LISTEN_FDS") == nullptr);  // And not passed on to children.
}

TEST_CASE("service manager: variables that make no sense are refused") {
  for (const char* text : {"", "x", "-1", "1x", "1025", "99999999999999999999"}) {
    CAPTURE(text);
    const EnvironmentVariable pid("LISTEN_PID", own_pid());
    const EnvironmentVariable count("LISTEN_FDS", text);
    CHECK_THROWS_AS(inherited_listening_sockets(), std::invalid_argument);
  }
}

/// A datagram socket that is told things.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') {
      address.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  std::string receive() {
    char bytes[200];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    return {bytes, static_cast<std::size_t>(got < 0 ? 0 : got)};
  }

 private:
  Descriptor socket_;
};

TEST_CASE("service manager: is told what there is to tell, by either kind of address") {
  const TemporaryFolder folder;
  for (const std::string& name : {folder.path("notify"), "@stadion-test-" + own_pid()}) {
    CAPTURE(name);
    NotifySocket manager(name);
    const EnvironmentVariable variable("NOTIFY_SOCKET", name);
    CHECK(notify_service_manager("READY=1"));
    CHECK(manager.receive() == "READY=1");
  }
}

TEST_CASE("service manager: that nobody listens, or can, is not a fault") {
  CHECK(!notify_service_manager("READY=1"));
  const TemporaryFolder folder;
  for (const std::string& name :
       {folder.path("none"), std::string("relative"), std::string(), "/" + std::string(200, 'x')}) {
    CAPTURE(name);
    const EnvironmentVariable variable("NOTIFY_SOCKET", name);
    CHECK(!notify_service_manager("READY=1"));
  }
}

}  // namespace
}  // namespace stadion::net
