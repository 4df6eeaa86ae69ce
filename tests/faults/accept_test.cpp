// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "net/listener.hpp"
#include "net/worker.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"

/// While a Listener may not or cannot accept, it rests: the calls that it makes are counted, and how long
/// they take is known from below, for each rest has its length.
namespace stadion::net {
namespace {

using tests::Call;
using tests::eventually;
using tests::Faults;
using tests::Peer;
using tests::RecordedLog;
using Clock = std::chrono::steady_clock;

const Endpoint kAnyPort = Endpoint::parse("127.0.0.1:0");

/// Turns of the loop for one rest: its end, and what else a turn may be for. Who spins has thousands.
constexpr std::int64_t kTurnsPerRest = 10;

/// Accepts on a thread of its own, and tells what calls had been made when it was handed a connection.
class CountedListener {
 public:
  explicit CountedListener(ListenerOptions options = {}) {
    Faults::spare_this_thread();
    listener_.emplace(
        worker_, ListeningSocket::open(kAnyPort), [this](Socket) { note(); }, options);
    worker_.start();
  }
  ~CountedListener() {
    worker_.stop();
    worker_.join();
  }

  CountedListener(const CountedListener&) = delete;
  CountedListener& operator=(const CountedListener&) = delete;

  Peer connect() const { return Peer::connect(listener_->local_endpoint()); }
  int accepted() const noexcept { return accepted_; }
  /// As of the last connection.
  std::int64_t accept_calls() const noexcept { return accept_calls_; }
  std::int64_t turns() const noexcept { return turns_; }

 private:
  void note() {
    accept_calls_ = Faults::made(Call::accept);
    turns_ = Faults::made(Call::epoll_wait);
    ++accepted_;
  }

  RecordedLog log_;
  Worker worker_{"listener"};
  std::optional<Listener> listener_;
  std::atomic<int> accepted_ = 0;
  std::atomic<std::int64_t> accept_calls_ = 0;
  std::atomic<std::int64_t> turns_ = 0;
};

TEST_CASE("accept: in a shortage it is called once in a rest, and nothing else is done") {
  constexpr std::int64_t kFailures = 2;  // Over long before those who wait would be closed.
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    CAPTURE(error);
    CountedListener listener;
    const Faults faults(Call::accept, 1, kFailures, error);
    const auto begin = Clock::now();
    const Peer client = listener.connect();
    REQUIRE(eventually([&] { return listener.accepted() == 1; }));
    CHECK(Clock::now() - begin >= kFailures * kAcceptRest);
    CHECK(listener.accept_calls() == kFailures + 1);
    CHECK(listener.turns() <= (kFailures + 1) * kTurnsPerRest);
  }
}

TEST_CASE("accept: in a long shortage it is called once more in a rest, to close who waits") {
  constexpr std::int64_t kRestsBefore = kShedAfter / kAcceptRest;
  constexpr std::int64_t kRests = 4;
  constexpr std::int64_t kCalls = kRestsBefore + 2 * kRests + 1;
  CountedListener listener;
  std::optional<Faults> faults;
  faults.emplace(Call::accept, 1, std::numeric_limits<std::int64_t>::max(), EMFILE);
  const auto begin = Clock::now();
  const Peer client = listener.connect();
  REQUIRE(eventually([] { return Faults::count() >= kCalls; }));
  CHECK(Clock::now() - begin >= (kRestsBefore + kRests) * kAcceptRest);
  CHECK(Faults::made(Call::epoll_wait) <= kCalls * kTurnsPerRest);
  CHECK(listener.accepted() == 0);
  faults.reset();
  CHECK(eventually([&] { return listener.accepted() == 1; }));
}

TEST_CASE("accept: it is not called for a connection that is above the accepts per second") {
  constexpr int kConnections = 4;
  CountedListener listener({.accepts_per_second_max = 10});  // One at once.
  const Faults none(Call::accept, 1, 0, 0);
  const auto begin = Clock::now();
  std::vector<Peer> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(listener.connect());
  }
  REQUIRE(eventually([&] { return listener.accepted() == kConnections; }));
  CHECK(Clock::now() - begin >= (kConnections - 1) * std::chrono::milliseconds(100));
  CHECK(listener.accept_calls() == kConnections);
  CHECK(listener.turns() <= kConnections * kTurnsPerRest);
}

}  // namespace
}  // namespace stadion::net
