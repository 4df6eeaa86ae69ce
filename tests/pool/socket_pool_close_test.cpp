// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool/socket_pool.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/served_pool.hpp"

namespace stadion::pool {
namespace {

using namespace std::chrono_literals;
using tests::ConnectedPair;
using tests::LiveArenas;
using tests::RecordedLog;
using tests::ServedPool;

TEST_CASE_FIXTURE(LiveArenas, "close: within a handler the connection is there until it returns") {
  ServedPool served(3, 64);
  auto other = served.connect();
  auto client = served.connect();
  served.handler.input = [&](Connection& connection) {
    connection.close();
    CHECK(connection.is_closing());
    CHECK(served.handler.count("close") == 0);
    CHECK(!client.ref.is_stale());
    CHECK(connection.input() == "x");
  };
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.ref.is_stale());
  CHECK(!other.ref.is_stale());
  CHECK(served.handler.calls() == "open open input close");
}

TEST_CASE_FIXTURE(LiveArenas, "close: what was not sent is lost") {
  ServedPool served(3, 64);
  served.handler.input = [](Connection& connection) {
    CHECK(connection.write("never sent"));
    connection.consume(connection.input().size());
    connection.close();
  };
  auto client = served.connect();
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.peer.received().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "close: in on_open() means that add() gives no connection") {
  ServedPool served(3, 64);
  served.handler.open = [](Connection& connection) { connection.close(); };
  auto client = served.connect();
  CHECK(client.ref.is_stale());
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(served.handler.calls() == "open close");
  CHECK(served.pool.size() == 0);
  CHECK(served.pool.statistics().refused == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "remove: within a handler the connection is gone at once") {
  ServedPool served(3, 64);
  auto client = served.connect();
  served.handler.input = [&](Connection& connection) {
    served.pool.remove(connection);
    CHECK(client.ref.is_stale());
    CHECK(served.handler.count("close") == 1);
    CHECK(served.pool.size() == 0);
  };
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(served.handler.calls() == "open input close");
}

TEST_CASE_FIXTURE(LiveArenas, "close: a handler may close or remove another connection") {
  for (const bool by_close : {true, false}) {
    CAPTURE(by_close);
    ServedPool served(3, 64);
    auto other = served.connect();
    auto client = served.connect();
    served.handler.input = [&](Connection& connection) {
      by_close ? other.connection().close() : served.pool.remove(other.connection());
      CHECK(other.ref.is_stale());
      CHECK(connection.write("done"));
    };
    client.peer.send("x");
    served.loop.run_until([&] { return client.peer.pump().received() == "done"; });
    CHECK(other.peer.pump().ended());
    CHECK(!client.ref.is_stale());
    CHECK(served.pool.size() == 1);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "close: a handler may write to another connection, and flush it") {
  ServedPool served(3, 64);
  auto other = served.connect();
  auto client = served.connect();
  served.handler.input = [&](Connection& connection) {
    CHECK(other.connection().write(connection.input()));
    other.connection().flush();
    connection.consume(connection.input().size());
  };
  client.peer.send("to the other");
  served.loop.run_until([&] { return other.peer.pump().received() == "to the other"; });
  CHECK(client.peer.pump().received().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "close: every connection may be removed in the handler of one") {
  ServedPool served(8, 64);
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(served.connect());
  }
  served.handler.input = [&](Connection&) {
    served.pool.for_each([&](Connection& each) { served.pool.remove(each); });
  };
  for (auto& client : clients) {
    client.peer.send("x");
  }
  served.loop.run_until([&] { return clients[4].peer.pump().gone(); });
  CHECK(served.pool.size() == 0);
  CHECK(served.handler.count("input") == 1);
  CHECK(served.handler.count("close") == 5);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "close: on_close() is told once, though it closes the connection itself") {
  ServedPool served(3, 64);
  auto client = served.connect();
  served.handler.close = [&](Connection& connection) {
    connection.close();
    served.pool.remove(connection);
    connection.close_after_output();
    CHECK(connection.write("too late"));
    connection.flush();
  };
  served.pool.remove(client.connection());
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(served.handler.count("close") == 1);
  CHECK(served.pool.size() == 0);
  CHECK(client.peer.received().empty());
}

TEST_CASE_FIXTURE(LiveArenas, "close: on_close() may remove the others, and resize the pool") {
  ServedPool served(4, 64);
  std::vector<ServedPool::Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(served.connect());
  }
  served.handler.close = [&, once = true](Connection&) mutable {
    if (once) {
      once = false;
      CHECK(!served.pool.resize(16));
      served.pool.remove(clients[1].connection());
    }
  };
  served.pool.remove(clients[0].connection());
  CHECK(clients[0].ref.is_stale());
  CHECK(clients[1].ref.is_stale());
  CHECK(!clients[2].ref.is_stale());
  CHECK(served.pool.size() == 1);
  served.loop.run_until(
      [&] { return clients[0].peer.pump().ended() && clients[1].peer.pump().ended(); });
}

TEST_CASE_FIXTURE(LiveArenas, "resize: within a handler the ref goes on where the pointer cannot") {
  ServedPool served(2, 64);
  served.handler.input = [&](Connection& connection) {
    const ConnectionRef ref = connection.ref();
    const Connection* before = &connection;
    CHECK(!served.pool.resize(served.pool.max_connections() + 10));
    Connection* after = ref.get();
    REQUIRE(after != nullptr);
    CHECK(after != before);
    CHECK(after->write(after->input()));
    after->consume(after->input().size());
  };
  auto client = served.connect();
  auto other = served.connect();
  client.peer.send("moved");
  served.loop.run_until([&] { return client.peer.pump().received() == "moved"; });
  other.peer.send("moved, too");
  served.loop.run_until([&] { return other.peer.pump().received() == "moved, too"; });
  client.peer.send(" again");
  served.loop.run_until([&] { return client.peer.pump().received() == "moved again"; });
  CHECK(served.pool.max_connections() == 32);
}

TEST_CASE_FIXTURE(LiveArenas, "resize: a handler may resize and close, and add connections") {
  ServedPool served(1, 64);
  ConnectedPair pair = ConnectedPair::tcp();
  served.handler.input = [&](Connection& connection) {
    const ConnectionRef ref = connection.ref();
    CHECK(!served.pool.resize(2));
    Connection* added = served.pool.add(net::Socket(served.loop.worker(), pair.ours.release()));
    REQUIRE(added != nullptr);
    CHECK(added->write("welcome"));
    added->flush();
    ref.get()->close();
  };
  auto client = served.connect();
  client.peer.send("x");
  served.loop.run_until(
      [&] { return client.peer.pump().gone() && pair.peer.pump().received() == "welcome"; });
  CHECK(client.ref.is_stale());
  CHECK(served.pool.size() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "handler: an exception is logged, and closes that connection alone") {
  using Handler = tests::ScriptedHandler;
  using Client = ServedPool::Client;
  struct Step {
    const char* name;
    Handler::Function Handler::*function;
    void (*provoke)(ServedPool& served, Client& client);
  };
  const Step steps[] = {
      {"open", &Handler::open, [](ServedPool&, Client&) {}},
      {"input", &Handler::input, [](ServedPool&, Client& client) { client.peer.send("x"); }},
      {"input_end", &Handler::input_end, [](ServedPool&, Client& client) { client.peer.end(); }},
      {"output_sent", &Handler::output_sent,
       [](ServedPool&, Client& client) {
         CHECK(client.connection().write("x"));
         client.connection().flush();
       }},
      {"timeout", &Handler::timeout,
       [](ServedPool& served, Client& client) {
         client.connection().expires_after(0ms);
         served.pool.sweep(Connection::Clock::now());
       }},
      {"drain", &Handler::drain,
       [](ServedPool& served, Client&) { served.pool.drain(1h, nullptr); }},
  };
  for (const Step& step : steps) {
    CAPTURE(step.name);
    const RecordedLog log;
    ServedPool served(3, 64);
    auto other = served.connect();
    served.handler.*step.function = [&](Connection& connection) {
      if (connection.ref() != other.ref) {
        throw std::runtime_error("trouble");
      }
    };
    auto client = served.connect();
    step.provoke(served, client);
    served.loop.run_until([&] { return client.peer.pump().gone(); });
    CHECK(client.ref.is_stale());
    CHECK(log.count(LogLevel::error, "trouble") == 1);
    CHECK(served.handler.count("close") == 1);
    CHECK(!other.ref.is_stale());
    CHECK(served.pool.size() == 1);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "handler: what is thrown and is no std::exception closes it, too") {
  const RecordedLog log;
  ServedPool served(3, 64);
  served.handler.input = [](Connection&) { throw 3; };
  auto client = served.connect();
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.ref.is_stale());
  CHECK(log.lines().size() == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "handler: an exception after it removed its connection is logged") {
  const RecordedLog log;
  ServedPool served(3, 64);
  served.handler.input = [&](Connection& connection) {
    served.pool.remove(connection);
    throw std::runtime_error("trouble");
  };
  auto client = served.connect();
  client.peer.send("x");
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(log.count(LogLevel::error, "trouble") == 1);
  CHECK(served.handler.count("close") == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "close after output: delivers everything although the peer still sends") {
  const std::string reply = tests::patterned_text(1024 * 1024);
  ServedPool served(3, 1024);
  served.handler.input = [&](Connection& connection) {
    connection.write("reply: ");
    connection.write_by_reference(reply);
    connection.close_after_output();
    CHECK(connection.is_closing());
  };
  auto client = served.connect();
  // Much more than is ever read before the reply: closing with it unread would reset the
  // connection, and the peer lose what it has not received yet.
  client.peer.send(std::string(4 * 1024 * 1024, 'q'));
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.peer.ended());
  const bool intact = client.peer.received() == "reply: " + reply;
  CHECK(intact);
  CHECK(served.handler.count("input") == 1);
  // It waits for the peer to have said everything.
  CHECK(!client.ref.is_stale());
  client.peer.end();
  served.loop.run_until([&] {
    client.peer.pump();
    return client.ref.is_stale();
  });
  CHECK(!client.peer.broken());
  CHECK(served.handler.count("input") == 1);
  CHECK(served.handler.count("input_end") == 0);
  CHECK(served.handler.count("close") == 1);
  CHECK(served.pool.statistics().timed_out == 0);
}

TEST_CASE_FIXTURE(LiveArenas, "close after output: with nothing to send ends our side at once") {
  ServedPool served(3, 64);
  auto client = served.connect();
  client.connection().close_after_output();
  client.connection().flush();
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  CHECK(!client.ref.is_stale());
  client.peer.close();
  served.loop.run_until([&] { return client.ref.is_stale(); });
}

TEST_CASE_FIXTURE(LiveArenas,
                  "close after output: a peer that never ends its side is closed in the end") {
  for (const std::chrono::milliseconds linger : {2'000ms, 60'000ms}) {
    ServedPool served(3, 64, {.linger = linger});
    served.handler.input = [](Connection& connection) {
      CHECK(connection.write("bye"));
      connection.close_after_output();
    };
    auto client = served.connect();
    const auto before = Connection::Clock::now();
    client.peer.send("x");
    served.loop.run_until([&] { return client.peer.pump().ended(); });
    const auto after = Connection::Clock::now();
    CHECK(client.peer.received() == "bye");
    client.peer.send("on and on");
    served.loop.run_ready();

    served.pool.sweep(before + linger - 1ms);
    CHECK(!client.ref.is_stale());
    served.pool.sweep(after + linger);
    CHECK(client.ref.is_stale());
    CHECK(served.handler.count("timeout") == 0);
    CHECK(served.handler.count("input") == 1);
    CHECK(served.handler.count("close") == 1);
    CHECK(served.pool.statistics().timed_out == 1);
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "close after output: a linger time of nothing closes without waiting") {
  ServedPool served(3, 64, {.linger = 0ms});
  served.handler.input = [](Connection& connection) {
    connection.consume(connection.input().size());
    CHECK(connection.write("bye"));
    connection.close_after_output();
  };
  auto client = served.connect();
  client.peer.send("x");
  served.loop.run_until([&] { return client.ref.is_stale(); });
  CHECK(client.peer.pump().received() == "bye");
  CHECK(client.peer.ended());
}

}  // namespace
}  // namespace stadion::pool
