// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/socket_pool.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/served_pool.hpp"
#include "tests/support/temporary_file.hpp"

namespace stadion::pool {
namespace {

using namespace std::chrono_literals;
using tests::ConnectedPair;
using tests::is_open_descriptor;
using tests::LiveArenas;
using tests::pairs_of_each_kind;
using tests::patterned_text;
using tests::RecordedLog;
using tests::ServedPool;
using tests::TemporaryFile;
using Clock = Connection::Clock;

/// A connection that sends 8 MiB of a file to a peer that takes nothing of it, as far as it goes.
class WaitingFile : LiveArenas {
 protected:
  explicit WaitingFile(SocketPoolTimes times = {}) : served(3, 64, times) {
    served.handler.open = [this](Connection& connection) {
      CHECK(connection.write("head "));
      CHECK(connection.write_file(file.descriptor(), 0, text.size()));
    };
    ConnectedPair pair = ConnectedPair::local();
    pair.peer.receive_at_most(0);
    client.emplace(served.connect(std::move(pair)));
    served.run_to_rest(client->peer);
    REQUIRE(client->connection().output_bytes() > 0);
    REQUIRE(served.pool.statistics().bytes_out > 5);
  }

  void receive_all() { client->peer.receive_at_most(std::numeric_limits<std::size_t>::max()); }

