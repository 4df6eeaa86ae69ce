// SPDX-License-Identifier: MIT
// stadion-embed answers line by line, the same whatever the pieces in which lines come. The input's first
// line says how large they are, see Sizes; the rest is sent.
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apps/embed/key_value_service.hpp"
#include "net/socket.hpp"
#include "pool/socket_pool.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/loopback.hpp"
#include "tests/fuzz/sizes.hpp"

namespace {

using namespace stadion;
using stadion::tests::expect;
using stadion::tests::Loopback;
using stadion::tests::pieces_of;
using stadion::tests::Sizes;

/// With a store of its own each time.
std::string answers_to(Loopback& loopback, std::string_view input, Sizes sizes) {
  Arena arena;
  embed::KeyValueService service;
  pool::SocketPool pool(arena, 4, 2 * embed::kLineBytesMax);
  int ends[2] = {-1, -1};
  expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
         "there is a pair of sockets");
  loopback.worker().post([&] {
    pool.start(loopback.worker(), service);
    pool.add(net::Socket(loopback.worker(), ends[0]));
  });
  std::string answers = loopback.talk(net::Descriptor(ends[1]), pieces_of(input, sizes));
  expect(pool.size() == 0, "the connection is gone");
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Loopback loopback;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) {
    return 0;
  }
  const std::string_view lines = input.substr(line_end + 1);
  const std::string whole = answers_to(loopback, lines, Sizes(""));
  expect(std::count(whole.begin(), whole.end(), '\n') <=
             std::count(lines.begin(), lines.end(), '\n') + 1,
         "there is an answer to a line, and at most a fault behind them");
  expect(answers_to(loopback, lines, Sizes(input.substr(0, line_end))) == whole,
         "pieces of any size are answered the same");
  return 0;
}
