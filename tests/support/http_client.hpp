// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "http/fields.hpp"
#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "tests/support/eventually.hpp"

namespace stadion::tests {

/// A response as it came over the wire, taken apart by other code than the server's.
struct HttpResponse {
  std::string head;  ///< Status line and fields, with the empty line.
  std::string version;
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  ///< Its chunked coding taken off.
  bool is_chunked = false;
  bool is_complete = false;  ///< False when the connection ended before the response did.

  /// The first field of that name, whatever its case.
  std::optional<std::string> field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (http::equals_ignoring_case(key, name)) {
        return value;
      }
    }
    return std::nullopt;
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(),
        [name](const auto& field) { return http::equals_ignoring_case(field.first, name); }));
  }
};

/// A blocking client on a socket of its own.
///
/// Throws     std::runtime_error when something does not come within kPatience, or is no HTTP.
class HttpClient {
 public:
  struct Options {
    int receive_buffer_bytes = 0;  ///< 0 for the system's choice.
  };

  explicit HttpClient(const net::Endpoint& endpoint) : HttpClient(endpoint, Options{}) {}
  HttpClient(const net::Endpoint& endpoint, Options options)
      : socket_(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (options.receive_buffer_bytes > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes,
                   sizeof options.receive_buffer_bytes);
    }
    if (::connect(socket_.get(), endpoint.data(), endpoint.size()) != 0) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot connect to " + endpoint.to_string());
    }
    // So that the second of two small pieces does not wait for the first one's acknowledgement.
    const int no_delay = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  }

  /// False when the peer takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      wait_for(POLLOUT);
      const ssize_t sent =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno != EAGAIN && errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  /// Sends the request and reads its response. `method` tells whether a body may follow.
  HttpResponse exchange(std::string_view request) {
    send(request);
    return request.starts_with("HEAD ") ? read_head_response() : read_response();
  }

  HttpResponse read_response() { return read(true); }
  /// Of a HEAD request: no body follows, whatever the head says.
  HttpResponse read_head_response() { return read(false); }

  /// All that comes until the peer ends its side, or resets the connection.
  std::string read_until_end() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }
  /// Waits for the end; true when nothing came before it.
  bool is_at_end() { return read_until_end().empty(); }
  /// Waits until so many bytes have come; fewer, when the end came first.
  std::string read_bytes(std::size_t bytes) {
    while (received_.size() < bytes && receive()) {
    }
    return take(std::min(bytes, received_.size()));
  }
  /// Whether something came or the end did, without waiting.
  bool has_input() const {
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return !received_.empty() || ::poll(&waiting, 1, 0) > 0;
  }
  /// Whether the connection was reset, rather than ended in order.
  bool was_reset() const noexcept { return was_reset_; }

  /// Ends our side; the peer's may go on.
  void shutdown_send() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.close(); }
  /// Closes so that the peer sees a reset.
  void reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    socket_.close();
  }

 private:
  void wait_for(short events) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(kPatience).count();
    pollfd waiting{.fd = socket_.get(), .events = events, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(milliseconds)) == 0) {
      throw std::runtime_error("the server neither answers nor closes; so far came: '" +
                               received_.substr(0, 1000) + "'");
    }
  }

  bool receive() {
    if (ended_) {
      return false;
    }
    wait_for(POLLIN);
    char bytes[64 * 1024];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got > 0) {
      received_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
    was_reset_ = got < 0;
    ended_ = true;
    return false;
  }

  std::string take(std::size_t bytes) {
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return taken;
  }

  /// What comes up to the mark, and the mark; none when the end comes first.
  std::optional<std::string> take_through(std::string_view mark) {
    std::size_t from = 0;
    while (true) {
      const std::size_t at = received_.find(mark, from);
      if (at != std::string::npos) {
        return take(at + mark.size());
      }
      from = received_.size() - std::min(received_.size(), mark.size());
      if (!receive()) {
        return std::nullopt;
      }
    }
  }

  HttpResponse read(bool may_have_body) {
    HttpResponse response;
    const std::optional<std::string> head = take_through("\r\n\r\n");
    if (!head.has_value()) {
      return response;
    }
    response.head = *head;
    parse_head(response);
    if (!may_have_body || response.status < 200 || response.status == 204 ||
        response.status == 304) {
      response.is_complete = true;
    } else if (response.is_chunked) {
      read_chunks(response);
    } else if (const auto length = response.field("Content-Length")) {
      const std::size_t bytes = std::stoull(*length);
      response.body = read_bytes(bytes);
      response.is_complete = response.body.size() == bytes;
    } else {
      response.body = read_until_end();
      response.is_complete = !was_reset_;
    }
    return response;
  }

  static void parse_head(HttpResponse& response) {
    std::string_view head = response.head;
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (line.size() < 13 || !line.starts_with("HTTP/") || line[8] != ' ' || line[12] != ' ') {
      throw std::runtime_error("not a status line: '" + std::string(line) + "'");
    }
    response.version = line.substr(0, 8);
    response.status = std::stoi(std::string(line.substr(9, 3)));
    response.reason = line.substr(13);
    head.remove_prefix(line.size() + 2);
    while (head != "\r\n") {
      const std::string_view field = head.substr(0, head.find("\r\n"));
      const std::size_t colon = field.find(": ");
      if (colon == std::string_view::npos || !http::is_token(field.substr(0, colon)) ||
          !http::is_field_value(field.substr(colon + 2))) {
        throw std::runtime_error("not a header field: '" + std::string(field) + "'");
      }
      response.fields.emplace_back(field.substr(0, colon), field.substr(colon + 2));
      head.remove_prefix(field.size() + 2);
    }
    response.is_chunked = response.field("Transfer-Encoding") == "chunked";
  }

  void read_chunks(HttpResponse& response) {
    while (const std::optional<std::string> line = take_through("\r\n")) {
      const std::size_t bytes = std::stoull(*line, nullptr, 16);
      const std::string data = read_bytes(bytes);
      response.body += data;
      const std::string end = read_bytes(2);
      if (data.size() < bytes || end.size() < 2) {
        return;
      }
      if (end != "\r\n") {
        throw std::runtime_error("a chunk does not end where it says");
      }
      if (bytes == 0) {
        response.is_complete = true;
        return;
      }
    }
  }

  net::Descriptor socket_;
  std::string received_;
  bool ended_ = false;
  bool was_reset_ = false;
};

}  // namespace stadion::tests
