// SPDX-License-Identifier: MIT
#include "pool/connection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/support/live_arenas.hpp"
#include "tests/support/served_pool.hpp"

namespace stadion::pool {
namespace {

using tests::ConnectedPair;
using tests::LiveArenas;
using tests::ServedPool;

/// One connection with buffers of 16 bytes, on a pool whose handler does nothing by itself.
class OneConnection : LiveArenas {
 protected:
  static constexpr std::size_t kBufferBytes = 16;

  Connection& connection() const { return client.connection(); }
  tests::Peer& peer() { return client.peer; }
  void wait_for_input(std::string_view text) {
    served.loop.run_until([&] { return connection().input() == text; });
  }
  void wait_until_received(std::string_view text) {
    served.loop.run_until([&] { return peer().pump().received() == text; });
  }

  ServedPool served{4, kBufferBytes};
  ServedPool::Client client = served.connect();
};

TEST_CASE_FIXTURE(OneConnection,
                  "connection: input stays until it is consumed, more comes behind") {
  CHECK(connection().input().empty());
  CHECK(!connection().input_full());
  peer().send("one ");
  wait_for_input("one ");
  peer().send("two ");
  wait_for_input("one two ");
  connection().consume(4);
  CHECK(connection().input() == "two ");
  peer().send("three");
  wait_for_input("two three");
  connection().consume(9);
  CHECK(connection().input().empty());
  connection().consume(0);
  peer().send("four");
  wait_for_input("four");
  CHECK(served.pool.statistics().bytes_in == 17);
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: a full input buffer stops reading until room is made") {
  peer().send("0123456789abcdefGHI");
  wait_for_input("0123456789abcdef");
  CHECK(connection().input_full());
  served.loop.run_ready();
  CHECK(served.pool.statistics().bytes_in == kBufferBytes);

  connection().consume(1);
  CHECK(!connection().input_full());
  served.loop.run_ready();
  CHECK(served.pool.statistics().bytes_in == kBufferBytes);
  connection().flush();  // Outside a handler one says so.
  wait_for_input("123456789abcdefG");
  connection().consume(16);
  connection().flush();
  wait_for_input("HI");
}

TEST_CASE_FIXTURE(OneConnection, "connection: input one byte below the buffer's size is not full") {
  peer().send("0123456789abcde");
  wait_for_input("0123456789abcde");
  CHECK(!connection().input_full());
  peer().send("f");
  wait_for_input("0123456789abcdef");
  CHECK(connection().input_full());
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: write() takes all or nothing, up to the buffer's size") {
  CHECK(!connection().write("0123456789abcdefG"));
  CHECK(connection().output_bytes() == 0);
  CHECK(connection().output_room().size() == kBufferBytes);
  CHECK(connection().write("0123456789"));
  CHECK(!connection().write("abcdefG"));
  CHECK(connection().output_bytes() == 10);
  CHECK(connection().write("abcdef"));
  CHECK(connection().output_bytes() == 16);
  CHECK(connection().output_room().empty());
  CHECK(!connection().write("G"));
  CHECK(connection().write(""));
  connection().flush();
  wait_until_received("0123456789abcdef");
  served.loop.run_until([&] { return connection().output_bytes() == 0; });
  CHECK(connection().output_room().size() == kBufferBytes);
  CHECK(served.pool.statistics().bytes_out == 16);
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: what is written outside a handler waits for flush()") {
  CHECK(connection().write("now"));
  served.loop.run_ready();
  CHECK(peer().pump().received().empty());
  CHECK(connection().output_bytes() == 3);
  connection().flush();
  wait_until_received("now");
}

TEST_CASE_FIXTURE(OneConnection, "connection: output can be put in place, and committed in parts") {
  const std::span<char> room = connection().output_room();
  REQUIRE(room.size() == kBufferBytes);
  std::fill(room.begin(), room.end(), 'x');
  connection().commit_output(0);
  CHECK(connection().output_bytes() == 0);
  connection().commit_output(2);
  CHECK(connection().output_bytes() == 2);
  CHECK(connection().output_room().data() == room.data() + 2);
  CHECK(connection().write("yz"));
  connection().flush();
  wait_until_received("xxyz");
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: what is written while a write is under way comes after") {
  served.loop.call([&] {
    CHECK(connection().write("0123"));
    connection().flush();
    CHECK(connection().write("4567"));
    connection().flush();
    // The first bytes are still the system's to read: there is as much room as lies behind them.
    CHECK(connection().output_room().size() == kBufferBytes - 8);
    CHECK(!connection().write("89abcdefG"));
    CHECK(connection().write("89abcdef"));
  });
  wait_until_received("0123456789abcdef");
  served.loop.run_until([&] { return connection().output_bytes() == 0; });
  CHECK(served.pool.statistics().bytes_out == 16);
}

TEST_CASE_FIXTURE(OneConnection, "connection: a reference is sent after what was written before") {
  const std::string referenced = "referenced, and longer than the buffer";
  CHECK(connection().write("written, "));
  CHECK(connection().write_by_reference(referenced));
  CHECK(connection().output_bytes() == 9 + referenced.size());
  SUBCASE("until then there is no room for other output") {
    CHECK(connection().output_room().empty());
    CHECK(!connection().write("x"));
    CHECK(connection().write(""));
    CHECK(!connection().write_by_reference("another"));
    CHECK(connection().output_bytes() == 9 + referenced.size());
  }
  connection().flush();
  wait_until_received("written, " + referenced);
  served.loop.run_until([&] { return connection().output_bytes() == 0; });
  CHECK(connection().write("again"));
  CHECK(connection().write_by_reference("another"));
  connection().flush();
  wait_until_received("written, " + referenced + "againanother");
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: a reference given while a write is under way comes after") {
  const std::string referenced = "referenced";
  served.loop.call([&] {
    CHECK(connection().write("written "));
    connection().flush();
    CHECK(connection().write_by_reference(referenced));
  });
  wait_until_received("written referenced");
}

TEST_CASE_FIXTURE(OneConnection, "connection: knows its pool, its ref and when it closes") {
  CHECK(&connection().pool() == &served.pool);
  CHECK(connection().ref() == client.ref);
  CHECK(!connection().is_closing());
  connection().close_after_output();
  CHECK(connection().is_closing());
}

TEST_CASE_FIXTURE(OneConnection,
                  "connection: tells when its peer has ended, with the last input there") {
  served.handler.input_end = [](Connection&) {};
  peer().send("last").end();
  served.loop.run_until([&] { return served.handler.count("input_end") == 1; });
  CHECK(connection().input_ended());
  CHECK(connection().input() == "last");
  CHECK(connection().write("heard"));
  connection().flush();
  wait_until_received("heard");
  connection().flush();
  served.loop.run_ready();
  CHECK(served.handler.count("input_end") == 1);
}

}  // namespace
}  // namespace stadion::pool
