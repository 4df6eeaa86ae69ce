// SPDX-License-Identifier: MIT
#include "net/socket.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/peer.hpp"
#include "tests/support/test_loop.hpp"
#include "tests/support/told.hpp"

namespace stadion::net {
namespace {

using tests::ConnectedPair;
using tests::pairs_of_each_kind;
using tests::Peer;
using tests::TestLoop;
using tests::Told;

static_assert(!std::is_copy_constructible_v<Socket>);
static_assert(std::is_nothrow_move_constructible_v<Socket>);

TEST_CASE("socket: reads what has arrived, and tells how much under the caller's tag") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    Told read;
    std::array<char, 64> buffer{};
    socket.async_read_some(buffer, read.completion(0xFEDCBA9876543210));
    CHECK(read.times == 0);
    loop.run_ready();
    CHECK(read.times == 0);

    pair.peer.send("hello");
    loop.run_until([&] { return read.times > 0; });
    CHECK(read.times == 1);
    CHECK(read.tag == 0xFEDCBA9876543210);
    CHECK(!read.error);
    CHECK(std::string_view(buffer.data(), read.bytes) == "hello");
  }
}

TEST_CASE("socket: a read takes no more than its buffer, the next one the rest") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.send("abcdef");
  std::string got;
  std::array<char, 4> buffer{};
  while (got.size() < 6) {
    Told read;
    socket.async_read_some(buffer, read.completion());
    loop.run_until([&] { return read.times > 0; });
    CHECK(read.bytes >= 1);
    CHECK(read.bytes <= buffer.size());
    got.append(buffer.data(), read.bytes);
  }
  CHECK(got == "abcdef");
}

TEST_CASE("socket: completions come from the loop, never from within the call") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.send("already here");
  Told read;
  Told written;
  std::array<char, 64> buffer{};
  loop.call([&] {
    socket.async_read_some(buffer, read.completion());
    socket.async_write_some("x", {}, written.completion());
    CHECK(read.times == 0);
    CHECK(written.times == 0);
  });
  loop.run_until([&] { return read.times == 1 && written.times == 1; });
}

TEST_CASE("socket: the peer's orderly end is told as such, once all it sent is read") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.send("last words").end();
    std::array<char, 64> buffer{};
    Told read;
    socket.async_read_some(buffer, read.completion());
    loop.run_until([&] { return read.times == 1; });
    CHECK(std::string_view(buffer.data(), read.bytes) == "last words");
    CHECK(!is_end_of_stream(read.error));

    socket.async_read_some(buffer, read.completion());
    loop.run_until([&] { return read.times == 2; });
    CHECK(is_end_of_stream(read.error));
    CHECK(read.bytes == 0);
  }
}

TEST_CASE("socket: a connection that the peer resets is an error, and no orderly end") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.reset();
  std::array<char, 64> buffer{};
  Told read;
  socket.async_read_some(buffer, read.completion());
  loop.run_until([&] { return read.times == 1; });
  CHECK(read.error == std::errc::connection_reset);
  CHECK(!is_end_of_stream(read.error));
}

TEST_CASE("socket: only an orderly end is one") {
  CHECK(!is_end_of_stream({}));
  CHECK(!is_end_of_stream(std::make_error_code(std::errc::connection_reset)));
  CHECK(!is_end_of_stream(std::make_error_code(std::errc::operation_canceled)));
}

TEST_CASE("socket: writes to a peer that is gone fail, and the process goes on") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::local();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.close();
  Told written;
  socket.async_write_some("to nobody", {}, written.completion());
  loop.run_until([&] { return written.times == 1; });
  CHECK(written.error == std::errc::broken_pipe);
}

