// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/socket.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/temporary_file.hpp"
#include "tests/support/test_loop.hpp"
#include "tests/support/told.hpp"

/// A socket that tells when something can be done, and does it when it is asked to.
namespace stadion::net {
namespace {

using tests::ConnectedPair;
using tests::pairs_of_each_kind;
using tests::TestLoop;
using tests::Told;

std::string read_of(Socket& socket, std::size_t bytes_max = 64) {
  std::string text(bytes_max, '\0');
  const IoResult result = socket.read_some({text.data(), text.size()});
  CHECK(!result.error);
  text.resize(result.bytes);
  return text;
}

TEST_CASE("socket: read_some() would block where there is nothing, and wait_readable() tells") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    std::array<char, 8> buffer{};
    CHECK(socket.read_some(buffer).would_block());
    Told ready;
    socket.wait_readable(ready.completion(7));
    loop.run_ready();
    CHECK(ready.times == 0);
    pair.peer.send("hello");
    loop.run_until([&] { return ready.times > 0; });
    CHECK(ready.tag == 7);
    CHECK(ready.bytes == 0);
    CHECK(!ready.error);
    CHECK(read_of(socket) == "hello");
    CHECK(socket.read_some(buffer).would_block());
    loop.run_ready();
    CHECK(ready.times == 1);
  }
}

TEST_CASE("socket: wait_readable() tells again of what was left, and of each piece that comes") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.send("0123456789");
  std::string got;
  while (got.size() < 10) {
    Told ready;
    socket.wait_readable(ready.completion());
    CHECK(ready.times == 0);  // Never within the call.
    loop.run_until([&] { return ready.times > 0; });
    got += read_of(socket, 3);
  }
  CHECK(got == "0123456789");
  for (int i = 0; i < 100; ++i) {
    Told ready;
    socket.wait_readable(ready.completion());
    loop.run_ready();
    CHECK(ready.times == 0);
    pair.peer.send("x");
    loop.run_until([&] { return ready.times > 0; });
    CHECK(read_of(socket) == "x");
  }
}

TEST_CASE("socket: an end behind the last bytes is not lost, whenever it comes") {
  for (const bool comes_at_once : {true, false}) {
    for (ConnectedPair& pair : pairs_of_each_kind()) {
      TestLoop loop;
      Socket socket(loop.worker(), pair.ours.release());
      pair.peer.send("last");
      if (comes_at_once) {
        pair.peer.end();
      }
      Told ready;
      socket.wait_readable(ready.completion());
      loop.run_until([&] { return ready.times == 1; });
      CHECK(read_of(socket) == "last");
      socket.wait_readable(ready.completion());
      if (!comes_at_once) {
        loop.run_ready();
        CHECK(ready.times == 1);
        pair.peer.end();
      }
      loop.run_until([&] { return ready.times == 2; });
      std::array<char, 8> buffer{};
      CHECK(is_end_of_stream(socket.read_some(buffer).error));
    }
  }
}

TEST_CASE("socket: wait_writable() tells when a peer has made room") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.receive_at_most(0);
    const std::string text(1 << 20, 'x');
    std::size_t sent = 0;
    IoResult result;
    while (!(result = socket.write_some(text, "tail")).would_block()) {
      REQUIRE(!result.error);
      sent += result.bytes;
    }
    Told ready;
    socket.wait_writable(ready.completion(9));
    loop.run_ready();
    CHECK(ready.times == 0);
    pair.peer.receive_at_most(sent);
    loop.run_until([&] {
      pair.peer.pump();
      return ready.times == 1;
    });
    CHECK(ready.tag == 9);
    CHECK(socket.write_some("more", {}).bytes == 4);
    // Where there is room already, in the next turn.
    socket.wait_writable(ready.completion(9));
    CHECK(ready.times == 1);
    loop.run_ready();
    CHECK(ready.times == 2);
  }
}

TEST_CASE("socket: sends a file at once, or would block") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  const tests::TemporaryFile file("0123456789");
  CHECK(socket.send_file_some(file.descriptor(), 2, 5).bytes == 5);
  CHECK(is_file_too_short(socket.send_file_some(file.descriptor(), 10, 1).error));
  loop.run_until([&] { return pair.peer.pump().received() == "23456"; });
}

TEST_CASE("socket: tells of a reset that nothing else would tell of, and of no orderly end") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  Told gone;
  socket.on_hang_up(gone.completion(3));
  pair.peer.send("unread").end();
  loop.run_ready();
  CHECK(gone.times == 0);
  CHECK(!socket.has_hung_up());
  pair.peer.reset();
  loop.run_until([&] { return gone.times > 0; });
  CHECK(gone.times == 1);
  CHECK(gone.tag == 3);
  CHECK(socket.has_hung_up());
  CHECK(socket.has_failed());
}

TEST_CASE("socket: many that are ready at once, more than one turn takes, are all told") {
  constexpr std::size_t kSockets = 300;
  TestLoop loop;
  std::vector<ConnectedPair> pairs;
  std::vector<Socket> sockets;
  std::vector<Told> told(kSockets);
  for (std::size_t i = 0; i < kSockets; ++i) {
    pairs.push_back(ConnectedPair::local());
    sockets.emplace_back(loop.worker(), pairs.back().ours.release());
    sockets.back().wait_readable(told[i].completion());
    pairs.back().peer.send("x");
  }
  loop.run_until([&] {
    std::size_t times = 0;
    for (const Told& one : told) {
      times += static_cast<std::size_t>(one.times);
    }
    return times == kSockets;
  });
  for (std::size_t i = 0; i < kSockets; ++i) {
    CHECK(told[i].times == 1);
  }
}

