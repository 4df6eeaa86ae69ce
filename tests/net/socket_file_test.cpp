// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "net/socket.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/temporary_file.hpp"
#include "tests/support/test_loop.hpp"
#include "tests/support/told.hpp"

namespace stadion::net {
namespace {

using tests::ConnectedPair;
using tests::pairs_of_each_kind;
using tests::patterned_text;
using tests::Peer;
using tests::TemporaryFile;
using tests::TestLoop;
using tests::Told;

/// Sends from the file until the operation waits for room, and returns how much was sent.
std::size_t fill(TestLoop& loop, Socket& socket, const TemporaryFile& file, std::size_t bytes,
                 Told& told) {
  std::size_t sent = 0;
  for (;;) {
    const int before = told.times;
    socket.async_send_file_some(file.descriptor(), sent, bytes - sent, told.completion());
    loop.run_ready();
    if (told.times == before) {
      return sent;
    }
    REQUIRE(!told.error);
    sent += told.bytes;
    REQUIRE(sent < bytes);
  }
}

TEST_CASE("send file: sends a part of a file, and leaves the file's position alone") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    const TemporaryFile file("0123456789");
    const off_t position = ::lseek(file.descriptor(), 0, SEEK_CUR);
    Told sent;
    socket.async_send_file_some(file.descriptor(), 3, 4, sent.completion(77));
    loop.run_until([&] { return sent.times == 1; });
    CHECK(!sent.error);
    CHECK(sent.bytes == 4);
    CHECK(sent.tag == 77);
    CHECK(pair.peer.pump().received() == "3456");
    CHECK(::lseek(file.descriptor(), 0, SEEK_CUR) == position);
  }
}

TEST_CASE("send file: the completion comes from the loop, never from within the call") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  const TemporaryFile file("text");
  for (const int descriptor : {file.descriptor(), -1}) {
    CAPTURE(descriptor);
    Told sent;
    loop.call([&] {
      socket.async_send_file_some(descriptor, 0, 4, sent.completion());
      CHECK(sent.times == 0);
    });
    loop.run_until([&] { return sent.times == 1; });
  }
}

TEST_CASE("send file: nothing of a file is sent at once, and is no error, even of no file") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  const TemporaryFile empty("");
  for (const int descriptor : {empty.descriptor(), -1}) {
    CAPTURE(descriptor);
    Told sent;
    socket.async_send_file_some(descriptor, 0, 0, sent.completion());
    CHECK(sent.times == 0);
    loop.run_until([&] { return sent.times == 1; });
    CHECK(!sent.error);
    CHECK(sent.bytes == 0);
  }
  CHECK(pair.peer.pump().received().empty());
}

TEST_CASE("send file: 10 MiB arrive intact at a peer that reads slowly") {
  const std::string text = patterned_text(10 * 1024 * 1024);
  const TemporaryFile file(text);
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.receive_at_most(0);
    std::size_t sent = 0;
    std::size_t allowed = 0;
    int calls = 0;
    while (sent < text.size()) {
      Told told;
      socket.async_send_file_some(file.descriptor(), sent, text.size() - sent, told.completion());
      loop.run_until([&] {
        pair.peer.receive_at_most(allowed += 50'000);
        pair.peer.pump();
        return told.times > 0;
      });
      REQUIRE(!told.error);
      REQUIRE(told.bytes > 0);
      REQUIRE(told.bytes <= kSendFileBytesMax);
      sent += told.bytes;
      ++calls;
    }
    CHECK(calls > 5);
    pair.peer.receive_at_most(std::numeric_limits<std::size_t>::max());
    loop.run_until([&] { return pair.peer.pump().received().size() == text.size(); });
    const bool intact = pair.peer.received() == text;
    CHECK(intact);
  }
}

