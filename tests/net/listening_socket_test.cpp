// SPDX-License-Identifier: MIT
#include "net/listening_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "tests/support/peer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace stadion::net {
namespace {

using tests::Peer;
using tests::TemporaryFolder;

/// A connection that waits in the socket's backlog, if there is one.
Descriptor accept_from(const ListeningSocket& listening) {
  return Descriptor(::accept4(listening.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
}

/// What open() says against the address, or nothing when it takes it.
std::string refusal_of(const Endpoint& endpoint, ListenOptions options = {}) {
  try {
    (void)ListeningSocket::open(endpoint, options);
    return {};
  } catch (const std::system_error& refusal) {
    return refusal.what();
  }
}

bool is_socket_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool can_connect(const Endpoint& endpoint) {
  const Descriptor client(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), endpoint.data(), endpoint.size()) == 0;
}

/// Leaves a Unix socket's file behind on which nobody listens, as a process that was killed does.
void abandon_socket_file(const Endpoint& endpoint) {
  const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(dead.get(), endpoint.data(), endpoint.size()) == 0);
  REQUIRE(::listen(dead.get(), 1) == 0);
}

TEST_CASE("listening socket: port 0 gives a free port, which it tells and listens on") {
  const auto listening = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
  CHECK(listening.local_endpoint().address() == "127.0.0.1");
  CHECK(listening.local_endpoint().port() != 0);
  const Peer client = Peer::connect(listening.local_endpoint());
  CHECK(accept_from(listening).is_open());
}

TEST_CASE("listening socket: accepting does not block, and the descriptor does not leak to exec") {
  const auto listening = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
  CHECK((::fcntl(listening.native_handle(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(listening.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(!accept_from(listening).is_open());
  CHECK(errno == EAGAIN);
}

TEST_CASE("listening socket: IPv6 listens, and for IPv6 alone") {
  const auto listening = ListeningSocket::open(Endpoint::parse("[::]:0"));
  const std::string port = std::to_string(listening.local_endpoint().port());
  CHECK(listening.local_endpoint().to_string() == "[::]:" + port);
  const Peer client = Peer::connect(Endpoint::parse("[::1]:" + port));
  CHECK(accept_from(listening).is_open());
  CHECK(!can_connect(Endpoint::parse("127.0.0.1:" + port)));
  CHECK_NOTHROW((void)ListeningSocket::open(Endpoint::parse("0.0.0.0:" + port)));
}

TEST_CASE("listening socket: an address in use is refused, and named") {
  const auto first = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
  const std::string address = first.local_endpoint().to_string();
  const std::string message = refusal_of(first.local_endpoint());
  CHECK_MESSAGE(message.find("cannot listen on " + address) != std::string::npos, message);
  try {
    (void)ListeningSocket::open(first.local_endpoint());
  } catch (const std::system_error& refusal) {
    CHECK(refusal.code() == std::errc::address_in_use);
  }
}

TEST_CASE("listening socket: an address that is not this machine's is refused, and named") {
  const std::string message = refusal_of(Endpoint::parse("192.0.2.1:0"));
  CHECK_MESSAGE(message.find("cannot listen on 192.0.2.1:0: bind") != std::string::npos, message);
}

TEST_CASE("listening socket: its port is free again when it closes, whatever connections it had") {
  const auto endpoint = [] {
    const auto listening = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
    const Peer client = Peer::connect(listening.local_endpoint());
    // Our side closes first and stays behind in TIME_WAIT.
    accept_from(listening).close();
    return listening.local_endpoint();
  }();
  CHECK(!can_connect(endpoint));
  CHECK_NOTHROW((void)ListeningSocket::open(endpoint));
}

TEST_CASE("listening socket: a move takes the socket along, and closes it once") {
  auto first = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
  const Endpoint endpoint = first.local_endpoint();
  {
    const ListeningSocket second(std::move(first));
    CHECK(first.native_handle() == -1);
    CHECK(can_connect(endpoint));
  }
  CHECK(!can_connect(endpoint));
}

TEST_CASE("listening socket: with reuse_port several share an address, without it none joins") {
  const auto first = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"), {.reuse_port = true});
  CHECK(refusal_of(first.local_endpoint(), {.reuse_port = true}).empty());
  CHECK(!refusal_of(first.local_endpoint()).empty());
}

TEST_CASE("listening socket: a group shares one port, and every socket of it gets connections") {
  constexpr std::size_t kSockets = 3;
  const auto group = ListeningSocket::open_group(Endpoint::parse("127.0.0.1:0"), kSockets);
  REQUIRE(group.size() == kSockets);
  for (const ListeningSocket& listening : group) {
    CHECK(listening.local_endpoint().port() == group[0].local_endpoint().port());
  }
  // The system spreads by the client's port: with so many clients, none is left out but once in
  // 3 × (2/3)^300 runs.
  std::vector<Peer> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(Peer::connect(group[0].local_endpoint()));
  }
  std::size_t accepted = 0;
  for (const ListeningSocket& listening : group) {
    std::size_t mine = 0;
    while (accept_from(listening).is_open()) {
      ++mine;
    }
    CHECK(mine > 0);
    accepted += mine;
  }
  CHECK(accepted == clients.size());
}

TEST_CASE("listening socket: a group refuses an address in use, be it shared or not") {
  const auto alone = ListeningSocket::open(Endpoint::parse("127.0.0.1:0"));
  CHECK_THROWS_AS((void)ListeningSocket::open_group(alone.local_endpoint(), 2), std::system_error);
  CHECK_THROWS_AS((void)ListeningSocket::open_group(alone.local_endpoint(), 1), std::system_error);
  // SO_REUSEPORT alone would let a second server join the first one's group unnoticed.
  const auto group = ListeningSocket::open_group(Endpoint::parse("127.0.0.1:0"), 2);
  CHECK_THROWS_AS((void)ListeningSocket::open_group(group[0].local_endpoint(), 2),
                  std::system_error);
  CHECK_THROWS_AS((void)ListeningSocket::open_group(group[0].local_endpoint(), 1),
                  std::system_error);
}

TEST_CASE("listening socket: a group takes a port of its own choice") {
  // A port that was free a moment ago.
  const Endpoint free_port = ListeningSocket::open(Endpoint::parse("127.0.0.1:0")).local_endpoint();
  const auto group = ListeningSocket::open_group(free_port, 2);
  CHECK(group[0].local_endpoint().port() == free_port.port());
  CHECK(group[1].local_endpoint().port() == free_port.port());
}

TEST_CASE("listening socket: a Unix socket's file is there while it listens, and gone after") {
  const TemporaryFolder folder;
  const Endpoint endpoint = Endpoint::parse("unix:" + folder.path("s"));
  {
    const auto listening = ListeningSocket::open(endpoint);
    CHECK(listening.local_endpoint().to_string() == endpoint.to_string());
    CHECK(is_socket_file(folder.path("s")));
    const Peer client = Peer::connect(endpoint);
    CHECK(accept_from(listening).is_open());
  }
  CHECK(!exists(folder.path("s")));
}

TEST_CASE("listening socket: a Unix socket's file of the longest possible path is served") {
  const TemporaryFolder folder;
  const std::string start = folder.path("");
  const std::string path = start + std::string(107 - start.size(), 's');
  const auto listening = ListeningSocket::open(Endpoint::parse("unix:" + path));
  CHECK(listening.local_endpoint().address() == path);
  CHECK(can_connect(listening.local_endpoint()));
}

TEST_CASE("listening socket: a moved Unix socket removes its file once, with the last owner") {
  const TemporaryFolder folder;
  auto first = ListeningSocket::open(Endpoint::parse("unix:" + folder.path("s")));
  {
    const ListeningSocket second(std::move(first));
    { const ListeningSocket gone(std::move(first)); }
    CHECK(is_socket_file(folder.path("s")));
  }
  CHECK(!exists(folder.path("s")));
}

TEST_CASE("listening socket: a Unix socket's file that a dead process left behind is replaced") {
  const TemporaryFolder folder;
  const Endpoint endpoint = Endpoint::parse("unix:" + folder.path("s"));
  abandon_socket_file(endpoint);
  REQUIRE(is_socket_file(folder.path("s")));
  REQUIRE(!can_connect(endpoint));
  const auto listening = ListeningSocket::open(endpoint);
  CHECK(can_connect(endpoint));
}

TEST_CASE("listening socket: a Unix socket that somebody listens on is not replaced") {
  const TemporaryFolder folder;
  const Endpoint endpoint = Endpoint::parse("unix:" + folder.path("s"));
  const auto first = ListeningSocket::open(endpoint);
  const std::string message = refusal_of(endpoint);
  CHECK_MESSAGE(message.find("cannot listen on " + endpoint.to_string()) != std::string::npos,
                message);
  CHECK_THROWS_AS((void)ListeningSocket::open_group(endpoint, 2), std::system_error);
  CHECK(is_socket_file(folder.path("s")));
  CHECK(can_connect(endpoint));
}

TEST_CASE("listening socket: a Unix socket whose backlog is full is still somebody's") {
  const TemporaryFolder folder;
  const Endpoint endpoint = Endpoint::parse("unix:" + folder.path("s"));
  const auto first = ListeningSocket::open(endpoint, {.backlog = 0});
  const Peer waiting = Peer::connect(endpoint);
  CHECK(!refusal_of(endpoint).empty());
  CHECK(is_socket_file(folder.path("s")));
}

TEST_CASE("listening socket: a file that is no socket is never removed") {
  const TemporaryFolder folder;
  { std::ofstream(folder.path("file")) << "precious"; }
  CHECK(!refusal_of(Endpoint::parse("unix:" + folder.path("file"))).empty());
  std::string text;
  std::ifstream(folder.path("file")) >> text;
  CHECK(text == "precious");
}

TEST_CASE("listening socket: a Unix socket in a folder that is not there is refused, and named") {
  const TemporaryFolder folder;
  const std::string message = refusal_of(Endpoint::parse("unix:" + folder.path("no/s")));
  CHECK_MESSAGE(message.find(folder.path("no/s")) != std::string::npos, message);
}

TEST_CASE("listening socket: a group on a Unix socket shares it, and the first removes its file") {
  const TemporaryFolder folder;
  const Endpoint endpoint = Endpoint::parse("unix:" + folder.path("s"));
  auto group = ListeningSocket::open_group(endpoint, 3);
  REQUIRE(group.size() == 3);
  std::set<int> handles;
  for (const ListeningSocket& listening : group) {
    handles.insert(listening.native_handle());
    CHECK(listening.local_endpoint().to_string() == endpoint.to_string());
    const Peer client = Peer::connect(endpoint);
    CHECK(accept_from(listening).is_open());
  }
  CHECK(handles.size() == 3);
  group.pop_back();
  CHECK(can_connect(endpoint));
  group.clear();
  CHECK(!exists(folder.path("s")));
}

TEST_CASE("listening socket: a group that shares its port admits another that does, and no other") {
  auto group = ListeningSocket::open_group(Endpoint::parse("127.0.0.1:0"), 1, {.reuse_port = true});
  const Endpoint endpoint = group.front().local_endpoint();
  CHECK_NOTHROW(ListeningSocket::open_group(endpoint, 2, {.reuse_port = true}));
  CHECK_THROWS_AS(ListeningSocket::open_group(endpoint, 1), std::system_error);
  CHECK_THROWS_AS(ListeningSocket::open_group(endpoint, 2), std::system_error);
}

TEST_CASE("listening socket: one that is there already is taken over") {
  const TemporaryFolder folder;
  for (const Endpoint& wanted :
       {Endpoint::parse("127.0.0.1:0"), Endpoint::parse("unix:" + folder.path("socket"))}) {
    const Descriptor given(::socket(wanted.family(), SOCK_STREAM, 0));
    REQUIRE(::bind(given.get(), wanted.data(), wanted.size()) == 0);
    REQUIRE(::listen(given.get(), 8) == 0);
    const auto socket = ListeningSocket::adopt(Descriptor(::dup(given.get())));
    const Peer client = Peer::connect(socket.local_endpoint());
    CHECK(accept_from(socket).is_open());
    CHECK(!accept_from(socket).is_open());  // It doesn't block.
    CHECK((::fcntl(socket.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(is_socket_file(folder.path("socket")));  // Whoever made it removes it.
}

TEST_CASE("listening socket: what doesn't listen, or not for streams, is not taken over") {
  const Descriptor idle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Descriptor datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const Descriptor* descriptor : {&idle, &datagrams, &file}) {
    CHECK_THROWS_AS(ListeningSocket::adopt(Descriptor(::dup(descriptor->get()))),
                    std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(ListeningSocket::adopt(Descriptor(4000)),
                       "file descriptor 4000 is no stream socket that listens",
                       std::invalid_argument);
}

TEST_CASE("listening socket: what waits is not lost while there is a duplicate") {
  auto socket =
      std::make_unique<ListeningSocket>(ListeningSocket::open(Endpoint::parse("127.0.0.1:0")));
  const ListeningSocket duplicate = socket->duplicate();
  Peer client = Peer::connect(socket->local_endpoint());
  socket.reset();
  CHECK(!client.pump().gone());
  CHECK(accept_from(duplicate).is_open());
}

}  // namespace
}  // namespace stadion::net