  const std::string text = patterned_text(8 * 1024 * 1024);
  const TemporaryFile file{text};
  const RecordedLog log;
  ServedPool served;
  std::optional<ServedPool::Client> client;
};

TEST_CASE_FIXTURE(LiveArenas, "file: 10 MiB arrive intact, between what is written") {
  const std::string text = patterned_text(10 * 1024 * 1024);
  const TemporaryFile file(text);
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    ServedPool served(2, 64);
    served.handler.open = [&](Connection& connection) {
      CHECK(connection.write("head "));
      CHECK(connection.write_file(file.descriptor(), 0, text.size()));
      CHECK(connection.output_bytes() == 5 + text.size());
    };
    served.handler.output_sent = [&, once = true](Connection& connection) mutable {
      CHECK(connection.output_bytes() == 0);
      if (once) {
        CHECK(connection.write(" tail"));
        connection.close_after_output();
        once = false;
      }
    };
    auto client = served.connect(std::move(pair));
    std::size_t allowed = 0;
    served.loop.run_until([&] {
      client.peer.receive_at_most(allowed += 100'000);
      return client.peer.pump().gone();
    });
    CHECK(client.peer.ended());
    const bool intact = client.peer.received() == "head " + text + " tail";
    CHECK(intact);
    CHECK(served.handler.count("output_sent") == 2);
    CHECK(served.pool.statistics().bytes_out == text.size() + 10);
    CHECK(is_open_descriptor(file.descriptor()));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "file: a part of one, from the middle, with nothing before it") {
  ServedPool served(2, 64);
  const TemporaryFile file("0123456789");
  auto client = served.connect();
  CHECK(client.connection().write_file(file.descriptor(), 3, 4));
  CHECK(client.connection().output_bytes() == 4);
  client.connection().flush();
  served.loop.run_until([&] { return client.peer.pump().received() == "3456"; });
  served.loop.run_until([&] { return served.handler.count("output_sent") == 1; });
  CHECK(served.pool.statistics().bytes_out == 4);
}

TEST_CASE_FIXTURE(LiveArenas, "file: while one is pending there is no room for other output") {
  ServedPool served(2, 64);
  const TemporaryFile file("file");
  auto client = served.connect();
  Connection& connection = client.connection();
  CHECK(connection.write("written "));
  SUBCASE("a file") {
    CHECK(connection.write_file(file.descriptor(), 0, 4));
    CHECK(!connection.write_by_reference("reference"));
  }
  SUBCASE("a reference") {
    CHECK(connection.write_by_reference("file"));
    CHECK(!connection.write_by_reference("reference"));
  }
  CHECK(!connection.write_file(file.descriptor(), 0, 1));
  CHECK(connection.output_room().empty());
  CHECK(!connection.write("x"));
  CHECK(connection.write(""));
  CHECK(connection.output_bytes() == 12);
  connection.flush();
  served.loop.run_until([&] { return client.peer.pump().received() == "written file"; });
  served.loop.run_until([&] { return client.connection().output_bytes() == 0; });
  CHECK(client.connection().write("again "));
  CHECK(client.connection().write_file(file.descriptor(), 0, 4));
  client.connection().flush();
  served.loop.run_until([&] { return client.peer.pump().received() == "written fileagain file"; });
}

TEST_CASE_FIXTURE(LiveArenas, "file: nothing of a file is nothing to send") {
  ServedPool served(2, 64);
  const TemporaryFile empty("");
  auto client = served.connect();
  CHECK(client.connection().write_file(empty.descriptor(), 0, 0));
  CHECK(client.connection().output_bytes() == 0);
  CHECK(client.connection().write("head"));
  CHECK(client.connection().write_file(-1, 0, 0));
  CHECK(client.connection().write_by_reference(" body"));
  client.connection().flush();
  served.loop.run_until([&] { return client.peer.pump().received() == "head body"; });
  CHECK(!client.ref.is_stale());
}

TEST_CASE_FIXTURE(LiveArenas, "file: more than 4 GiB are counted as what they are") {
  ServedPool served(2, 64);
  const TemporaryFile file("");
  auto client = served.connect();
  constexpr std::uint64_t kBytes = std::uint64_t{5} << 30;
  CHECK(client.connection().write("head"));
  CHECK(client.connection().write_file(file.descriptor(), 0, kBytes));
  CHECK(client.connection().output_bytes() == kBytes + 4);
}

TEST_CASE_FIXTURE(LiveArenas, "file: one given while a write is under way comes after it") {
  ServedPool served(2, 64);
  const TemporaryFile file("file");
  auto client = served.connect();
  served.loop.call([&] {
    CHECK(client.connection().write("written "));
    client.connection().flush();
    CHECK(client.connection().write_file(file.descriptor(), 0, 4));
  });
  served.loop.run_until([&] { return client.peer.pump().received() == "written file"; });
}

TEST_CASE_FIXTURE(LiveArenas, "file: several connections send from one descriptor at once") {
  ServedPool served(4, 64);
  const std::string text = patterned_text(3 * 1024 * 1024);
  const TemporaryFile file(text);
  served.handler.open = [&](Connection& connection) {
    CHECK(connection.write_file(file.descriptor(), 0, text.size()));
    connection.close_after_output();
  };
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(served.connect());
  }
  for (auto& client : clients) {
    served.loop.run_until([&] { return client.peer.pump().ended(); });
    const bool intact = client.peer.received() == text;
    CHECK(intact);
  }
}

TEST_CASE_FIXTURE(WaitingFile, "file: one that is cut while it is sent closes the connection") {
  const std::string peer = client->connection().socket().remote_endpoint().to_string();
  const std::uint64_t sent = served.pool.statistics().bytes_out;
  file.resize(1'000);
  receive_all();
  served.loop.run_until([&] { return client->peer.pump().gone(); });
  CHECK(client->ref.is_stale());
  CHECK(served.handler.calls() == "open close");  // Nobody is told that it was sent.
  CHECK(client->peer.received().size() == sent);
  CHECK(log.lines().size() == 1);
  CHECK(log.count(LogLevel::error, "file descriptor " + std::to_string(file.descriptor())) == 1);
  CHECK(log.count(LogLevel::error, "the file ends before") == 1);
  CHECK(log.count(LogLevel::error, peer) == 1);
  CHECK(log.count(LogLevel::error, "at byte " + std::to_string(sent - 5)) == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "file: one that was never so long sends what it has, and closes") {
  const RecordedLog log;
  ServedPool served(2, 64);
  const TemporaryFile file("short");
  served.handler.open = [&](Connection& connection) {
    CHECK(connection.write_file(file.descriptor(), 0, 6));
  };
  auto client = served.connect();
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.peer.received() == "short");
  CHECK(served.handler.calls() == "open close");
  CHECK(log.lines().size() == 1);
  CHECK(log.count(LogLevel::error, "at byte 5, with 1 to go") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "file: one that cannot be sent closes the connection") {
  const RecordedLog log;
  ServedPool served(2, 64);
  served.handler.open = [](Connection& connection) { CHECK(connection.write_file(-1, 0, 1)); };
  auto client = served.connect();
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(served.handler.calls() == "open close");
  CHECK(log.lines().size() == 1);
  CHECK(log.count(LogLevel::error, "Bad file descriptor") == 1);
}

TEST_CASE_FIXTURE(WaitingFile, "file: a peer that goes while it is sent is no operator's trouble") {
  client->peer.close();
  served.loop.run_until([&] { return client->ref.is_stale(); });
  CHECK(served.handler.calls() == "open close");
  CHECK(log.lines().size() == 1);
  CHECK(log.count(LogLevel::debug, "cannot send file descriptor") == 1);
  CHECK(is_open_descriptor(file.descriptor()));
}

TEST_CASE_FIXTURE(WaitingFile, "file: closing the connection while it is sent leaves it alone") {
  client->connection().close();
  CHECK(client->ref.is_stale());
  CHECK(served.handler.calls() == "open close");
  receive_all();
  served.loop.run_until([&] { return client->peer.pump().gone(); });
  CHECK(client->peer.received().size() == served.pool.statistics().bytes_out);
  CHECK(is_open_descriptor(file.descriptor()));
  CHECK(log.lines().empty());
}

TEST_CASE_FIXTURE(WaitingFile, "file: a connection that moves while it is sent goes on") {
  CHECK(!served.pool.resize(50));
  receive_all();
  served.loop.run_until([&] { return client->peer.pump().received().size() == text.size() + 5; });
  const bool intact = client->peer.received() == "head " + text;
  CHECK(intact);
  served.loop.run_until([&] { return served.handler.count("output_sent") == 1; });
  CHECK(client->connection().output_bytes() == 0);
}

TEST_CASE_FIXTURE(WaitingFile, "file: a drain waits until it is sent") {
  bool drained = false;
  served.pool.drain(1h, [&drained] { drained = true; });
  served.loop.run_ready();
  CHECK(!client->ref.is_stale());
  receive_all();
  served.loop.run_until([&] { return client->peer.pump().ended(); });
  const bool intact = client->peer.received() == "head " + text;
  CHECK(intact);
  client->peer.end();
  served.loop.run_until([&] { return drained; });
}

struct StalledFile : WaitingFile {
  StalledFile() : WaitingFile({.idle = 10s, .write_stalled = 30s}) {}
};

TEST_CASE_FIXTURE(StalledFile, "file: a peer that takes nothing of it is disconnected in time") {
  const Clock::time_point last_sent = client->connection().last_activity();
  served.pool.sweep(last_sent + 30s - 1ns);
  CHECK(!client->ref.is_stale());
  served.pool.sweep(last_sent + 30s);
  CHECK(client->ref.is_stale());
  CHECK(served.pool.statistics().timed_out == 1);
  CHECK(served.handler.calls() == "open close");
}

TEST_CASE_FIXTURE(StalledFile, "file: bytes of it that the peer takes begin the time anew") {
  const Clock::time_point last_sent = client->connection().last_activity();
  served.pool.sweep(last_sent + 20s);
  client->peer.receive_at_most(1024 * 1024);
  served.run_to_rest(client->peer);
  CHECK(client->connection().last_activity() > last_sent);
  served.pool.sweep(last_sent + 30s);
  CHECK(!client->ref.is_stale());
}

}  // namespace
}  // namespace stadion::pool
