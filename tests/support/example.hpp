// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/http_client.hpp"

namespace stadion::tests {

/// A program of apps/examples, listening on a free port.
class Example {
 public:
  /// `name` is "HELLO"; the arguments are those behind the address.
  explicit Example(std::string_view name, std::vector<std::string> arguments = {})
      : process_(ChildProcess::program(variable_of(name).c_str()),
                 with_address(std::move(arguments))) {
    constexpr std::string_view kReady = "listening on http://";
    const std::string line = process_.read_line().value_or("");
    REQUIRE_MESSAGE(line.starts_with(kReady), line);
    endpoint_ = net::Endpoint::parse(line.substr(kReady.size()));
  }

  static std::string variable_of(std::string_view name) {
    return "STADION_EXAMPLE_" + std::string(name);
  }
  /// Some need a library that is not everywhere.
  static bool is_built(std::string_view name) {
    return std::getenv(variable_of(name).c_str()) != nullptr;
  }

  ChildProcess& process() noexcept { return process_; }
  HttpClient connect() const { return HttpClient(endpoint_); }

  HttpResponse get(std::string_view target) const { return send("GET", target); }
  HttpResponse send(std::string_view method, std::string_view target,
                    std::string_view body = {}) const {
    return connect().exchange(request(method, target, body));
  }
  static std::string request(std::string_view method, std::string_view target,
                             std::string_view body = {}) {
    return std::string(method) + " " + std::string(target) +
           " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

  /// Whether this signal ends it in order.
  bool ends_at(int signal) {
    process_.send(signal);
    const ChildProcess::End end = process_.wait();
    return end.status == 0 && end.signal == 0;
  }

 private:
  static std::vector<std::string> with_address(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "127.0.0.1:0");
    return arguments;
  }

  ChildProcess process_;
  net::Endpoint endpoint_;
};

}  // namespace stadion::tests
