// SPDX-License-Identifier: MIT

// stadion-example-two_protocols: a table that is written by lines of text on one port, with a
// SocketPool, and read by HTTP on another.
//
//     printf 'SET sea blue\nGET sea\n' | nc -N 127.0.0.1 7000
//     curl http://127.0.0.1:8080/keys/sea

#include <chrono>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stadion/http/server.hpp>
#include <stadion/net/listener.hpp>
#include <stadion/pool/socket_pool.hpp>
#include <string>

using namespace std::chrono_literals;
using namespace stadion;
using http::Exchange, http::Status, pool::Connection, std::string_view;

constexpr std::size_t kLineBytesMax = 1024;
constexpr std::size_t kKeysMax = 10'000;  // So that the table has some 10 MB at the most.

/// The table, and what understands the lines. All of it is one Worker's, and needs no mutex.
class Lines final : public pool::ConnectionHandler {
 public:
  std::optional<string_view> find(string_view key) const {
    const auto entry = table_.find(key);
    return entry == table_.end() ? std::nullopt : std::optional<string_view>(entry->second);
  }

 private:
  void on_input(Connection& connection) override { serve(connection); }
  void on_input_end(Connection& connection) override { serve(connection); }
  void on_output_sent(Connection& connection) override { serve(connection); }

  // An answer is no longer than a line. Where there is no room for one, on_output_sent() goes on: who
  // does not read his answers gets no more of them, and no buffer grows.
  void serve(Connection& connection) {
    while (!connection.is_closing() && connection.output_room().size() > kLineBytesMax) {
      const string_view input = connection.input().substr(0, kLineBytesMax);
      const std::size_t end = input.find('\n');
      if (end == string_view::npos) {
        const bool is_too_long = input.size() == kLineBytesMax;
        if (is_too_long || connection.input_ended()) connection.close_after_output();
        return;
      }
      connection.write(answer(input.substr(0, end)));
      connection.write("\n");
      connection.consume(end + 1);
    }
  }

  string_view answer(string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("GET ")) return find(line.substr(4)).value_or("NOT FOUND");
    const std::size_t space = line.find(' ', 4);
    if (!line.starts_with("SET ") || space == string_view::npos) {
      return "ERROR expected SET key value, or GET key";
    }
    const string_view key = line.substr(4, space - 4);
    if (table_.size() == kKeysMax && !find(key).has_value()) return "FULL";
    return table_.insert_or_assign(std::string(key), line.substr(space + 1)), "OK";
  }

  std::map<std::string, std::string, std::less<>> table_;
};

int main(int argc, char** argv) try {
  net::Worker worker("lines");
  Arena arena;  // Shared by the buffers of all connections for lines.
  Lines lines;
  pool::SocketPool pool(arena, 1000, 2 * kLineBytesMax, {.idle = 60s});
  pool.start(worker, lines);
  net::Listener listener(worker, net::Endpoint::parse(argc > 2 ? argv[2] : "127.0.0.1:7000"),
                         [&pool](net::Socket socket) { pool.add(std::move(socket)); });

  http::Server server({.workers = 2});  // Behind what its handlers use: so it ends before it.
  server.get("/keys/{key}", [&worker, &lines](Exchange& exchange) -> Task<> {
    // To look into the table here, on a thread of the server's, would be a race with the lines. So
    // their Worker looks, and copies to this request's arena: the value may change the next moment.
    const auto value = co_await exchange.callback<std::optional<string_view>>(
        [&](auto done) {
          const auto shared = std::make_shared<decltype(done)>(std::move(done));
          worker.post([&exchange, &lines, shared] {
            const auto found = lines.find(exchange.request().param("key"));
            (*shared)(found ? std::optional(exchange.arena().copy(*found)) : std::nullopt);
          });
        },
        [] {});
    if (!value) co_return exchange.fail(Status::not_found, "There is no such key.\n");
    exchange.response().body_by_reference(*value, "text/plain; charset=utf-8");
  });

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << "\nlistening on "
            << listener.local_endpoint().to_string() << std::endl;
  server.start();
  worker.start();
  server.wait();  // Until SIGINT or SIGTERM. Nobody is left then who might ask the other Worker.
  worker.post([&worker, &listener, &pool] {
    listener.close();
    pool.drain(5s, [&worker] { worker.stop(); });
  });
  worker.join();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-two_protocols: " << error.what() << '\n';
  return 1;
}
