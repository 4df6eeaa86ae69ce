// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/worker_group.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::net {
namespace {

using tests::Peer;
using tests::RecordedLog;
using tests::TemporaryFolder;
using tests::TestLoop;

const Endpoint kAnyPort = Endpoint::parse("127.0.0.1:0");

bool can_connect(const Endpoint& endpoint) {
  const Descriptor client(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), endpoint.data(), endpoint.size()) == 0;
}

TEST_CASE("listener: hands each connection over as a socket of its Worker") {
  const TemporaryFolder folder;
  for (const std::string& address :
       {std::string("127.0.0.1:0"), std::string("[::1]:0"), "unix:" + folder.path("s")}) {
    CAPTURE(address);
    TestLoop loop;
    std::vector<Socket> accepted;
    Listener listener(loop.worker(), Endpoint::parse(address), [&](Socket socket) {
      CHECK(loop.worker().is_current());
      accepted.push_back(std::move(socket));
    });
    Peer first = Peer::connect(listener.local_endpoint());
    Peer second = Peer::connect(listener.local_endpoint());
    CHECK(accepted.empty());
    loop.run_until([&] { return accepted.size() == 2; });

    int written = 0;
    const auto count = [](void* context, std::uint64_t, std::error_code, std::size_t) {
      ++*static_cast<int*>(context);
    };
    accepted[0].async_write_some("to the first", {}, {count, &written, 0});
    accepted[1].async_write_some("to the second", {}, {count, &written, 0});
    loop.run_until([&] {
      first.pump();
      second.pump();
      return written == 2 && !first.received().empty() && !second.received().empty();
    });
    CHECK(first.received() == "to the first");
    CHECK(second.received() == "to the second");
  }
}

TEST_CASE("listener: tells the port that the system chose") {
  TestLoop loop;
  const Listener listener(loop.worker(), kAnyPort, [](Socket) {});
  CHECK(listener.local_endpoint().address() == "127.0.0.1");
  CHECK(listener.local_endpoint().port() != 0);
}

TEST_CASE("listener: an address in use is refused as ListeningSocket refuses it") {
  TestLoop loop;
  const Listener listener(loop.worker(), kAnyPort, [](Socket) {});
  CHECK_THROWS_AS((void)Listener(loop.worker(), listener.local_endpoint(), [](Socket) {}),
                  std::system_error);
}

