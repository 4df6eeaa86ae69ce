// SPDX-License-Identifier: MIT

// Stadion as it comes: its checks, limits and timeouts on, no middleware.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "apps/bench/http/servers/arguments.hpp"
#include "http/server.hpp"
#include "http/static_files.hpp"
#ifdef STADION_BENCH_JSON
#include "http/json.hpp"
#endif

using namespace stadion;
using http::Exchange, http::Request, http::Response;

int main(int argc, char** argv) try {
  const auto arguments = bench::read_arguments(argc, argv, STADION_BENCH_VERSION);
  http::ServerOptions options;
  options.workers = arguments.workers;
  options.connections_max = 20'000;
  http::Server server(options);
  server.get("/plaintext",
             [](const Request&, Response& response) { response.text("Hello, World!"); });
  server.get("/coroutine", [](Exchange& exchange) -> Task<> {
    exchange.response().text("Hello, World!");
    co_return;
  });
#ifdef STADION_BENCH_JSON
  server.get("/json", [](const Request& request, Response& response) {
    boost::json::object reply(http::json_storage(request.arena()));
    reply.emplace("message", "Hello, World!");
    http::answer_json(response, std::move(reply));
  });
#endif
  server.post("/discard",
              [](Exchange& exchange) -> Task<> {
                std::string_view piece;
                do {
                  piece = co_await exchange.read_body();
                } while (!piece.empty());
                exchange.response().text("taken");
              },
              {.body = http::BodyMode::streamed});
  const std::string mebibyte(1024 * 1024, 'b');
  server.get("/memory", [&mebibyte](const Request&, Response& response) {
    response.body_by_reference(mebibyte, "text/plain");
  });
  server.get("/{*path}", http::static_files(arguments.folder));

  server.stop_on_signals();
  server.listen("127.0.0.1:" + std::to_string(arguments.port));
  server.run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
