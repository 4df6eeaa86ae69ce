// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include "core/arena.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/given_up.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/served_pool.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion::pool {
namespace {

using tests::IdleSockets;
using tests::is_given_up;
using tests::LiveArenas;
using tests::ServedPool;
using tests::TestLoop;

class ResizedPool : LiveArenas {
 protected:
  Connection& add() {
    Connection* connection = pool.add(sockets.make());
    REQUIRE(connection != nullptr);
    return *connection;
  }

  TestLoop loop;
  IdleSockets sockets{loop.worker()};
  Arena arena;
  SocketPool pool{arena, 4, 64};
};

TEST_CASE_FIXTURE(ResizedPool,
                  "resize: a larger pool takes more connections, up to its new limit") {
  for (int i = 0; i < 4; ++i) {
    add();
  }
  CHECK(pool.add(sockets.make()) == nullptr);
  CHECK(!pool.resize(6));
  CHECK(pool.max_connections() == 6);
  CHECK(pool.statistics().max_connections == 6);
  CHECK(pool.size() == 4);
  add();
  add();
  CHECK(pool.add(sockets.make()) == nullptr);
}

TEST_CASE_FIXTURE(ResizedPool, "resize: a pool shrinks to what it holds, and no further") {
  add();
  Connection& second = add();
  CHECK(!pool.resize(3));
  CHECK(!pool.resize(2));
  CHECK(pool.add(sockets.make()) == nullptr);
  CHECK(pool.resize(1) == std::errc::device_or_resource_busy);
  CHECK(pool.max_connections() == 2);
  CHECK(pool.size() == 2);
  (void)second;
}

TEST_CASE_FIXTURE(ResizedPool, "resize: one that is refused leaves every pointer good") {
  Connection& first = add();
  Connection& second = add();
  int calls = 0;
  pool.set_pre_resize_callback([](SocketPool&, void* count) { ++*static_cast<int*>(count); },
                               &calls);
  CHECK(pool.resize(1));
  CHECK(calls == 0);
  CHECK(first.ref().get() == &first);
  CHECK(second.ref().get() == &second);
  CHECK(pool.add(sockets.make()) != nullptr);
}

TEST_CASE_FIXTURE(ResizedPool, "resize: the callback is called first, once, with its userdata") {
  struct Cache {
    SocketPool* pool = nullptr;
    Connection* connection = nullptr;
    IdleSockets* sockets = nullptr;
    int calls = 0;
    bool pointer_good = false;
    bool limit_is_old = false;
    bool add_refused = false;
  };
  Connection& connection = add();
  connection.set_data(&connection);
  Cache cache{&pool, &connection, &sockets};
  pool.set_pre_resize_callback(
      [](SocketPool& resized, void* userdata) {
        auto& mine = *static_cast<Cache*>(userdata);
        ++mine.calls;
        CHECK(&resized == mine.pool);
        // What is cached is still good: the last moment to use it.
        mine.pointer_good = mine.connection->data() == mine.connection;
        mine.limit_is_old = resized.max_connections() == 4;
        mine.add_refused = resized.add(mine.sockets->make()) == nullptr;
        mine.connection = nullptr;
      },
      &cache);
  CHECK(!pool.resize(8));
  CHECK(cache.calls == 1);
  CHECK(cache.pointer_good);
  CHECK(cache.limit_is_old);
  CHECK(cache.add_refused);
  CHECK(pool.statistics().refused == 1);
  CHECK(pool.size() == 1);
  add();
}

TEST_CASE_FIXTURE(ResizedPool, "resize: the callback can be exchanged, and taken back") {
  std::string called;
  pool.set_pre_resize_callback(
      [](SocketPool&, void* text) { *static_cast<std::string*>(text) += "first "; }, &called);
  CHECK(!pool.resize(5));
  pool.set_pre_resize_callback(
      [](SocketPool&, void* text) { *static_cast<std::string*>(text) += "second "; }, &called);
  CHECK(!pool.resize(6));
  pool.set_pre_resize_callback(nullptr, nullptr);
  CHECK(!pool.resize(7));
  CHECK(called == "first second ");
}

TEST_CASE_FIXTURE(ResizedPool, "resize: the callback may remove connections") {
  add();
  const ConnectionRef kept = add().ref();
  add();
  pool.set_pre_resize_callback(
      [](SocketPool& resized, void* ref) {
        resized.for_each([&](Connection& connection) {
          if (connection.ref() != *static_cast<const ConnectionRef*>(ref)) {
            connection.close();
          }
        });
      },
      const_cast<ConnectionRef*>(&kept));
  CHECK(!pool.resize(3));
  CHECK(pool.size() == 1);
  CHECK(!kept.is_stale());
  pool.set_pre_resize_callback(nullptr, nullptr);
  add();
  add();
  CHECK(pool.add(sockets.make()) == nullptr);
}

TEST_CASE_FIXTURE(ResizedPool, "resize: moves connections with all they have, and refs find them") {
  std::array<int, 3> users{};
  std::vector<ConnectionRef> refs;
  std::vector<const Connection*> places;
  std::vector<int> handles;
  for (int& user : users) {
    Connection& connection = add();
    connection.set_data(&user);
    CHECK(connection.write("waiting output"));
    refs.push_back(connection.ref());
    places.push_back(&connection);
    handles.push_back(connection.socket().native_handle());
  }
  for (const std::size_t limit : {100U, 3U, 50U}) {
    CHECK(!pool.resize(limit));
    for (std::size_t i = 0; i < users.size(); ++i) {
      Connection* connection = refs[i].get();
      REQUIRE(connection != nullptr);
      CHECK(connection->data() == &users[i]);
      CHECK(connection->output_bytes() == 14);
      CHECK(connection->socket().native_handle() == handles[i]);
      CHECK(pool.get(handles[i]) == connection);
      CHECK(connection->ref() == refs[i]);
      CHECK(&connection->pool() == &pool);
    }
  }
  CHECK(pool.size() == 3);
}

TEST_CASE_FIXTURE(ResizedPool, "resize: a pointer from before is given up, so that its use shows") {
  const Connection* first = &add();
  const Connection* second = &add();
  CHECK(!pool.resize(8));
  CHECK(pool.size() == 2);
  CHECK(is_given_up(first));
  CHECK(is_given_up(second));
  const Connection* moved = pool.find([](Connection&) { return true; });
  CHECK(moved != first);
  CHECK(moved != second);
}

TEST_CASE_FIXTURE(ResizedPool, "remove: a pointer to what is removed is given up, too") {
  Connection* connection = &add();
  pool.remove(*connection);
  CHECK(is_given_up(connection));
  pool.for_each([](Connection&) { FAIL_CHECK("there is none"); });
}

TEST_CASE_FIXTURE(ResizedPool, "connection ref: knows that its connection is gone") {
  Connection& connection = add();
  const ConnectionRef ref = connection.ref();
  CHECK(!ref.is_stale());
  CHECK(ref.get() == &connection);
  pool.remove(connection);
  CHECK(ref.is_stale());
  CHECK(ref.get() == nullptr);
  CHECK(!pool.resize(8));
  CHECK(ref.is_stale());
  CHECK(ConnectionRef().is_stale());
}

TEST_CASE_FIXTURE(ResizedPool, "connection ref: never takes another connection for its own") {
  const ConnectionRef first = add().ref();
  const Connection* place = first.get();
  for (int i = 0; i < 1'000; ++i) {
    pool.remove(*pool.find([](Connection&) { return true; }));
    const ConnectionRef next = add().ref();
    REQUIRE(next.get() == place);  // The same slot and the same memory,
    CHECK(first.is_stale());       // and yet another connection.
    CHECK(next != first);
    if (i % 100 == 0) {
      CHECK(!pool.resize(4));
      CHECK(first.is_stale());
      CHECK(!next.is_stale());
      place = next.get();
    }
  }
}

TEST_CASE_FIXTURE(ResizedPool,
                  "connection ref: two of one connection are equal, before and after") {
  Connection& connection = add();
  const ConnectionRef first = connection.ref();
  const ConnectionRef second = connection.ref();
  CHECK(first == second);
  CHECK(first != add().ref());
  pool.remove(connection);
  CHECK(first == second);
  CHECK(first != ConnectionRef());
}

TEST_CASE_FIXTURE(ResizedPool, "resize: connections in slots beyond a smaller limit stay") {
  std::vector<ConnectionRef> refs;
  for (int i = 0; i < 4; ++i) {
    refs.push_back(add().ref());
  }
  pool.remove(*refs[0].get());
  pool.remove(*refs[1].get());
  CHECK(!pool.resize(2));
  CHECK(!refs[2].is_stale());
  CHECK(!refs[3].is_stale());
  CHECK(pool.add(sockets.make()) == nullptr);
  pool.remove(*refs[3].get());
  add();
  CHECK(pool.add(sockets.make()) == nullptr);
  CHECK(!refs[2].is_stale());
  CHECK(!pool.resize(9));
  for (int i = 0; i < 7; ++i) {
    add();
  }
  CHECK(pool.size() == 9);
  CHECK(pool.add(sockets.make()) == nullptr);
}

TEST_CASE_FIXTURE(ResizedPool, "resize: to and fro 1,000 times grows no arena") {
  const ConnectionRef ref = add().ref();
  const auto to_and_fro = [&](int times) {
    for (int i = 0; i < times; ++i) {
      CHECK(!pool.resize(100));
      add();
      CHECK(!pool.resize(4));
      pool.remove(*pool.find([&](Connection& each) { return each.ref() != ref; }));
    }
  };
  to_and_fro(2);
  const std::size_t used = arena.bytes_used();
  const std::size_t reserved = arena.bytes_reserved();
  to_and_fro(1'000);
  CHECK(arena.bytes_used() == used);
  CHECK(arena.bytes_reserved() == reserved);
  CHECK(!ref.is_stale());
}

TEST_CASE_FIXTURE(ResizedPool, "resize: to the same limit moves all the same") {
  const ConnectionRef ref = add().ref();
  const Connection* before = ref.get();
  CHECK(!pool.resize(4));
  CHECK(ref.get() != before);
  CHECK(pool.max_connections() == 4);
}

TEST_CASE_FIXTURE(LiveArenas, "resize: reading and writing that is under way goes on") {
  const std::string text = tests::patterned_text(2 * 1024 * 1024);
  ServedPool served(2, 64);
  auto client = served.connect(tests::ConnectedPair::local());
  client.peer.receive_at_most(0);
  served.loop.call([&] {
    CHECK(client.connection().write_by_reference(text));
    client.connection().flush();
  });
  served.run_to_rest(client.peer.send("in"));  // The output has filled the system's buffers.
  CHECK(client.connection().output_bytes() > 0);
  for (const std::size_t limit : {50U, 2U, 20U}) {
    CHECK(!served.pool.resize(limit));
    served.loop.run_ready();
  }
  client.peer.receive_at_most(text.size());
  served.loop.run_until([&] { return client.peer.pump().received().size() == text.size(); });
  const bool intact = client.peer.received() == text;
  CHECK(intact);
  client.peer.send("put");
  served.loop.run_until([&] { return client.connection().input() == "input"; });

  CHECK(!served.pool.resize(3));  // With a read under way.
  client.peer.send("!");
  served.loop.run_until([&] { return client.connection().input() == "input!"; });
}

}  // namespace
}  // namespace stadion::pool
