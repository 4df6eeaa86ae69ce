// SPDX-License-Identifier: MIT
#include <stadion/http/encoder.hpp>
#include <stadion/http/server.hpp>

#include <span>
#include <string_view>

#include "core/arena.hpp"

using stadion::http::ContentCoding;
using stadion::http::Request;
using stadion::http::Response;

/// Links what a static stadion::http has of the compression libraries.
bool encodes() {
  stadion::Arena arena;
  std::string_view text = "hello";
  char bytes[100];
  std::span<char> room(bytes);
  return !is_available(ContentCoding::gzip) ||
         make_encoder(ContentCoding::gzip, arena)
                 .encode(text, room, stadion::http::Flush::finish) == stadion::http::Progress::done;
}

int main() {
  stadion::http::Server server;
  server.get("/", [](const Request&, Response& response) { response.text("hello\n"); });
  const bool listens = server.listen("127.0.0.1:0").port() != 0;
  server.start();
  server.stop();
  server.wait();
  return listens && encodes() && users_own_arena() == 42 && stadion::Arena::debug_live_count() == 0
             ? 0
             : 1;
}
