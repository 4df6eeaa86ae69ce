// SPDX-License-Identifier: MIT
#include <stadion/http/server.hpp>

int main() {
  stadion::http::Server server;
  server.get("/", [](const stadion::http::Request&, stadion::http::Response& response) {
    response.text("hello\n");
  });
  server.start();
  server.stop();
}
