// SPDX-License-Identifier: MIT

// stadion-embed: a key-value store with a line protocol, the example for people who embed
// SocketPool. Of Stadion it uses core, net and pool. SET key value, GET key, DEL key, STATS, QUIT.

#include <csignal>
#include <cstdio>
#include <exception>
#include <stadion/net/listener.hpp>
#include <stadion/net/signals.hpp>
#include <stadion/pool/socket_pool.hpp>
#include <string_view>

#include "apps/embed/key_value_service.hpp"

using namespace std::chrono_literals;
using namespace stadion;
using pool::SocketPool, std::string_view;

constexpr std::size_t kConnectionsMax = 16 * 1024;

void serve(const char* endpoint) {
  net::Worker worker("embed");
  Arena arena;
  embed::KeyValueService service;
  SocketPool pool(arena, 64, 2 * embed::kLineBytesMax, {.idle = 60s});
  // A resize moves connections: whoever keeps a Connection* forgets it here.
  pool.set_pre_resize_callback(
      [](SocketPool&, void*) { std::fputs("full: the pool grows\n", stderr); }, nullptr);
  pool.start(worker, service);
  net::Listener listener(worker, net::Endpoint::parse(endpoint), [&pool](net::Socket socket) {
    const bool is_full = pool.size() == pool.max_connections();
    if (is_full && pool.size() < kConnectionsMax) pool.resize(2 * pool.size());
    pool.add(std::move(socket));
  });
  net::SignalSet signals(worker, {SIGINT, SIGTERM}, [&](int) {
    listener.close();
    pool.drain(5s, [&worker] { worker.stop(); });
  });
  std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
  std::fflush(stdout);
  worker.run();
}

int main(int argc, char** argv) try {
  if (argc != 1 && (argc != 3 || string_view(argv[1]) != "--listen")) {
    std::fputs("usage: stadion-embed [--listen HOST:PORT]   (default 127.0.0.1:7000)\n", stderr);
    return 2;
  }
  serve(argc == 3 ? argv[2] : "127.0.0.1:7000");
} catch (const std::exception& error) {
  std::fprintf(stderr, "stadion-embed: %s\n", error.what());
  return 1;
}