TEST_CASE("send file: one call sends kSendFileBytesMax at the most, whatever room there is") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::local();
  const int room = 64 * 1024 * 1024;
  if (::setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0) {
    MESSAGE("only root may make a socket's buffer so large; not tested");
    return;
  }
  Socket socket(loop.worker(), pair.ours.release());
  const TemporaryFile file(std::string(kSendFileBytesMax + 1, 'x'));
  for (const std::size_t bytes :
       {kSendFileBytesMax - 1, kSendFileBytesMax, kSendFileBytesMax + 1}) {
    CAPTURE(bytes);
    Told sent;
    socket.async_send_file_some(file.descriptor(), 0, bytes, sent.completion());
    loop.run_until([&] { return sent.times == 1; });
    CHECK(!sent.error);
    CHECK(sent.bytes == std::min(bytes, kSendFileBytesMax));
    pair.peer.pump();
  }
}

TEST_CASE("send file: a file shorter than what was to be sent is an error of its own") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  const TemporaryFile file("0123456789");
  const auto send = [&](std::uint64_t offset, std::size_t bytes) {
    Told told;
    socket.async_send_file_some(file.descriptor(), offset, bytes, told.completion());
    loop.run_until([&] { return told.times == 1; });
    return told;
  };
  // What there is is sent; that there is no more, is told by the next call.
  CHECK(send(9, 2).bytes == 1);
  for (const std::uint64_t offset : {10U, 11U, 1'000'000U}) {
    CAPTURE(offset);
    const Told told = send(offset, 1);
    CHECK(is_file_too_short(told.error));
    CHECK(!is_end_of_stream(told.error));
    CHECK(told.bytes == 0);
    CHECK(told.error.message() == "the file ends before what was to be sent of it");
  }
  CHECK(!is_file_too_short(send(9, 1).error));
  CHECK(!is_file_too_short({}));
  CHECK(!is_file_too_short(std::make_error_code(std::errc::operation_not_permitted)));
  loop.run_until([&] { return pair.peer.pump().received() == "99"; });  // The connection is sound.
}

TEST_CASE("send file: a file that is cut while its sending waits for room") {
  const std::string text = patterned_text(8 * 1024 * 1024);
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    const TemporaryFile file(text);
    pair.peer.receive_at_most(0);
    Told told;
    const std::size_t sent = fill(loop, socket, file, text.size(), told);
    const int times = told.times;
    file.resize(sent / 2);
    pair.peer.receive_at_most(text.size());
    loop.run_until([&] {
      pair.peer.pump();
      return told.times > times;
    });
    CHECK(is_file_too_short(told.error));
  }
}

TEST_CASE("send file: a file that cannot be sent is told with the system's error") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::tcp();
  Socket socket(loop.worker(), pair.ours.release());
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor pipe_out(ends[0]);
  const Descriptor pipe_in(ends[1]);
  for (const int descriptor : {-1, pipe_out.get()}) {
    CAPTURE(descriptor);
    Told sent;
    socket.async_send_file_some(descriptor, 0, 1, sent.completion());
    loop.run_until([&] { return sent.times == 1; });
    CHECK(sent.error.category() == std::system_category());
    CHECK(sent.error ==
          (descriptor < 0 ? std::errc::bad_file_descriptor : std::errc::invalid_seek));
    CHECK(sent.bytes == 0);
  }
}

int broken_pipe_signals = 0;

/// Counts SIGPIPE while it lives, and sees to it that it would be delivered.
class CountedBrokenPipes {
 public:
  CountedBrokenPipes() {
    broken_pipe_signals = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { ++broken_pipe_signals; };
    REQUIRE(::sigaction(SIGPIPE, &count, &before_) == 0);
  }
  ~CountedBrokenPipes() { ::sigaction(SIGPIPE, &before_, nullptr); }

  CountedBrokenPipes(const CountedBrokenPipes&) = delete;
  CountedBrokenPipes& operator=(const CountedBrokenPipes&) = delete;

  static bool is_pending() {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGPIPE) == 1;
  }
  static bool is_blocked() {
    sigset_t mask;
    return ::pthread_sigmask(SIG_SETMASK, nullptr, &mask) == 0 &&
           ::sigismember(&mask, SIGPIPE) == 1;
  }

 private:
  struct sigaction before_ {};
};

