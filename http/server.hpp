// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "http/limits.hpp"
#include "http/metrics.hpp"
#include "http/router.hpp"
#include "net/endpoint.hpp"

namespace stadion::http {

struct ServerOptions {
  /// Threads that serve connections; 0 for one per processor. Default is 1.
  std::size_t workers = 1;
  /// Per Worker; further ones are closed at once. Default is 10,000.
  std::size_t connections_max = 10'000;
  /// Input and output buffer of a connection, each; from 2 KiB on. Default is 16 KiB.
  std::size_t buffer_bytes = 16 * 1024;
  Limits limits{};
  Times times{};
};

/// An HTTP/1.1 server.
///
///     Server server;
///     server.get("/", [](const Request&, Response& response) { response.text("Hello!"); });
///     server.listen("127.0.0.1:8080");
///     server.run();  // Until SIGINT or SIGTERM.
///
/// Lifetime   Handlers live as long as the server. The destructor stops at once what is still
///            running.
/// Threads    Set up (routes, listen) and run by one thread; stop() and statistics() from any.
/// Throws     std::invalid_argument for options that make no sense; std::system_error from
///            listen().
class Server {
 public:
  explicit Server(ServerOptions options = {});
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Adds a handler for a pattern such as "/users/{id}"; see Router. Before start().
  Server& route(Method method, std::string_view pattern, Handler handler);
  Server& get(std::string_view pattern, Handler handler) {
    return route(Method::get, pattern, std::move(handler));
  }
  Server& post(std::string_view pattern, Handler handler) {
    return route(Method::post, pattern, std::move(handler));
  }
  Server& put(std::string_view pattern, Handler handler) {
    return route(Method::put, pattern, std::move(handler));
  }
  Server& patch(std::string_view pattern, Handler handler) {
    return route(Method::patch, pattern, std::move(handler));
  }
  Server& del(std::string_view pattern, Handler handler) {
    return route(Method::delete_, pattern, std::move(handler));
  }
  const Router& router() const noexcept;

  /// Opens a listening socket: "HOST:PORT", "[IPv6]:PORT" or "unix:/PATH"; port 0 has the system
  /// choose one. Clients may connect from here on; they are served after start(). Before start(),
  /// as often as one likes.
  net::Endpoint listen(std::string_view endpoint);
  const std::vector<net::Endpoint>& endpoints() const noexcept;

  /// Starts the Workers; returns when they serve.
  void start();
  /// Stops accepting, lets requests in flight end (for Times::drain_max at the most), then ends the
  /// Workers. Returns at once; wait() waits. From any thread, any number of times.
  void stop();
  /// The same without letting anything end.
  void stop_now();
  /// Until the server has stopped.
  void wait();
  /// From here until wait() returns, SIGINT and SIGTERM stop the server; a second one stops it at
  /// once.
  void stop_on_signals();
  /// stop_on_signals(), start() if need be, and wait().
  void run();

  ServerStatistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stadion::http
