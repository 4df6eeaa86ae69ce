// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <vector>

#include "core/arena.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::pool {
namespace {

using tests::IdleSockets;
using tests::is_open_descriptor;
using tests::LiveArenas;
using tests::TestLoop;

/// A program of random operations on a pool, beside the simplest thing that should behave alike.
class Program {
 public:
  explicit Program(unsigned seed) : random_(seed) {}

  void step() {
    switch (number_up_to(9)) {
      case 0: return resize();
      case 1:
      case 2:
      case 3:
      case 4: return add();
      default: return remove();
    }
  }

  void check() {
    REQUIRE(pool_.size() == model_.size());
    REQUIRE(pool_.max_connections() == max_connections_);
    std::size_t visited = 0;
    pool_.for_each([&](Connection& connection) {
      ++visited;
      const auto expected = model_.find(connection.socket().native_handle());
      REQUIRE(expected != model_.end());
      REQUIRE(expected->second.ref.get() == &connection);
      REQUIRE(expected->second.data == connection.data());
      REQUIRE(pool_.get(expected->first) == &connection);
    });
    REQUIRE(visited == model_.size());
    for (const ConnectionRef& ref : gone_) {
      REQUIRE(ref.is_stale());
    }
    const SocketPoolStatistics statistics = pool_.statistics();
    REQUIRE(statistics.active == model_.size());
    REQUIRE(statistics.added == added_);
    REQUIRE(statistics.removed == removed_);
    REQUIRE(statistics.refused == refused_);
    REQUIRE(statistics.peak == peak_);
  }

 private:
  static constexpr std::size_t kLimitMax = 40;

  struct Expected {
    ConnectionRef ref;
    void* data;
  };

  std::size_t number_up_to(std::size_t largest) {
    return std::uniform_int_distribution<std::size_t>(0, largest)(random_);
  }

  void add() {
    net::Socket socket = sockets_.make();
    const int handle = socket.native_handle();
    Connection* connection = pool_.add(std::move(socket));
    REQUIRE((connection != nullptr) == (model_.size() < max_connections_));
    if (connection == nullptr) {
      REQUIRE(!is_open_descriptor(handle));
      ++refused_;
      return;
    }
    ++added_;
    // Any address will do: nobody looks at what is there.
    void* data = reinterpret_cast<void*>(added_);
    connection->set_data(data);
    REQUIRE(connection->write("something"));
    model_[handle] = {connection->ref(), data};
    peak_ = std::max<std::uint64_t>(peak_, model_.size());
  }

  void remove() {
    if (model_.empty()) {
      return;
    }
    const auto victim =
        std::next(model_.begin(), static_cast<std::ptrdiff_t>(number_up_to(model_.size() - 1)));
    pool_.remove(*pool_.get(victim->first));
    REQUIRE(pool_.get(victim->first) == nullptr);
    REQUIRE(!is_open_descriptor(victim->first));
    gone_.push_back(victim->second.ref);
    model_.erase(victim);
    ++removed_;
  }

  void resize() {
    const std::size_t limit = 1 + number_up_to(kLimitMax - 1);
    const bool fits = limit >= model_.size();
    REQUIRE(!pool_.resize(limit) == fits);
    max_connections_ = fits ? limit : max_connections_;
  }

  std::mt19937 random_;
  TestLoop loop_;
  IdleSockets sockets_{loop_.worker()};
  Arena arena_;
  std::size_t max_connections_ = 8;
  SocketPool pool_{arena_, 8, 64};
  std::map<int, Expected> model_;
  std::vector<ConnectionRef> gone_;
  std::uint64_t added_ = 0;
  std::uint64_t removed_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t peak_ = 0;
};

TEST_CASE_FIXTURE(LiveArenas, "socket pool: random programs leave it as a simple model is") {
  const unsigned first_seed = std::random_device{}();
  for (unsigned seed = first_seed; seed != first_seed + 10; ++seed) {
    INFO("seed ", seed);
    Program program(seed);
    for (int i = 0; i < 300; ++i) {
      program.step();
      program.check();
    }
  }
}

}  // namespace
}  // namespace stadion::pool
