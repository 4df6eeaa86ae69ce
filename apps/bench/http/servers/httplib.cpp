// SPDX-License-Identifier: MIT
#include <httplib.h>

#include <cstdio>
#include <cstdlib>

#include "apps/bench/http/servers/arguments.hpp"
#ifdef STADION_BENCH_JSON
#include <boost/json.hpp>
#endif

int main(int argc, char** argv) {
  const auto arguments = stadion::bench::read_arguments(argc, argv, CPPHTTPLIB_VERSION);
  httplib::Server server;
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_keep_alive_timeout(600);
  server.set_tcp_nodelay(true);
  server.new_task_queue = [] { return new httplib::ThreadPool(80); };  // A thread per connection.
  server.Get("/plaintext", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("Hello, World!", "text/plain; charset=utf-8");
  });
#ifdef STADION_BENCH_JSON
  server.Get("/json", [](const httplib::Request&, httplib::Response& response) {
    const boost::json::object reply{{"message", "Hello, World!"}};
    response.set_content(boost::json::serialize(reply), "application/json");
  });
#endif
  server.Post("/discard", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("taken", "text/plain");
  });
  const std::string mebibyte(1024 * 1024, 'b');
  server.Get("/memory", [&mebibyte](const httplib::Request&, httplib::Response& response) {
    response.set_content(mebibyte, "text/plain");
  });
  server.set_mount_point("/", arguments.folder);
  return server.listen("127.0.0.1", arguments.port) ? 0 : 1;
}
