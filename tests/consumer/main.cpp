// SPDX-License-Identifier: MIT
#include <stadion/http/server.hpp>

#include "core/arena.hpp"

using stadion::http::Request;
using stadion::http::Response;

int main() {
  stadion::http::Server server;
  server.get("/", [](const Request&, Response& response) { response.text("hello\n"); });
  const bool listens = server.listen("127.0.0.1:0").port() != 0;
  server.start();
  server.stop();
  server.wait();
  return listens && users_own_arena() == 42 && stadion::Arena::debug_live_count() == 0 ? 0 : 1;
}