TEST_CASE("listener: TCP connections get TCP_NODELAY, non-blocking and close-on-exec") {
  TestLoop loop;
  std::vector<Socket> accepted;
  const Listener listener(loop.worker(), kAnyPort,
                          [&](Socket socket) { accepted.push_back(std::move(socket)); });
  const Peer client = Peer::connect(listener.local_endpoint());
  loop.run_until([&] { return accepted.size() == 1; });
  const int handle = accepted[0].native_handle();
  int no_delay = 0;
  socklen_t length = sizeof no_delay;
  REQUIRE(::getsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length) == 0);
  CHECK(no_delay != 0);
  CHECK((::fcntl(handle, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(handle, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("listener: many connections at once are all accepted, each once") {
  constexpr std::size_t kConnections = 300;  // More than are accepted in one go.
  TestLoop loop;
  std::vector<Socket> accepted;
  const Listener listener(loop.worker(), kAnyPort,
                          [&](Socket socket) { accepted.push_back(std::move(socket)); });
  std::vector<Peer> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(Peer::connect(listener.local_endpoint()));
  }
  loop.run_until([&] { return accepted.size() >= kConnections; });
  loop.run_ready();
  CHECK(accepted.size() == kConnections);
  accepted.clear();
  std::size_t ended = 0;
  for (Peer& client : clients) {
    ended += client.pump().ended() ? 1U : 0U;
  }
  CHECK(ended == kConnections);
}

TEST_CASE("listener: a client that left before it was accepted disturbs nobody") {
  TestLoop loop;
  std::vector<Socket> accepted;
  const Listener listener(loop.worker(), kAnyPort,
                          [&](Socket socket) { accepted.push_back(std::move(socket)); });
  Peer::connect(listener.local_endpoint()).reset();
  const Peer second = Peer::connect(listener.local_endpoint());
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::getsockname(second.native_handle(), name, &length) == 0);
  loop.run_until([&] {
    return !accepted.empty() &&
           accepted.back().remote_endpoint().to_string() == Endpoint(name, length).to_string();
  });
}

TEST_CASE("listener: after close() the system refuses connections, and nobody is told of any") {
  const TemporaryFolder folder;
  for (const std::string& address : {std::string("127.0.0.1:0"), "unix:" + folder.path("s")}) {
    CAPTURE(address);
    TestLoop loop;
    int accepted = 0;
    Listener listener(loop.worker(), Endpoint::parse(address), [&](Socket) { ++accepted; });
    const Endpoint endpoint = listener.local_endpoint();
    Peer waiting = Peer::connect(endpoint);
    loop.call([&] { listener.close(); });
    CHECK(!can_connect(endpoint));
    loop.run_until([&] { return waiting.pump().gone(); });
    CHECK(accepted == 0);
    CHECK(listener.local_endpoint().to_string() == endpoint.to_string());
    listener.close();
  }
}

TEST_CASE("listener: its destruction closes it, and the address is free again") {
  const TemporaryFolder folder;
  for (const std::string& address : {std::string("127.0.0.1:0"), "unix:" + folder.path("s")}) {
    CAPTURE(address);
    TestLoop loop;
    std::optional<Listener> listener;
    listener.emplace(loop.worker(), Endpoint::parse(address), [](Socket) {});
    const Endpoint endpoint = listener->local_endpoint();
    loop.run_ready();
    listener.reset();
    CHECK(!can_connect(endpoint));
    CHECK_NOTHROW((void)Listener(loop.worker(), endpoint, [](Socket) {}));
  }
}

TEST_CASE("listener: its function may close it, and is not called for those that wait behind") {
  TestLoop loop;
  std::vector<Socket> accepted;
  std::unique_ptr<Listener> listener;
  listener = std::make_unique<Listener>(loop.worker(), kAnyPort, [&](Socket socket) {
    accepted.push_back(std::move(socket));
    listener->close();
  });
  std::vector<Peer> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Peer::connect(listener->local_endpoint()));
  }
  loop.run_until([&] { return clients[1].pump().gone() && clients[2].pump().gone(); });
  CHECK(accepted.size() == 1);
  CHECK(!clients[0].pump().gone());
}

TEST_CASE("listener: its function may destroy it, and goes on undisturbed") {
  TestLoop loop;
  std::unique_ptr<Listener> listener;
  std::string seen;
  // Long enough that the function's state is on the heap, where a stale use would be noticed.
  const std::string state(100, 's');
  listener = std::make_unique<Listener>(loop.worker(), kAnyPort, [&listener, &seen, state](Socket) {
    listener.reset();
    seen = state;
  });
  std::vector<Peer> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Peer::connect(listener->local_endpoint()));
  }
  loop.run_until([&] { return !seen.empty(); });
  loop.run_until([&] { return clients[2].pump().gone(); });
  CHECK(seen == state);
}

TEST_CASE("listener: a function that throws is logged, and gets the next connection all the same") {
  const RecordedLog log;
  TestLoop loop;
  int accepted = 0;
  const Listener listener(loop.worker(), kAnyPort, [&](Socket) {
    if (++accepted == 1) {
      throw std::runtime_error("no room for this one");
    }
  });
  Peer first = Peer::connect(listener.local_endpoint());
  loop.run_until([&] { return first.pump().gone(); });
  CHECK(log.count(LogLevel::error, "no room for this one") == 1);
  Peer second = Peer::connect(listener.local_endpoint());
  loop.run_ready();
  CHECK(accepted == 2);
}

TEST_CASE("listener: Workers share the connections to one port") {
  WorkerGroup group(2);
  auto sockets = ListeningSocket::open_group(kAnyPort, 2);
  const Endpoint endpoint = sockets[0].local_endpoint();
  std::array<std::atomic<int>, 2> accepted{};
  std::vector<std::unique_ptr<Listener>> listeners;
  for (std::size_t index = 0; index < 2; ++index) {
    listeners.push_back(std::make_unique<Listener>(group[index], std::move(sockets[index]),
                                                   [&mine = accepted[index]](Socket) { ++mine; }));
  }
  group.start();
  // Each is closed again as soon as it is accepted. The system spreads by the client's port.
  std::vector<Peer> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(Peer::connect(endpoint));
  }
  CHECK(tests::eventually([&] { return accepted[0] + accepted[1] == 200; }));
  group.stop();
  group.join();
  listeners.clear();
  CHECK(accepted[0] + accepted[1] == 200);
  CHECK(accepted[0] > 0);
  CHECK(accepted[1] > 0);
}

