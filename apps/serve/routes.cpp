// SPDX-License-Identifier: MIT
#include "apps/serve/routes.hpp"

#include <cstdio>

#include "apps/serve/home_page.hpp"
#include "http/metrics.hpp"
#include "http/static_files.hpp"

namespace stadion::serve {
namespace {

using http::BodyWriter;
using http::Request;
using http::Response;

constexpr int kStreamLines = 10;

void echo(const Request& request, Response& response) {
  const std::string_view content_type =
      request.header("Content-Type").value_or("application/octet-stream");
  response.body_by_reference(request.body(), content_type);
}

void user(const Request& request, Response& response) {
  const std::string_view id = request.param("id");
  char* text = static_cast<char*>(request.arena().alloc(id.size() + 8));
  const int size =
      std::snprintf(text, id.size() + 8, "user %.*s\n", static_cast<int>(id.size()), id.data());
  response.body_by_reference({text, static_cast<std::size_t>(size)}, "text/plain; charset=utf-8");
}

void stream(const Request& /*request*/, Response& response) {
  response.stream("text/plain; charset=utf-8", [line = 1](BodyWriter& out) mutable {
    char text[32];
    const int size = std::snprintf(text, sizeof text, "line %d of %d\n", line, kStreamLines);
    out.write({text, static_cast<std::size_t>(size)});
    return ++line <= kStreamLines;
  });
}

}  // namespace

void add_routes(http::Server& server, const Config& config) {
  server.get("/plaintext",
             [](const Request&, Response& response) { response.text("Hello, World!"); });
  server.get("/json", [](const Request&, Response& response) {
    response.json(R"({"message":"Hello, World!"})");
  });
  server.post("/echo", echo);
  server.get("/users/{id}", user);
  server.get("/stream", stream);
  server.get("/health", [](const Request&, Response& response) { response.text("ok\n"); });
  server.get("/metrics", [&server](const Request&, Response& response) {
    response.bytes(http::to_prometheus(server.statistics()), http::kPrometheusContentType);
  });
  if (!config.static_directory.empty()) {
    server.get("/static/{*path}", http::static_files(config.static_directory));
  }
  server.get("/",
             [&server](const Request&, Response& response) { response.html(home_page(server)); });
}

}  // namespace stadion::serve
