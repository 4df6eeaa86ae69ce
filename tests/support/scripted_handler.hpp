// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/connection.hpp"

namespace stadion::tests {

/// A ConnectionHandler that does what a test says, function by function, and else what the handler
/// does by default; it remembers which of its functions were called.
class ScriptedHandler final : public pool::ConnectionHandler {
 public:
  using Function = std::function<void(pool::Connection& connection)>;

  Function open;
  Function input;
  Function input_end;
  Function output_sent;
  Function no_memory;
  Function timeout;
  Function drain;
  Function close;

  /// "open input …", in the order of the calls.
  std::string calls() const {
    std::string text;
    for (const std::string_view name : calls_) {
      text.append(text.empty() ? "" : " ").append(name);
    }
    return text;
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count(calls_.begin(), calls_.end(), name));
  }

  void on_open(pool::Connection& connection) override {
    calls_.emplace_back("open");
    if (open) {
      open(connection);
    }
  }
  void on_input(pool::Connection& connection) override {
    calls_.emplace_back("input");
    if (input) {
      input(connection);
    }
  }
  void on_input_end(pool::Connection& connection) override {
    calls_.emplace_back("input_end");
    input_end ? input_end(connection) : ConnectionHandler::on_input_end(connection);
  }
  void on_output_sent(pool::Connection& connection) override {
    calls_.emplace_back("output_sent");
    if (output_sent) {
      output_sent(connection);
    }
  }
  void on_no_memory(pool::Connection& connection) override {
    calls_.emplace_back("no_memory");
    if (no_memory) {
      no_memory(connection);
    }
  }
  void on_timeout(pool::Connection& connection) override {
    calls_.emplace_back("timeout");
    timeout ? timeout(connection) : ConnectionHandler::on_timeout(connection);
  }
  void on_drain(pool::Connection& connection) override {
    calls_.emplace_back("drain");
    drain ? drain(connection) : ConnectionHandler::on_drain(connection);
  }
  void on_close(pool::Connection& connection) noexcept override {
    calls_.emplace_back("close");
    if (close) {
      close(connection);
    }
  }

 private:
  std::vector<std::string_view> calls_;
};

}  // namespace stadion::tests
