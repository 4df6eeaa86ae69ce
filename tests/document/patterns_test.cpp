// SPDX-License-Identifier: MIT

// The document's four patterns, in its own lines.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "core/except.hpp"
#include "core/hash_table.hpp"
#include "pool/socket_pool.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/test_loop.hpp"

namespace stadion {
namespace {

using pool::SocketPool;
using tests::ConnectedPair;
using tests::LiveArenas;
using tests::Peer;
using tests::TestLoop;

/// The least that deserves the name: a line is a request, its words counted are the response.
struct Request {
  std::string_view line;
};
struct Response {
  std::string_view text;
};

Request& parse_request(Arena& arena, Peer& client) {
  const std::string& received = client.pump().received();
  if (received.empty()) {
    throw std::runtime_error("the client sent nothing");
  }
  return arena.make<Request>(Request{arena.copy(received)});
}

Response& process_request(Arena& arena, const Request& request) {
  HashTable<std::string_view, int> words(arena, 8);
  std::string_view rest = request.line;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    words.try_emplace(word, 0).first += 1;
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return arena.make<Response>(Response{arena.copy(std::to_string(words.size()) + " words")});
}

void send_response(Peer& client, const Response& response) { client.send(response.text); }

void handle_request(Peer& client) {
  Arena arena;

  TRY {
    // All request processing uses this arena
    Request& req = parse_request(arena, client);
    Response& resp = process_request(arena, req);
    send_response(client, resp);
  }
  FINALLY {
    arena.dispose();  // Entire request freed
  }
  END_TRY;

  CHECK(arena.is_disposed());
}

TEST_CASE_FIXTURE(LiveArenas, "Pattern 1: Request-Scoped Arena") {
  ConnectedPair ends = ConnectedPair::local();
  Peer server(std::move(ends.ours));
  ends.peer.send("to be or not to be");
  handle_request(server);
  CHECK(ends.peer.pump().received() == "4 words");

  SUBCASE("a request that fails is freed all the same") {
    const std::size_t live_before = Arena::debug_live_count();
    ConnectedPair silent = ConnectedPair::local();
    Peer other(std::move(silent.ours));
    CHECK_THROWS_WITH_AS(handle_request(other), "the client sent nothing", std::runtime_error);
    CHECK(Arena::debug_live_count() == live_before);
  }
  SUBCASE("the next requests take the same memory again") {
    const std::size_t bytes_before = Arena::debug_live_bytes();
    for (int i = 0; i < 100; ++i) {
      handle_request(server);
    }
    CHECK(Arena::debug_live_bytes() == bytes_before);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "Pattern 2: Pool with Shared Arena") {
  constexpr std::size_t max_conns = 10;
  constexpr std::size_t buf_size = 4096;
  TestLoop loop;
  Arena arena;
  SocketPool& pool = arena.make<SocketPool>(arena, max_conns, buf_size);

  // Pool allocates connection buffers from the arena
  const std::size_t used_before = arena.bytes_used();
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < max_conns; ++i) {
    ConnectedPair pair = ConnectedPair::tcp();
    pool::Connection* connection = pool.add(net::Socket(loop.worker(), pair.ours.release()));
    REQUIRE(connection != nullptr);
    CHECK(connection->write("greeting"));  // A buffer is allocated when there is something for it.
    peers.push_back(std::move(pair.peer));
  }
  CHECK(arena.bytes_used() - used_before >= max_conns * buf_size);

  // When done:
  arena.dispose();  // Frees pool AND all connection buffers
  CHECK(arena.bytes_reserved() == 0);
  for (Peer& peer : peers) {
    CHECK(peer.pump().ended());
  }
}

TEST_CASE_FIXTURE(LiveArenas, "Pattern 3: Reusable Arena (Clear vs Dispose)") {
  constexpr int iterations = 100;
  const std::string data(10'000, 'd');
  std::vector<const char*> places;
  const auto process_batch = [&places](Arena& arena, std::string_view batch) {
    places.push_back(arena.copy(batch).data());
  };
  Arena arena;
  std::size_t reserved = 0;

  for (int i = 0; i < iterations; i++) {
    // Process with arena
    process_batch(arena, data);

    // Reset for next iteration (memory reused, not freed)
    arena.clear();
    CHECK(arena.bytes_used() == 0);
    reserved = i == 0 ? arena.bytes_reserved() : reserved;
    CHECK(arena.bytes_reserved() == reserved);
  }
  CHECK(reserved > 0);
  CHECK(places == std::vector<const char*>(iterations, places[0]));

  arena.dispose();  // Final cleanup
  CHECK(arena.bytes_reserved() == 0);
}

std::string_view process_with_temp(Arena& parent_arena, bool fails = false) {
  std::string_view answer;
  // Temporary arena for intermediate work
  Arena temp;

  TRY {
    // Large temporary buffers
    char* scratch = static_cast<char*>(temp.alloc(1024 * 1024));
    const std::string_view text = "the result of much work";
    std::memset(scratch, '.', 1024 * 1024);
    std::memcpy(scratch, text.data(), text.size());
    const std::size_t result_size = text.size();
    if (fails) {
      throw std::runtime_error("halfway through");
    }

    // Copy final result to parent arena
    char* result = static_cast<char*>(parent_arena.alloc(result_size));
    std::memcpy(result, scratch, result_size);
    answer = {result, result_size};
  }
  FINALLY {
    temp.dispose();  // Free temporaries
  }
  END_TRY;

  // Result survives in parent_arena
  return answer;
}

TEST_CASE_FIXTURE(LiveArenas, "Pattern 4: Nested Arenas") {
  Arena parent_arena;
  const std::size_t live = Arena::debug_live_count();
  const std::string_view result = process_with_temp(parent_arena);
  CHECK(result == "the result of much work");
  CHECK(Arena::debug_live_count() == live);
  // The temporaries cost the parent nothing.
  CHECK(parent_arena.bytes_used() < 1024);
  CHECK(parent_arena.bytes_reserved() == kArenaChunkBytes);

  CHECK_THROWS_AS((void)process_with_temp(parent_arena, true), std::runtime_error);
  CHECK(Arena::debug_live_count() == live);
  CHECK(result == "the result of much work");
}

}  // namespace
}  // namespace stadion