TEST_CASE("socket: a gather write sends the first part, then the second") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    Told written;
    socket.async_write_some("head ", "body", written.completion(7));
    loop.run_until([&] { return written.times == 1; });
    CHECK(!written.error);
    CHECK(written.tag == 7);
    CHECK(written.bytes == 9);
    CHECK(pair.peer.pump().received() == "head body");

    socket.async_write_some({}, " alone", written.completion());
    loop.run_until([&] { return written.times == 2; });
    CHECK(written.bytes == 6);
    CHECK(pair.peer.pump().received() == "head body alone");
  }
}

TEST_CASE(
    "socket: a write that the system takes in part tells how much, and can go on from there") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::local();
  Socket socket(loop.worker(), pair.ours.release());
  const std::string text = tests::patterned_text(4 * 1024 * 1024);
  std::string_view rest = text;
  int writes = 0;
  while (!rest.empty()) {
    Told written;
    // Both parts are cut at whatever byte the system's buffer happens to end.
    const std::size_t middle = rest.size() / 3;
    socket.async_write_some(rest.substr(0, middle), rest.substr(middle), written.completion());
    loop.run_until([&] {
      pair.peer.pump();
      return written.times > 0;
    });
    REQUIRE(!written.error);
    REQUIRE(written.bytes > 0);
    rest.remove_prefix(written.bytes);
    ++writes;
  }
  CHECK(writes > 1);
  const bool arrived_intact = pair.peer.pump().received() == text;
  CHECK(arrived_intact);
}

TEST_CASE("socket: a read and a write are under way at the same time") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  Told read;
  Told written;
  std::array<char, 64> buffer{};
  socket.async_read_some(buffer, read.completion(1));
  socket.async_write_some("ping", {}, written.completion(2));
  loop.run_until([&] { return pair.peer.pump().received() == "ping" && written.times == 1; });
  CHECK(read.times == 0);
  pair.peer.send("pong");
  loop.run_until([&] { return read.times == 1; });
  CHECK(read.tag == 1);
  CHECK(written.tag == 2);
}

TEST_CASE("socket: after close() no completion is called") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  Told read;
  Told written;
  std::array<char, 64> buffer{};
  buffer.fill('.');
  pair.peer.send("too late");
  loop.call([&] {
    socket.async_read_some(buffer, read.completion());
    socket.async_write_some("x", {}, written.completion());
    socket.close();
  });
  CHECK(!socket.is_open());
  CHECK(socket.native_handle() == -1);
  loop.run_until([&] { return pair.peer.pump().gone(); });
  loop.run_ready();
  CHECK(read.times == 0);
  CHECK(written.times == 0);
  socket.close();
}

TEST_CASE("socket: close() withdraws a read that has waited") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  Told read;
  std::array<char, 64> buffer{};
  socket.async_read_some(buffer, read.completion());
  loop.run_ready();
  loop.call([&] {
    pair.peer.send("too late");
    socket.close();
  });
  loop.run_ready();
  CHECK(read.times == 0);
}

TEST_CASE("socket: its destruction closes it") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Told read;
  std::array<char, 64> buffer{};
  {
    Socket socket(loop.worker(), pair.ours.release());
    socket.async_read_some(buffer, read.completion());
  }
  loop.run_until([&] { return pair.peer.pump().ended(); });
  CHECK(read.times == 0);
}

TEST_CASE("socket: may be closed and destroyed in its own completion") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  struct Owner {
    std::unique_ptr<Socket> socket;
    std::array<char, 64> buffer{};
    int times = 0;
  };
  Owner owner{std::make_unique<Socket>(loop.worker(), pair.ours.release()), {}, 0};
  const IoCompletion destroy{[](void* context, std::uint64_t, std::error_code, std::size_t) {
                               auto* self = static_cast<Owner*>(context);
                               ++self->times;
                               self->socket.reset();
                             },
                             &owner, 0};
  owner.socket->async_read_some(owner.buffer, destroy);
  owner.socket->async_write_some(
      "bye", {}, {[](void*, std::uint64_t, std::error_code, std::size_t) {}, nullptr, 0});
  pair.peer.send("x");
  loop.run_until([&] { return pair.peer.pump().gone(); });
  CHECK(owner.times == 1);
  CHECK(pair.peer.received() == "bye");
}

