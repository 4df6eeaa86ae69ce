// SPDX-License-Identifier: MIT
// A client says anything to a server, in pieces of any size, and gets the same answers whatever the
// pieces. The input's first line says how large they are, see Sizes; the rest is sent.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/service.hpp"
#include "http/shard.hpp"
#include "net/listening_socket.hpp"
#include "net/thread_pool.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/loopback.hpp"
#include "tests/fuzz/sizes.hpp"

namespace {

using namespace stadion;
using namespace stadion::http;
using stadion::tests::expect;
using stadion::tests::Loopback;
using stadion::tests::pieces_of;
using stadion::tests::Sizes;

struct Lines {
  int left = 3;
  bool operator()(BodyWriter& out) {
    out.write("line\n");
    return --left > 0;
  }
};

Task<> count_bytes(Exchange& exchange) {
  std::size_t bytes = 0;
  for (;;) {
    const std::string_view piece = co_await exchange.read_body();
    if (piece.empty()) {
      break;
    }
    bytes += piece.size();
  }
  exchange.response().text(std::to_string(bytes));
}

ServerOptions options() {
  ServerOptions options;
  options.buffer_bytes = 2048;
  options.limits.head_bytes_max = 512;
  options.limits.body_bytes_max = 300;
  options.limits.requests_per_connection_max = 20;
  return options;
}

/// One for all inputs: what one of them leaves behind, the next one meets.
class FuzzedServer {
 public:
  FuzzedServer() {
    Routes routes = service_.router.routes();
    routes.get("/", [](const Request&, Response& response) { response.text("root"); });
    routes.post("/echo",
                [](const Request& request, Response& response) { response.text(request.body()); });
    routes.get("/users/{id}", [](const Request& request, Response& response) {
      response.text(request.param("id"));
    });
    routes.get("/query", [](const Request& request, Response& response) {
      response.text(request.query("a").value_or("none"));
    });
    routes.get("/lines",
               [](const Request&, Response& response) { response.stream("text/plain", Lines()); });
    routes.post("/count", count_bytes, {.body = BodyMode::streamed});
    routes.post("/ignored", [](const Request&, Response& response) { response.text("ignored"); },
                {.body = BodyMode::streamed});
    auto socket = net::ListeningSocket::open(
        net::Endpoint::parse("unix:/tmp/stadion-fuzz-" + std::to_string(::getpid())));
    endpoint_ = socket.local_endpoint();
    loopback_.worker().post([&] { shard_.listen(std::move(socket)); });
    loopback_.run_ready();
  }

  std::string answers_to(std::string_view input, Sizes sizes) {
    net::Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    expect(::connect(client.get(), endpoint_.data(), endpoint_.size()) == 0, "the server is there");
    std::string answers = loopback_.talk(std::move(client), pieces_of(input, sizes));
    expect(shard_.connections().active == 0, "the connection is gone");
    return answers;
  }

 private:
  Loopback loopback_;
  net::ThreadPool thread_pool_;
  Service service_{options()};
  WorkerMetrics metrics_;
  Shard shard_{loopback_.worker(), thread_pool_, service_, metrics_};
  net::Endpoint endpoint_;
};

void remove_all(std::string& text, std::string_view begin, std::size_t bytes) {
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    text.erase(at, bytes);
  }
}

/// What depends on the time, and on when a body comes, left out.
std::string without_chance(std::string answers) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  remove_all(answers, "Date: ", sizeof "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" - 1);
  remove_all(answers, kContinue, kContinue.size());
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzedServer server;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) {
    return 0;
  }
  const std::string_view requests = input.substr(line_end + 1);
  const std::string whole = without_chance(server.answers_to(requests, Sizes("")));
  expect(whole.empty() || whole.starts_with("HTTP/1."), "a response has a status line");
  const std::string pieces =
      without_chance(server.answers_to(requests, Sizes(input.substr(0, line_end))));
  expect(pieces == whole, "pieces of any size are answered the same");
  return 0;
}
