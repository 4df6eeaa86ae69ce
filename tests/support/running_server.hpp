// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "http/server.hpp"
#include "net/endpoint.hpp"
#include "tests/support/http_client.hpp"

namespace stadion::tests {

/// A server for one test: listens on a free port, serves until it is destroyed.
class RunningServer {
 public:
  /// `add_routes(http::Server&)` sets it up.
  template <class AddRoutes>
  explicit RunningServer(AddRoutes&& add_routes, http::ServerOptions options = {},
                         std::string_view endpoint = "127.0.0.1:0")
      : server_(options) {
    add_routes(server_);
    server_.listen(endpoint);
    server_.start();
  }
  ~RunningServer() {
    server_.stop_now();
    server_.wait();
  }

  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  http::Server* operator->() noexcept { return &server_; }
  const net::Endpoint& endpoint() const noexcept { return server_.endpoints().front(); }
  HttpClient connect(HttpClient::Options options = {}) const {
    return HttpClient(endpoint(), options);
  }
  /// One request on a connection of its own.
  HttpResponse exchange(std::string_view request) const { return connect().exchange(request); }

 private:
  http::Server server_;
};

}  // namespace stadion::tests
