// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"
#include "http/handler.hpp"
#include "http/metrics.hpp"
#include "http/middleware.hpp"
#include "http/router.hpp"
#include "http/routes.hpp"
#include "http/server_options.hpp"
#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"

namespace stadion::http {

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
class Server : public Routes {
 public:
  explicit Server(const ServerOptions& options = {});
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Makes the server's error responses; see ErrorHandler. Before start().
  Server& on_error(ErrorHandler handler);
  /// Is told of every exchange; see AccessLog. Before start().
  Server& access_log(AccessLog log);
  const Router& router() const noexcept;

  /// Opens a listening socket: "HOST:PORT", "[IPv6]:PORT" or "unix:/PATH"; port 0 has the system
  /// choose one. Clients may connect from here on; they are served after start(). Before start(),
  /// as often as one likes.
  net::Endpoint listen(std::string_view endpoint);
  /// Takes listening sockets that are there already, all of one address: those that systemd opened
  /// (net::inherited_listening_sockets()), or duplicates of another server's that this one is to follow.
  /// Each Worker gets one of them, or a duplicate. Before start(); throws std::invalid_argument for none.
  net::Endpoint listen(std::vector<net::ListeningSocket> sockets);
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
  explicit Server(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace stadion::http