TEST_CASE("send file: to a peer that is gone it fails, and no SIGPIPE is raised") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::local();
  Socket socket(loop.worker(), pair.ours.release());
  pair.peer.close();
  const TemporaryFile file("to nobody");
  const CountedBrokenPipes signals;
  REQUIRE(::raise(SIGPIPE) == 0);
  REQUIRE(broken_pipe_signals == 1);
  Told sent;
  socket.async_send_file_some(file.descriptor(), 0, 9, sent.completion());
  loop.run_until([&] { return sent.times == 1; });
  CHECK(sent.error == std::errc::broken_pipe);
  CHECK(broken_pipe_signals == 1);
  CHECK(!CountedBrokenPipes::is_pending());
  CHECK(!CountedBrokenPipes::is_blocked());
}

TEST_CASE("send file: a thread that blocks SIGPIPE itself goes on blocking it") {
  TestLoop loop;
  ConnectedPair pair = ConnectedPair::local();
  Socket socket(loop.worker(), pair.ours.release());
  const TemporaryFile file("text");
  const CountedBrokenPipes signals;
  sigset_t broken_pipe;
  sigset_t before;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before) == 0);
  Told sent;
  socket.async_send_file_some(file.descriptor(), 0, 4, sent.completion());
  loop.run_until([&] { return sent.times == 1; });
  CHECK(CountedBrokenPipes::is_blocked());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("send file: a peer that goes while the sending waits for room is told") {
  const std::string text(8 * 1024 * 1024, 'x');
  const TemporaryFile file(text);
  const CountedBrokenPipes signals;
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.receive_at_most(0);
    Told told;
    (void)fill(loop, socket, file, text.size(), told);
    const int times = told.times;
    pair.peer.reset();
    loop.run_until([&] { return told.times > times; });
    const bool is_gone =
        told.error == std::errc::broken_pipe || told.error == std::errc::connection_reset;
    CHECK_MESSAGE(is_gone, told.error.message());
  }
  CHECK(broken_pipe_signals == 0);
}

TEST_CASE("send file: after close() no completion is called, and the file is left alone") {
  const std::string text(8 * 1024 * 1024, 'x');
  const TemporaryFile file(text);
  SUBCASE("of one that was sent at once") {
    TestLoop loop;
    ConnectedPair pair = ConnectedPair::local();
    Socket socket(loop.worker(), pair.ours.release());
    Told told;
    loop.call([&] {
      socket.async_send_file_some(file.descriptor(), 0, 4, told.completion());
      socket.close();
    });
    loop.run_until([&] { return pair.peer.pump().gone(); });
    CHECK(told.times == 0);
  }
  SUBCASE("of one that waits for room") {
    TestLoop loop;
    ConnectedPair pair = ConnectedPair::local();
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.receive_at_most(0);
    Told told;
    const std::size_t sent = fill(loop, socket, file, text.size(), told);
    const int times = told.times;
    socket.close();
    pair.peer.receive_at_most(text.size());
    loop.run_until([&] { return pair.peer.pump().gone(); });
    CHECK(told.times == times);
    CHECK(pair.peer.received().size() == sent);
  }
  SUBCASE("of one that waits when the Worker ends") {
    ConnectedPair pair = ConnectedPair::local();
    Told told;
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    pair.peer.receive_at_most(0);
    (void)fill(loop, socket, file, text.size(), told);
  }
  CHECK(::fcntl(file.descriptor(), F_GETFD) != -1);
}

TEST_CASE("send file: a read goes on meanwhile, and a write can follow") {
  for (ConnectedPair& pair : pairs_of_each_kind()) {
    TestLoop loop;
    Socket socket(loop.worker(), pair.ours.release());
    const TemporaryFile file("file ");
    Told read;
    Told written;
    std::array<char, 64> buffer{};
    socket.async_read_some(buffer, read.completion());
    socket.async_write_some("head ", {}, written.completion(), MoreOutput::follows);
    loop.run_until([&] { return written.times == 1; });
    socket.async_send_file_some(file.descriptor(), 0, 5, written.completion());
    loop.run_until([&] { return written.times == 2; });
    socket.async_write_some("tail", {}, written.completion());
    pair.peer.send("question");
    loop.run_until([&] { return written.times == 3 && read.times == 1; });
    loop.run_until([&] { return pair.peer.pump().received() == "head file tail"; });
    CHECK(std::string_view(buffer.data(), read.bytes) == "question");
  }
}

}  // namespace
}  // namespace stadion::net
