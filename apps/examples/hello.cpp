// SPDX-License-Identifier: MIT

// stadion-example-hello: the first program. A handler is a function of a request and a response.
//
//     curl http://127.0.0.1:8080/
//     curl 'http://127.0.0.1:8080/hello/Ada?times=3'

#include <charconv>
#include <exception>
#include <iostream>
#include <stadion/core/arena_resource.hpp>
#include <stadion/http/server.hpp>
#include <string>

using namespace stadion;
using http::Request, http::Response, http::Status, std::string_view;

constexpr int kTimesMax = 100;

/// How often to say it: from 1 to kTimesMax, or 0 for a text that is nothing of the kind.
int times_from(string_view text) {
  int times = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), times);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number && times >= 1 && times <= kTimesMax ? times : 0;
}

void hello(const Request& request, Response& response) {
  const int times = times_from(request.query("times").value_or("1"));
  if (times == 0) {
    return response.fail(Status::bad_request, "times is a number from 1 to 100.\n");
  }
  // What a handler makes goes to the request's arena, which is gone with the request. There is no
  // delete to forget, and nothing of it to keep for later: what is to stay has to be copied.
  ArenaResource memory(request.arena());
  std::pmr::string greeting(&memory);
  for (int i = 0; i < times; ++i) {
    greeting.append("Hello, ").append(request.param("name")).append("!\n");
  }
  // text() copies. body_by_reference() would not, and this string ends with the function, before the
  // response is sent.
  response.text(greeting);
}

int main(int argc, char** argv) try {
  http::Server server;
  server.get("/", [](const Request&, Response& response) { response.text("Hello, World!\n"); });
  server.get("/hello/{name}", hello);

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();  // Until SIGINT or SIGTERM, and the end of the requests in flight.
} catch (const std::exception& error) {
  std::cerr << "stadion-example-hello: " << error.what() << '\n';
  return 1;
}