/// While it lives, no further file descriptor can be opened in this process.
class NoDescriptors {
 public:
  explicit NoDescriptors(TestLoop& warm_loop) {
    // UndefinedBehaviorSanitizer opens a pipe when it meets a type for the first time: let it meet
    // those of a loop with a timer before.
    bool expired = false;
    Timer timer(warm_loop.worker());
    timer.expires_after(std::chrono::milliseconds(1), [&expired] { expired = true; });
    warm_loop.run_until([&expired] { return expired; });
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const Descriptor lowest_free(::fcntl(0, F_DUPFD_CLOEXEC, 0));
    REQUIRE(lowest_free.is_open());
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free.get());
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("listener: out of descriptors it rests, and accepts what waited when there are some") {
  const RecordedLog log;
  TestLoop warm_loop;
  TestLoop loop;
  int accepted = 0;
  const Listener listener(loop.worker(), kAnyPort, [&](Socket) { ++accepted; });
  Peer client = Peer::connect(listener.local_endpoint());
  {
    const NoDescriptors none(warm_loop);
    loop.run_until([&] { return log.count(LogLevel::warning, "cannot accept on") == 1; });
    CHECK(!client.pump().gone());
  }
  loop.run_until([&] { return accepted == 1; });
  CHECK(log.count(LogLevel::info, "again; 0 connection(s) were closed unserved") == 1);
  const Peer next = Peer::connect(listener.local_endpoint());
  loop.run_until([&] { return accepted == 2; });
}

TEST_CASE("listener: out of descriptors for long it closes those that wait, and says so once") {
  const RecordedLog log;
  TestLoop warm_loop;
  TestLoop loop;
  int accepted = 0;
  const Listener listener(loop.worker(), kAnyPort, [&](Socket) { ++accepted; });
  std::vector<Peer> clients;
  for (int i = 0; i < 100; ++i) {  // More than are closed in one go.
    clients.push_back(Peer::connect(listener.local_endpoint()));
  }
  {
    const NoDescriptors none(warm_loop);
    const auto start = std::chrono::steady_clock::now();
    loop.run_until([&] {
      return std::all_of(clients.begin(), clients.end(),
                         [](Peer& client) { return client.pump().gone(); });
    });
    CHECK(std::chrono::steady_clock::now() - start >= kShedAfter);
    CHECK(log.count(LogLevel::warning, "cannot accept on") == 1);
  }
  CHECK(accepted == 0);
  const Peer next = Peer::connect(listener.local_endpoint());
  loop.run_until([&] { return accepted == 1; });
  CHECK(log.count(LogLevel::info, "again; 100 connection(s) were closed unserved") == 1);
}

TEST_CASE("listener: accepts so many a second, and leaves the others waiting") {
  using Clock = std::chrono::steady_clock;
  TestLoop loop;
  int accepted = 0;
  Clock::time_point first{};
  Clock::time_point last{};
  // Five at once, a tenth of a second's; and then one every 20 ms.
  const Listener listener(loop.worker(), ListeningSocket::open(kAnyPort),
                          [&](Socket) {
                            first = accepted++ == 0 ? Clock::now() : first;
                            last = Clock::now();
                          },
                          {.accepts_per_second_max = 50});
  std::vector<Peer> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(Peer::connect(listener.local_endpoint()));
  }
  loop.run_until([&] { return accepted >= 5; });
  loop.run_until([&] { return accepted == 12; });
  CHECK(last - first >= std::chrono::milliseconds(7 * 20 - 10));
}

