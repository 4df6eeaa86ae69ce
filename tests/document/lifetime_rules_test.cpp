// SPDX-License-Identifier: MIT

// The document's "Critical: Arena Lifetime Rules", in its own lines.

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/arena.hpp"
#include "core/except.hpp"
#include "core/finally.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/given_up.hpp"
#include "tests/support/idle_sockets.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/scripted_memory.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion {
namespace {

using pool::Connection;
using pool::ConnectionRef;
using pool::SocketPool;
using tests::IdleSockets;
using tests::is_given_up;
using tests::LiveArenas;
using tests::ScriptedMemory;
using tests::TestLoop;

TEST_CASE_FIXTURE(LiveArenas, "Rule 1: Never Use Pointers After Arena Dispose") {
  Arena arena;

  SUBCASE("WRONG: the use after free shows") {
    char* ptr = static_cast<char*>(arena.alloc(100));
    std::memset(ptr, '.', 100);
    arena.dispose();
    // What strcpy(ptr, "data") would touch. The memory is kept for the thread's next arena.
    CHECK(is_given_up(ptr));
    CHECK(is_given_up(ptr + 99));
  }
  SUBCASE("WRONG: so does a use after clear()") {
    char* ptr = static_cast<char*>(arena.alloc(100));
    std::memset(ptr, '.', 100);
    arena.clear();
    CHECK(is_given_up(ptr));
    CHECK(is_given_up(ptr + 99));
  }
  SUBCASE("RIGHT") {
    char* ptr = static_cast<char*>(arena.alloc(100));
    std::strcpy(ptr, "data");
    CHECK(std::string(ptr) == "data");
    arena.dispose();  // ptr no longer valid
  }
}

TEST_CASE_FIXTURE(LiveArenas, "Rule 2: Don't Mix Arena and malloc()") {
  ScriptedMemory memory;

  // RIGHT - all from arena
  Arena arena;
  char* a = static_cast<char*>(arena.alloc(100));
  char* b = static_cast<char*>(arena.alloc(100));
  std::memset(a, 'a', 100);
  std::memset(b, 'b', 100);
  CHECK(a[99] == 'a');
  CHECK(arena.bytes_used() >= 200);
  arena.dispose();  // Both freed
  Arena::trim();
  CHECK(memory.bytes_held() == 0);

  // What has memory of its own is freed too, when the arena made it.
  Arena owner;
  const auto counted = std::make_shared<int>(0);
  owner.make<std::shared_ptr<int>>(counted);
  owner.make<std::string>(1'000, 's');
  CHECK(counted.use_count() == 2);
  owner.dispose();
  CHECK(counted.use_count() == 1);
}

Connection* cached_conn = nullptr;

void on_resize(SocketPool& /*pool*/, void* /*userdata*/) {
  cached_conn = nullptr;  // Clear cached pointer
}

TEST_CASE_FIXTURE(LiveArenas, "Rule 3: Handle Pool Resize Carefully") {
  constexpr std::size_t new_size = 20;
  TestLoop loop;
  IdleSockets sockets(loop.worker());
  Arena arena;
  SocketPool pool(arena, 10, 64);
  int user = 0;
  Connection* added = pool.add(sockets.make());
  REQUIRE(added != nullptr);
  added->set_data(&user);
  const int sock = added->socket().native_handle();

  SUBCASE("DANGER: resize can invalidate Connection_T pointers") {
    Connection* conn = pool.get(sock);
    CHECK(conn->data() == &user);
    CHECK(!pool.resize(new_size));  // May realloc!
    // What conn->data() would touch.
    CHECK(is_given_up(conn));
    CHECK(pool.get(sock) != conn);
  }
  SUBCASE("SOLUTION: Use pre-resize callback") {
    pool.set_pre_resize_callback(on_resize, nullptr);
    cached_conn = pool.get(sock);
    CHECK(cached_conn->data() == &user);
    CHECK(!pool.resize(new_size));
    CHECK(cached_conn == nullptr);
    cached_conn = pool.get(sock);
    CHECK(cached_conn->data() == &user);
    cached_conn = nullptr;
  }
  SUBCASE("or keep a ConnectionRef, which a resize cannot invalidate") {
    const ConnectionRef ref = pool.get(sock)->ref();
    CHECK(!pool.resize(new_size));
    REQUIRE(!ref.is_stale());
    CHECK(ref.get()->data() == &user);
    pool.remove(*ref.get());
    CHECK(ref.is_stale());
  }
}

struct SomeException : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST_CASE_FIXTURE(LiveArenas, "Rule 4: Exception Safety with Arena") {
  constexpr std::size_t size = 100;
  std::string trace;
  const auto with_arena = [&trace](auto risky_operation) {
    Arena arena;  // Before TRY
    TRY {
      // Allocations that might raise exceptions
      void* data = arena.alloc(size);
      risky_operation(arena, data);
      trace += "done ";
    }
    EXCEPT(SomeException) {
      // Handle error
      trace += "handled ";
    }
    FINALLY {
      arena.dispose();  // Always runs
      trace += "disposed";
    }
    END_TRY;
    CHECK(arena.is_disposed());
  };

  SUBCASE("nothing is raised") {
    with_arena([](Arena&, void* data) { std::memset(data, 0, size); });
    CHECK(trace == "done disposed");
  }
  SUBCASE("what is raised is handled") {
    with_arena([](Arena&, void*) { throw SomeException("risky"); });
    CHECK(trace == "handled disposed");
  }
  SUBCASE("what is raised is not handled here, and goes on") {
    CHECK_THROWS_WITH_AS(with_arena([](Arena&, void*) { throw std::logic_error("other"); }),
                         "other", std::logic_error);
    CHECK(trace == "disposed");
  }
  SUBCASE("an allocation raises Arena_Failed") {
    const auto allocate_too_much = [](Arena& arena, void*) {
      (void)arena.alloc(kArenaAllocationBytesMax + 1);
    };
    CHECK_THROWS_AS(with_arena(allocate_too_much), ArenaFailed);
    CHECK(trace == "disposed");
  }
  SUBCASE("a scope guard says the same in one line") {
    const auto guarded = [&trace] {
      Arena arena;
      const auto dispose = finally([&] {
        arena.dispose();
        trace += "disposed";
      });
      void* data = arena.alloc(size);
      std::memset(data, 0, size);
      throw SomeException("risky");
    };
    CHECK_THROWS_AS(guarded(), SomeException);
    CHECK(trace == "disposed");
  }
}

}  // namespace
}  // namespace stadion