/// Waits for room again as often as it is told that there is some: always.
struct Writer {
  Socket* socket = nullptr;
  std::size_t* times = nullptr;
  static void run(void* context, std::uint64_t, std::error_code, std::size_t) {
    auto* self = static_cast<Writer*>(context);
    ++*self->times;
    self->socket->wait_writable({run, self, 0});
  }
};

/// How many writers were told by then.
struct Reader {
  const std::size_t* times = nullptr;
  std::size_t times_then = 0;
  static void run(void* context, std::uint64_t, std::error_code, std::size_t) {
    auto* self = static_cast<Reader*>(context);
    self->times_then = *self->times;
  }
};

TEST_CASE("socket: many that always have room keep no other from being heard") {
  constexpr std::size_t kWriters =
      450;  // With their peers, as many descriptors as there always are.
  constexpr std::size_t kToldAtOnce = 128;
  TestLoop loop;
  std::vector<ConnectedPair> pairs;
  std::vector<Socket> sockets;
  std::vector<Writer> writers(kWriters);
  std::size_t times = 0;
  sockets.reserve(kWriters);
  for (Writer& writer : writers) {
    pairs.push_back(ConnectedPair::local());
    writer = {.socket = &sockets.emplace_back(loop.worker(), pairs.back().ours.release()),
              .times = &times};
    Writer::run(&writer, 0, {}, 0);
  }
  ConnectedPair pair = ConnectedPair::local();
  Socket socket(loop.worker(), pair.ours.release());
  std::size_t most = 0;
  for (int i = 0; i < 20; ++i) {
    Reader reader{.times = &times};
    socket.wait_readable({Reader::run, &reader, 0});
    loop.run_until([&, until = times + 3 * kWriters] { return times > until; });
    std::size_t times_before = 0;
    loop.call([&] {
      pair.peer.send("x");
      times_before = times;
    });
    loop.run_until([&] { return reader.times_then > 0; });
    CHECK(read_of(socket) == "x");
    most = std::max(most, reader.times_then - times_before);
  }
  CHECK(most <= 3 * kToldAtOnce);
}

/// Closes all the sockets when the first of them is told, whichever that is.
struct CloseAll {
  std::vector<Socket>* sockets;
  int times = 0;
  static void run(void* context, std::uint64_t, std::error_code, std::size_t) {
    auto* self = static_cast<CloseAll*>(context);
    ++self->times;
    self->sockets->clear();
  }
};

TEST_CASE("socket: one that is closed while its event is on the way is told nothing") {
  for (const bool is_deferred : {false, true}) {
    TestLoop loop;
    std::vector<ConnectedPair> pairs;
    std::vector<Socket> sockets;
    CloseAll close_all{&sockets};
    for (int i = 0; i < 50; ++i) {
      pairs.push_back(ConnectedPair::local());
      sockets.emplace_back(loop.worker(), pairs.back().ours.release());
    }
    for (Socket& socket : sockets) {
      const IoCompletion close{&CloseAll::run, &close_all, 0};
      is_deferred ? socket.wait_writable(close) : socket.wait_readable(close);
    }
    for (ConnectedPair& pair : pairs) {
      pair.peer.send("x");
    }
    loop.run_until([&] { return close_all.times > 0; });
    loop.run_ready();
    CHECK(close_all.times == 1);
    for (ConnectedPair& pair : pairs) {
      CHECK(pair.peer.pump().gone());
    }
  }
}

TEST_CASE("socket: an exception of one completion does not lose the others' events") {
  const tests::RecordedLog log;
  TestLoop loop;
  std::vector<ConnectedPair> pairs;
  std::vector<Socket> sockets;
  int told = 0;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(ConnectedPair::local());
    sockets.emplace_back(loop.worker(), pairs.back().ours.release());
    const auto tell = [](void* count, std::uint64_t tag, std::error_code, std::size_t) {
      ++*static_cast<int*>(count);
      if (tag % 2 == 0) {
        throw std::runtime_error("on purpose");
      }
    };
    sockets.back().wait_readable({tell, &told, static_cast<std::uint64_t>(i)});
    pairs.back().peer.send("x");
  }
  loop.run_until([&] { return told == 20; });
  CHECK(log.count(LogLevel::error, "on purpose") == 10);
}

TEST_CASE("socket: a stop of the Worker ends the loop after the completion that it is in") {
  TestLoop loop;
  std::vector<ConnectedPair> pairs;
  std::vector<Socket> sockets;
  struct Stopper {
    Worker* worker;
    int told = 0;
  } stopper{&loop.worker()};
  for (int i = 0; i < 10; ++i) {
    pairs.push_back(ConnectedPair::local());
    sockets.emplace_back(loop.worker(), pairs.back().ours.release());
    const auto stop = [](void* context, std::uint64_t, std::error_code, std::size_t) {
      auto* self = static_cast<Stopper*>(context);
      ++self->told;
      self->worker->stop();
    };
    sockets.back().wait_readable({stop, &stopper, 0});
    pairs.back().peer.send("x");
  }
  for (int told = 1; told <= 10; ++told) {
    loop.worker().io_context().restart();
    loop.worker().run();
    CHECK(stopper.told == told);
  }
}

}  // namespace
}  // namespace stadion::net
