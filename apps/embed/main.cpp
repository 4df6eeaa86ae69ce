// SPDX-License-Identifier: MIT

// stadion-embed: a key-value store that speaks a line protocol, as the example for people who embed
// SocketPool.
//
//   SET key value → OK      GET key → the value, or NOT FOUND      DEL key → OK, or NOT FOUND
//   STATS → numbers         QUIT → BYE, and the connection is closed
//
// It uses core, net and pool alone. Lines end with LF or CRLF and are at most 4 KiB long.

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <stadion/core/arena.hpp>
#include <stadion/core/hash_table.hpp>
#include <stadion/net/listener.hpp>
#include <stadion/net/signals.hpp>
#include <stadion/net/worker.hpp>
#include <stadion/pool/socket_pool.hpp>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace stadion;
using pool::Connection;

namespace {

constexpr std::size_t kLineBytesMax = 4096;
constexpr std::size_t kBufferBytes = 2 * kLineBytesMax;
constexpr std::size_t kStoreBytesMax = 256 * 1024 * 1024;
constexpr std::size_t kConnectionsAtFirst = 64;
constexpr std::size_t kConnectionsMax = 16 * 1024;

/// Keys and values in an arena. An overwritten value stays behind as waste; when half of the arena
/// is waste, what lives is copied to a new arena and the old one disposed: bulk release instead of
/// a free() for each value.
class Store {
 public:
  const std::string_view* get(std::string_view key) { return contents_->table.find(key); }

  void set(std::string_view key, std::string_view value) {
    compact_if_wasteful();
    if (std::string_view* present = contents_->table.find(key)) {
      live_bytes_ -= present->size();
      *present = contents_->arena.copy(value);
    } else {
      contents_->table.try_emplace(contents_->arena.copy(key), contents_->arena.copy(value));
      live_bytes_ += key.size();
    }
    live_bytes_ += value.size();
  }

  bool erase(std::string_view key) {
    const std::string_view* value = get(key);
    live_bytes_ -= value != nullptr ? key.size() + value->size() : 0;
    return contents_->table.erase(key);
  }

  std::size_t size() const { return contents_->table.size(); }

 private:
  struct Contents {
    Arena arena{{.limit_bytes = kStoreBytesMax}};
    HashTable<std::string_view, std::string_view> table{arena, 64};
  };

  void compact_if_wasteful() {
    if (contents_->arena.bytes_used() < 2 * live_bytes_ + 1024 * 1024) {
      return;
    }
    auto compacted = std::make_unique<Contents>();
    contents_->table.for_each([&compacted](std::string_view key, std::string_view value) {
      compacted->table.try_emplace(compacted->arena.copy(key), compacted->arena.copy(value));
    });
    contents_ = std::move(compacted);
  }

  std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
  std::size_t live_bytes_ = 0;
};

class KeyValueService final : public pool::ConnectionHandler {
 public:
  void on_input(Connection& connection) override { serve_lines(connection); }
  void on_input_end(Connection& connection) override { serve_lines(connection); }
  void on_output_sent(Connection& connection) override { serve_lines(connection); }

 private:
  // The longest answer is a value, and that came in a line: half of the output buffer is room
  // enough for one.
  void serve_lines(Connection& connection) {
    while (!connection.is_closing() && connection.output_room().size() > kLineBytesMax) {
      const std::string_view input = connection.input().substr(0, kLineBytesMax + 1);
      const std::size_t end = input.find('\n');
      if (end != std::string_view::npos) {
        const bool crlf = end > 0 && input[end - 1] == '\r';
        connection.write(answer(connection, input.substr(0, crlf ? end - 1 : end)) + "\n");
        connection.consume(end + 1);
      } else if (input.size() > kLineBytesMax) {
        connection.write("ERROR a line is at most 4096 bytes long\n");
        connection.close_after_output();
      } else if (connection.input_ended()) {
        connection.close_after_output();
      } else {
        return;
      }
    }
  }

  std::string answer(Connection& connection, std::string_view line) {
    const std::string_view command = next_word(line);
    if (command == "QUIT") {
      connection.close_after_output();
      return "BYE";
    }
    if (command == "STATS") {
      const pool::SocketPoolStatistics pool = connection.pool().statistics();
      return "keys " + std::to_string(store_.size()) + " connections " +
             std::to_string(pool.active) + " of " + std::to_string(pool.max_connections) +
             " accepted " + std::to_string(pool.added);
    }
    const std::string_view key = next_word(line);
    if (command == "GET" && !key.empty()) {
      const std::string_view* value = store_.get(key);
      return value != nullptr ? std::string(*value) : "NOT FOUND";
    }
    if (command == "DEL" && !key.empty()) {
      return store_.erase(key) ? "OK" : "NOT FOUND";
    }
    if (command == "SET" && !key.empty()) {
      try {
        store_.set(key, line);
        return "OK";
      } catch (const ArenaFailed&) {
        return "ERROR the store is full";
      }
    }
    return "ERROR expected SET key value, GET key, DEL key, STATS or QUIT";
  }

  static std::string_view next_word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
  }

  Store store_;
};

/// Takes the connection; a full pool is made twice as large while it serves.
void accept(pool::SocketPool& pool, net::Socket socket) {
  if (pool.size() == pool.max_connections() && pool.max_connections() < kConnectionsMax) {
    pool.resize(pool.max_connections() * 2);
  }
  pool.add(std::move(socket));
}

void serve(const char* endpoint) {
  net::Worker worker("embed");
  Arena arena;
  KeyValueService service;
  pool::SocketPool pool(arena, kConnectionsAtFirst, kBufferBytes, {.idle = 60s});
  // Whoever keeps a Connection* forgets it here: the resize moves connections (a ConnectionRef
  // stays good).
  pool.set_pre_resize_callback(
      [](pool::SocketPool& resized, void*) {
        std::fprintf(stderr, "pool of %zu is full: growing\n", resized.max_connections());
      },
      nullptr);
  pool.start(worker, service);

  net::Listener listener(worker, net::Endpoint::parse(endpoint),
                         [&pool](net::Socket socket) { accept(pool, std::move(socket)); });
  net::SignalSet signals(worker, {SIGINT, SIGTERM}, [&](int) {
    listener.close();
    pool.drain(5s, [&worker] { worker.stop(); });
  });
  std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
  std::fflush(stdout);
  worker.run();
}

}  // namespace

int main(int argc, char** argv) {
  const bool usage_ok = argc == 1 || (argc == 3 && std::string_view(argv[1]) == "--listen");
  if (!usage_ok) {
    std::fprintf(stderr, "usage: stadion-embed [--listen HOST:PORT]   (default: 127.0.0.1:7000)\n");
    return 2;
  }
  try {
    serve(argc == 3 ? argv[2] : "127.0.0.1:7000");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stadion-embed: %s\n", error.what());
    return 1;
  }
}