TEST_CASE(
    "socket: one that is destroyed with operations under way after the last turn of the loop") {
  ConnectedPair pair = ConnectedPair::tcp();
  Told read;
  std::array<char, 64> buffer{};
  {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    socket.async_read_some(buffer, read.completion());
    // The loop never runs: the Worker's end disposes of the operation, without telling anybody.
  }
  pair.peer.pump();
  CHECK(pair.peer.ended());
  CHECK(read.times == 0);
}

TEST_CASE("socket: a move takes the socket along with the operation that is under way") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket first(loop.worker(), pair.ours.release());
  const int handle = first.native_handle();
  Told read;
  std::array<char, 64> buffer{};
  first.async_read_some(buffer, read.completion());

  Socket second(std::move(first));
  CHECK(!first.is_open());
  CHECK(second.native_handle() == handle);
  Socket third;
  third = std::move(second);
  CHECK(third.native_handle() == handle);
  Socket& same = third;
  third = std::move(same);
  CHECK(third.native_handle() == handle);

  pair.peer.send("to the third");
  loop.run_until([&] { return read.times == 1; });
  CHECK(std::string_view(buffer.data(), read.bytes) == "to the third");
}

TEST_CASE("socket: assigning closes the one that was held before") {
  TestLoop loop;
  ConnectedPair old_pair = ConnectedPair::tcp();
  ConnectedPair new_pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), old_pair.ours.release());
  socket = Socket(loop.worker(), new_pair.ours.release());
  CHECK(old_pair.peer.pump().ended());
  CHECK(!new_pair.peer.pump().ended());
}

TEST_CASE("socket: reset_on_close() has the peer see a reset, and not before") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  socket.reset_on_close();
  CHECK(!pair.peer.pump().gone());
  socket.close();
  loop.run_until([&] { return pair.peer.pump().gone(); });
  CHECK(pair.peer.broken());
  socket.reset_on_close();  // Nothing to do any more.
}

TEST_CASE("socket: shutdown_send() ends our side alone") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    socket.shutdown_send();
    loop.run_until([&] { return pair.peer.pump().ended(); });
    CHECK(socket.is_open());
    pair.peer.send("still heard");
    Told read;
    std::array<char, 64> buffer{};
    socket.async_read_some(buffer, read.completion());
    loop.run_until([&] { return read.times == 1; });
    CHECK(std::string_view(buffer.data(), read.bytes) == "still heard");
    socket.close();
    socket.shutdown_send();
  }
}

TEST_CASE("socket: tells its peer's address") {
  TestLoop loop;
  ConnectedPair tcp = ConnectedPair::tcp();
  const Socket socket(loop.worker(), tcp.ours.release());
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::getsockname(tcp.peer.native_handle(), name, &length) == 0);
  CHECK(socket.remote_endpoint().to_string() == Endpoint(name, length).to_string());
  CHECK(socket.remote_endpoint().address() == "127.0.0.1");

  ConnectedPair local = ConnectedPair::local();
  const Socket unix_socket(loop.worker(), local.ours.release());
  CHECK(unix_socket.remote_endpoint().to_string() == "unix:");
}

TEST_CASE("socket: one that is closed has no peer") {
  const Socket none;
  CHECK(!none.is_open());
  CHECK(none.remote_endpoint().to_string() == "unknown");
  CHECK(none.native_handle() == -1);
}

TEST_CASE("socket: a descriptor that cannot be taken over stays the caller's") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  const int handle = pair.ours.release();
  Socket owner(loop.worker(), handle);
  CHECK_THROWS_AS((void)Socket(loop.worker(), handle), std::system_error);
  Told written;
  owner.async_write_some("still open", {}, written.completion());
  loop.run_until([&] { return pair.peer.pump().received() == "still open"; });
}

}  // namespace
}  // namespace stadion::net
