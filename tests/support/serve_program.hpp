// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/http_client.hpp"

namespace stadion::tests {

/// `stadion-serve` on a free port, with these further arguments.
class Serve {
 public:
  explicit Serve(std::vector<std::string> arguments = {})
      : process_(ChildProcess::program("STADION_SERVE"), with_port(std::move(arguments))) {
    const std::string line = process_.read_line().value_or("");
    constexpr std::string_view kReady = "listening on http://127.0.0.1:";
    REQUIRE_MESSAGE(line.starts_with(kReady), line);
    endpoint_ = net::Endpoint::parse(line.substr(std::string_view("listening on http://").size()));
  }

  ChildProcess& process() noexcept { return process_; }
  const net::Endpoint& endpoint() const noexcept { return endpoint_; }
  std::string url(std::string_view path) const {
    return "http://" + endpoint_.to_string() + std::string(path);
  }
  HttpClient connect() const { return HttpClient(endpoint_); }
  HttpResponse get(std::string_view target) const {
    return connect().exchange("GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n");
  }

 private:
  static std::vector<std::string> with_port(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--listen", "127.0.0.1:0"});
    return arguments;
  }

  ChildProcess process_;
  net::Endpoint endpoint_;
};

}  // namespace stadion::tests
