// SPDX-License-Identifier: MIT

// Boost.Beast as its examples have it: one thread, one session object per connection, a parser and a
// response for each request.

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/version.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "apps/bench/http/servers/arguments.hpp"
#ifdef STADION_BENCH_JSON
#include <boost/json.hpp>
#endif

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::string folder;
const std::string mebibyte(1024 * 1024, 'b');

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(8 * 1024 * 1024);
    stream_.expires_after(std::chrono::minutes(10));
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) {
                         self->answer();
                       }
                     });
  }

 private:
  void answer() {
    const auto target = parser_->get().target();
    if (target == "/plaintext") {
      text("Hello, World!", "text/plain; charset=utf-8");
#ifdef STADION_BENCH_JSON
    } else if (target == "/json") {
      const boost::json::object reply{{"message", "Hello, World!"}};
      text(boost::json::serialize(reply), "application/json");
#endif
    } else if (target == "/discard") {
      text("taken", "text/plain");
    } else if (target == "/memory") {
      text(mebibyte, "text/plain");
    } else {
      file(folder + std::string(target));
    }
  }

  void text(std::string body, const char* type) {
    auto response = std::make_shared<http::response<http::string_body>>(http::status::ok, 11);
    response->set(http::field::content_type, type);
    response->body() = std::move(body);
    send(std::move(response));
  }

  void file(const std::string& path) {
    auto response = std::make_shared<http::response<http::file_body>>(http::status::ok, 11);
    beast::error_code error;
    response->body().open(path.c_str(), beast::file_mode::scan, error);
    if (!error) {
      send(std::move(response));
    }
  }

  template <class Response>
  void send(std::shared_ptr<Response> response) {
    response->set(http::field::server, "beast");
    response->keep_alive(parser_->get().keep_alive());
    response->prepare_payload();
    http::async_write(stream_, *response,
                      [self = shared_from_this(), response](beast::error_code error, std::size_t) {
                        if (!error) {
                          self->read();
                        }
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true), error);
      std::make_shared<Session>(std::move(socket))->read();
    }
    accept(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = stadion::bench::read_arguments(argc, argv, "Boost " BOOST_LIB_VERSION);
  folder = arguments.folder;
  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), arguments.port});
  accept(acceptor);
  context.run();
}
