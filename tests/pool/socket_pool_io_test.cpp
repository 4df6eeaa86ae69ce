// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/listener.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/served_pool.hpp"

namespace stadion::pool {
namespace {

using tests::ConnectedPair;
using tests::LiveArenas;
using tests::Peer;
using tests::ServedPool;

/// Copies as much input to the output as there is room for.
void echo_some(Connection& connection) {
  const std::string_view some = connection.input().substr(0, connection.output_room().size());
  CHECK(connection.write(some));
  connection.consume(some.size());
  if (connection.input_ended() && connection.input().empty()) {
    connection.close_after_output();
  }
}

void make_echo(tests::ScriptedHandler& handler) {
  handler.input = echo_some;
  handler.output_sent = echo_some;
  handler.input_end = echo_some;
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: a connection is opened, served, ended and closed, in this order") {
  ServedPool served(2, 64);
  make_echo(served.handler);
  auto client = served.connect();
  CHECK(served.handler.calls() == "open");
  client.peer.send("hello");
  served.loop.run_until([&] { return client.peer.pump().received() == "hello"; });
  client.peer.end();
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  CHECK(served.handler.calls() == "open input output_sent input_end close");
  CHECK(client.ref.is_stale());
  CHECK(served.pool.size() == 0);
  const SocketPoolStatistics statistics = served.pool.statistics();
  CHECK(statistics.bytes_in == 5);
  CHECK(statistics.bytes_out == 5);
  CHECK(statistics.removed == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: what is written when a connection opens is sent before it speaks") {
  ServedPool served(2, 64);
  served.handler.open = [](Connection& connection) {
    CHECK(connection.input().empty());
    CHECK(connection.write("220 ready"));
  };
  auto client = served.connect();
  served.loop.run_until([&] { return client.peer.pump().received() == "220 ready"; });
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: connections that were added before start() are served from there") {
  tests::TestLoop loop;
  Arena arena;
  tests::ScriptedHandler handler;
  make_echo(handler);
  SocketPool pool(arena, 2, 64);
  ConnectedPair pair = ConnectedPair::tcp();
  REQUIRE(pool.add(net::Socket(loop.worker(), pair.ours.release())) != nullptr);
  pair.peer.send("early");
  loop.run_ready();
  CHECK(handler.calls().empty());
  pool.start(loop.worker(), handler);
  CHECK(handler.calls() == "open");
  loop.run_until([&] { return pair.peer.pump().received() == "early"; });
}

TEST_CASE_FIXTURE(LiveArenas, "pool: of sent output nobody is told who wants to hear nothing") {
  ServedPool served(2, 64);
  bool wanted = false;
  served.handler.input = [&](Connection& connection) {
    connection.tell_output_sent(wanted);
    echo_some(connection);
  };
  auto client = served.connect();
  client.peer.send("one");
  served.loop.run_until([&] { return client.peer.pump().received() == "one"; });
  client.peer.send("two");  // Is read all the same.
  served.loop.run_until([&] { return client.peer.pump().received() == "onetwo"; });
  wanted = true;
  client.peer.send("three");
  served.loop.run_until([&] { return client.peer.pump().received() == "onetwothree"; });
  CHECK(served.handler.calls() == "open input input input output_sent");

  served.handler.input = [](Connection& connection) {
    connection.tell_output_sent(false);
    echo_some(connection);
    connection.close_after_output();
  };
  client.peer.send("!");
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  CHECK(client.peer.received() == "onetwothree!");
}

TEST_CASE_FIXTURE(LiveArenas, "pool: a Listener fills it, as the header's example shows") {
  ServedPool served(100, 64);
  make_echo(served.handler);
  const net::Listener listener(served.loop.worker(), net::Endpoint::parse("127.0.0.1:0"),
                               [&](net::Socket socket) { served.pool.add(std::move(socket)); });
  std::vector<Peer> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(Peer::connect(listener.local_endpoint()));
    peers.back().send("number " + std::to_string(i));
  }
  served.loop.run_until([&] {
    return std::all_of(peers.begin(), peers.end(), [n = 0](Peer& peer) mutable {
      return peer.pump().received() == "number " + std::to_string(n++);
    });
  });
  CHECK(served.pool.size() == 50);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: what a handler leaves unconsumed comes again with more behind it") {
  ServedPool served(2, 64);
  std::vector<std::string> seen;
  served.handler.input = [&](Connection& connection) {
    seen.emplace_back(connection.input());
    if (connection.input().ends_with('\n')) {
      connection.consume(connection.input().size());
    }
  };
  auto client = served.connect();
  client.peer.send("a li");
  served.loop.run_until([&] { return seen.size() == 1; });
  client.peer.send("ne\n");
  served.loop.run_until([&] { return seen.size() == 2; });
  client.peer.send("next\n");
  served.loop.run_until([&] { return seen.size() == 3; });
  CHECK(seen == std::vector<std::string>{"a li", "a line\n", "next\n"});
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: echoes far more than its buffers hold, to a peer that reads late") {
  const std::string text = tests::patterned_text(2 * 1024 * 1024);
  for (const bool over_tcp : {true, false}) {
    CAPTURE(over_tcp);
    ServedPool served(2, 1'000);
    make_echo(served.handler);
    auto client = served.connect(over_tcp ? ConnectedPair::tcp() : ConnectedPair::local());
    client.peer.receive_at_most(0);
    client.peer.send(text).end();
    served.run_to_rest(client.peer);
    if (!over_tcp) {  // TCP's buffers grow as they like.
      // Nothing is taken in that cannot be passed on: the pool holds two buffers, no more.
      CHECK(client.peer.unsent_bytes() > 0);
      CHECK(!client.ref.is_stale());
      const SocketPoolStatistics statistics = served.pool.statistics();
      CHECK(statistics.bytes_in - statistics.bytes_out <= 2'000);
    }
    client.peer.receive_at_most(std::numeric_limits<std::size_t>::max());
    served.loop.run_until([&] { return client.peer.pump().gone(); });
    CHECK(client.peer.ended());
    const bool intact = client.peer.received() == text;
    CHECK(intact);
    CHECK(served.pool.statistics().bytes_in == text.size());
    CHECK(served.pool.statistics().bytes_out == text.size());
    CHECK(served.handler.count("close") == 1);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "pool: a peer that takes no answers gets no more questions in") {
  const std::string answer(8 * 1024 * 1024, 'a');
  ServedPool served(2, 64);
  served.handler.input = [&](Connection& connection) {
    connection.consume(connection.input().size());
    connection.write_by_reference(answer);
  };
  auto client = served.connect(ConnectedPair::local());
  client.peer.receive_at_most(0);
  client.peer.send("question ");
  served.run_to_rest(client.peer);
  client.peer.send("and another");
  served.run_to_rest(client.peer);
  CHECK(served.handler.count("input") == 1);
  CHECK(served.pool.statistics().bytes_in == 9);
  client.peer.receive_at_most(answer.size());
  served.loop.run_until([&] {
    client.peer.pump();
    return served.handler.count("input") == 2;
  });
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: what a handler writes is sent when it returns, flush() or not") {
  ServedPool served(2, 64);
  auto client = served.connect();
  served.handler.input = [&](Connection& connection) {
    CHECK(connection.write("answer"));
    connection.flush();
    CHECK(client.peer.pump().received().empty());
    CHECK(connection.output_bytes() == 6);
    CHECK(connection.input() == "question");
    connection.consume(8);
  };
  client.peer.send("question");
  served.loop.run_until([&] { return client.peer.pump().received() == "answer"; });
}

TEST_CASE_FIXTURE(LiveArenas, "pool: output that is sent in part makes room before the rest is") {
  const std::string text = tests::patterned_text(4 * 1024 * 1024);
  ServedPool served(2, text.size());
  auto client = served.connect(ConnectedPair::local());
  client.peer.receive_at_most(0);
  served.loop.call([&] {
    CHECK(client.connection().write(text));
    client.connection().flush();
  });
  served.run_to_rest(client.peer);
  CHECK(client.connection().output_bytes() > 0);
  CHECK(client.connection().output_bytes() < text.size());
  const std::string more(text.size() - client.connection().output_bytes(), 'x');
  CHECK(client.connection().output_room().size() == more.size());
  CHECK(client.connection().write(more));
  CHECK(!client.connection().write("x"));
  client.connection().flush();
  const std::size_t bytes = text.size() + more.size();
  client.peer.receive_at_most(bytes);
  served.loop.run_until([&] { return client.peer.pump().received().size() == bytes; });
  const bool intact = client.peer.received() == text + more;
  CHECK(intact);
  served.loop.run_until([&] { return client.connection().output_bytes() == 0; });
  CHECK(client.connection().output_room().size() == text.size());
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: a reply that is written when there is room again arrives in order") {
  constexpr int kNumbers = 2'000;
  ServedPool served(2, 64);
  int next = 0;
  const auto count_on = [&](Connection& connection) {
    while (next < kNumbers && connection.write(std::to_string(next) + " ")) {
      ++next;
    }
    if (next == kNumbers) {
      connection.close_after_output();
    }
  };
  served.handler.open = count_on;
  served.handler.output_sent = count_on;
  auto client = served.connect();
  served.loop.run_until([&] { return client.peer.pump().ended(); });
  std::string expected;
  for (int i = 0; i < kNumbers; ++i) {
    expected += std::to_string(i) + " ";
  }
  const bool intact = client.peer.received() == expected;
  CHECK(intact);
}

TEST_CASE_FIXTURE(LiveArenas, "pool: 8 MiB by reference arrive intact, between what is written") {
  const std::string text = tests::patterned_text(8 * 1024 * 1024);
  for (const bool over_tcp : {true, false}) {
    CAPTURE(over_tcp);
    ServedPool served(2, 64);
    served.handler.open = [&](Connection& connection) {
      CHECK(connection.write("head "));
      CHECK(connection.write_by_reference(text));
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
    auto client = served.connect(over_tcp ? ConnectedPair::tcp() : ConnectedPair::local());
    served.loop.run_until([&] { return client.peer.pump().gone(); });
    CHECK(client.peer.ended());
    const bool intact = client.peer.received() == "head " + text + " tail";
    CHECK(intact);
    CHECK(served.handler.count("output_sent") == 2);
    CHECK(served.pool.statistics().bytes_out == text.size() + 10);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "pool: input is read while nothing is written, however much it is") {
  ServedPool served(2, 128);
  std::string seen;
  served.handler.input = [&](Connection& connection) {
    seen += connection.input();
    connection.consume(connection.input().size());
  };
  auto client = served.connect();
  const std::string text = tests::patterned_text(300'000);
  client.peer.send(text);
  served.loop.run_until([&] {
    client.peer.pump();
    return seen.size() >= text.size();
  });
  const bool intact = seen == text;
  CHECK(intact);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: a connection that the peer resets is closed, the others stay") {
  ServedPool served(3, 64);
  make_echo(served.handler);
  auto first = served.connect();
  auto second = served.connect();
  served.loop.run_ready();
  first.peer.reset();
  served.loop.run_until([&] { return first.ref.is_stale(); });
  CHECK(served.handler.count("close") == 1);
  CHECK(served.handler.count("input_end") == 0);
  second.peer.send("still there?");
  served.loop.run_until([&] { return second.peer.pump().received() == "still there?"; });
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: a connection whose peer is gone is closed when it is written to") {
  const std::string text(8 * 1024 * 1024, 'x');
  ServedPool served(2, 64);
  served.handler.open = [&](Connection& connection) { CHECK(connection.write_by_reference(text)); };
  ConnectedPair pair = ConnectedPair::local();
  pair.peer.receive_at_most(0);
  auto client = served.connect(std::move(pair));
  served.run_to_rest(client.peer);
  CHECK(!client.ref.is_stale());
  client.peer.close();
  served.loop.run_until([&] { return client.ref.is_stale(); });
  CHECK(served.handler.calls() == "open close");
}

TEST_CASE_FIXTURE(LiveArenas, "pool: a peer that ends is answered, and closed, by default") {
  ServedPool served(2, 64);
  served.handler.input = [](Connection& connection) { CHECK(connection.write("answer")); };
  auto client = served.connect();
  client.peer.send("question").end();
  served.loop.run_until([&] { return client.peer.pump().gone(); });
  CHECK(client.peer.ended());
  CHECK(client.peer.received() == "answer");
  CHECK(served.pool.size() == 0);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: a connection's user data is there until on_close(), for the last time") {
  ServedPool served(2, 64);
  std::string user = "user";
  std::vector<void*> seen;
  served.handler.open = [&](Connection& connection) { connection.set_data(&user); };
  served.handler.input = [&](Connection& connection) { seen.push_back(connection.data()); };
  served.handler.close = [&](Connection& connection) {
    seen.push_back(connection.data());
    CHECK(connection.socket().is_open());
  };
  auto client = served.connect();
  client.peer.send("x").end();
  served.loop.run_until([&] { return client.ref.is_stale() || client.peer.pump().gone(); });
  CHECK(seen == std::vector<void*>{&user, &user});
}

TEST_CASE_FIXTURE(LiveArenas,
                  "pool: destroying it with connections open tells on_close() of each") {
  std::vector<Peer> peers;
  {
    ServedPool served(5, 64);
    std::vector<ConnectionRef> told;
    served.handler.close = [&](Connection& connection) { told.push_back(connection.ref()); };
    {
      auto inner = std::make_unique<Arena>();
      auto& pool = inner->make<SocketPool>(*inner, 5U, 64U);
      pool.start(served.loop.worker(), served.handler);
      std::vector<ConnectionRef> refs;
      served.loop.call([&] {
        for (int i = 0; i < 3; ++i) {
          ConnectedPair pair = ConnectedPair::tcp();
          refs.push_back(pool.add(net::Socket(served.loop.worker(), pair.ours.release()))->ref());
          peers.push_back(std::move(pair.peer));
        }
      });
      served.loop.run_ready();
      inner->dispose();  // Document Pattern 2: pool and connections go with the arena.
      CHECK(told == refs);
    }
    served.loop.run_ready();
    CHECK(served.handler.calls() == "open open open close close close");
  }
  for (Peer& peer : peers) {
    CHECK(peer.pump().ended());
  }
}

}  // namespace
}  // namespace stadion::pool