TEST_CASE("listener: drained it accepts those who wait, and then no more") {
  const RecordedLog log;
  TestLoop loop;
  int accepted = 0;
  Listener listener(loop.worker(), kAnyPort, [&](Socket) {
    if (++accepted == 3) {
      throw std::runtime_error("no room");
    }
  });
  const Endpoint endpoint = listener.local_endpoint();
  std::vector<Peer> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(Peer::connect(endpoint));
  }
  loop.call([&] { listener.drain(); });
  CHECK(accepted == 100);
  CHECK(log.count(LogLevel::error, "is closed unserved: no room") == 1);
  const Descriptor late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::connect(late.get(), endpoint.data(), endpoint.size()) != 0);
  listener.drain();  // Nothing more to do.
}

TEST_CASE("listener: drained it accepts drained_max at the most, and closes the others unserved") {
  constexpr std::size_t kDrainedMax = 5;
  for (const std::size_t waiting : {kDrainedMax - 1, kDrainedMax, kDrainedMax + 1}) {
    CAPTURE(waiting);
    TestLoop loop;
    std::vector<Socket> accepted;
    Listener listener(loop.worker(), ListeningSocket::open(kAnyPort),
                      [&](Socket socket) { accepted.push_back(std::move(socket)); },
                      {.drained_max = kDrainedMax});
    std::vector<Peer> clients;
    for (std::size_t i = 0; i < waiting; ++i) {
      clients.push_back(Peer::connect(listener.local_endpoint()));
    }
    loop.call([&] { listener.drain(); });
    CHECK(accepted.size() == std::min(waiting, kDrainedMax));
    loop.run_until([&] {
      const auto gone = std::count_if(clients.begin(), clients.end(),
                                      [](Peer& client) { return client.pump().gone(); });
      return static_cast<std::size_t>(gone) == waiting - accepted.size();
    });
  }
}

TEST_CASE("listener: closed it is not woken by what its duplicate is told") {
  TestLoop loop;
  int accepted = 0;
  auto socket = ListeningSocket::open(kAnyPort);
  const ListeningSocket duplicate = socket.duplicate();
  Listener listener(loop.worker(), std::move(socket), [&](Socket) { ++accepted; });
  const Peer first = Peer::connect(duplicate.local_endpoint());
  loop.run_until([&] { return accepted == 1; });
  listener.close();
  const Peer second = Peer::connect(duplicate.local_endpoint());
  loop.run_ready();
  CHECK(accepted == 1);
  int passed_on = 0;
  const Listener next(loop.worker(), duplicate.duplicate(), [&](Socket) { ++passed_on; });
  loop.run_until([&] { return passed_on == 1; });
}

TEST_CASE("listener: the limit on accepts per second is itself limited") {
  TestLoop loop;
  const auto listen = [&](std::size_t per_second) {
    const Listener listener(loop.worker(), ListeningSocket::open(kAnyPort), [](Socket) {},
                            {.accepts_per_second_max = per_second});
  };
  CHECK_NOTHROW(listen(1'000'000));
  CHECK_THROWS_WITH_AS(listen(1'000'001), "accepts_per_second_max is at most 1000000, not 1000001",
                       std::invalid_argument);
}

TEST_CASE("listener: closed while it rests it stays closed") {
  const RecordedLog log;
  TestLoop warm_loop;
  TestLoop loop;
  int accepted = 0;
  Listener listener(loop.worker(), kAnyPort, [&](Socket) { ++accepted; });
  Peer client = Peer::connect(listener.local_endpoint());
  {
    const NoDescriptors none(warm_loop);
    loop.run_until([&] { return !log.lines().empty(); });
  }
  loop.call([&] { listener.close(); });
  loop.run_until([&] { return client.pump().gone(); });
  CHECK(accepted == 0);
}

TEST_CASE("listener: its function may destroy it when it is called after a rest") {
  const RecordedLog log;
  TestLoop warm_loop;
  TestLoop loop;
  bool called = false;
  std::unique_ptr<Listener> listener;
  listener = std::make_unique<Listener>(loop.worker(), kAnyPort, [&](Socket) {
    called = true;
    listener.reset();
  });
  const Peer client = Peer::connect(listener->local_endpoint());
  {
    const NoDescriptors none(warm_loop);
    loop.run_until([&] { return !log.lines().empty(); });
  }
  loop.run_until([&] { return called; });
  CHECK(listener == nullptr);
}

}  // namespace
}  // namespace stadion::net
