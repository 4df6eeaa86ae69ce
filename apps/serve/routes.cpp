// SPDX-License-Identifier: MIT
#include "apps/serve/routes.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

#include "apps/serve/home_page.hpp"
#include "http/compression.hpp"
#include "http/date.hpp"
#include "http/decoded_body.hpp"
#include "http/event_stream.hpp"
#include "http/form.hpp"
#include "http/metrics.hpp"
#include "http/multipart_reader.hpp"
#include "http/ready_middleware.hpp"
#include "http/static_files.hpp"

namespace stadion::serve {
namespace {

using http::BodyWriter;
using http::Exchange;
using http::Request;
using http::Response;

constexpr int kStreamLines = 10;
constexpr std::uint64_t kDownloadMebibytesMax = 16 * 1024;
constexpr std::size_t kUploadBytesMax = std::size_t{16} * 1024 * 1024 * 1024;

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

/// Takes whatever is sent, in bounded memory, and tells how much it was.
Task<> upload(Exchange& exchange) {
  std::uint64_t bytes = 0;
  for (;;) {
    const std::string_view piece = co_await exchange.read_body();
    if (piece.empty()) {
      break;
    }
    bytes += piece.size();
  }
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%llu bytes\n", static_cast<unsigned long long>(bytes));
  exchange.response().text({text, static_cast<std::size_t>(size)});
}

/// Reads a form, coded or not, or a multipart one, and tells how much is in it.
Task<> form(Exchange& exchange) {
  std::size_t fields = 0;
  std::uint64_t bytes = 0;
  const auto content_type = exchange.request().header("Content-Type").value_or("");
  if (http::equals_ignoring_case(content_type.substr(0, 10), "multipart/")) {
    http::MultipartReader parts(exchange);
    while (co_await parts.next() != nullptr) {
      ++fields;
      for (std::string_view piece; !(piece = co_await parts.read()).empty();) {
        bytes += piece.size();
      }
    }
  } else {
    http::DecodedBody body(exchange);
    const http::Form form = http::parse_form(co_await body.read_all(), exchange.arena());
    if (form.error()) {
      throw http::HttpError(http::Status::bad_request,
                            std::string(http::describe(form.error()->kind)));
    }
    for (const http::FormField& field : form) {
      ++fields;
      bytes += field.value.size();
    }
  }
  char text[60];
  const int size = std::snprintf(text, sizeof text, "%zu fields, %llu bytes\n", fields,
                                 static_cast<unsigned long long>(bytes));
  exchange.response().text({text, static_cast<std::size_t>(size)});
}

/// So many MiB, as fast as the client takes them.
Task<> download(Exchange& exchange) {
  constexpr std::uint64_t kMebibyte = 1024 * 1024;
  static const std::string piece(64 * 1024, 's');
  const std::string_view text = exchange.request().param("mebibytes");
  std::uint64_t mebibytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mebibytes);
  if (error != std::errc() || end != text.data() + text.size() ||
      mebibytes > kDownloadMebibytesMax) {
    throw http::HttpError(http::Status::bad_request, "How many MiB? From 0 to 16384.\n");
  }
  exchange.response()
      .announce_length(mebibytes * kMebibyte)
      .header("Content-Type", "application/octet-stream");
  for (std::uint64_t left = mebibytes * kMebibyte; left > 0; left -= piece.size()) {
    co_await exchange.write(piece);
  }
}

/// The time, every second.
Task<> events(Exchange& exchange) {
  http::EventStream stream(exchange);
  for (;;) {
    const http::HttpDate date(std::time(nullptr));
    co_await stream.send({.data = date.text()});
    const bool goes_on = co_await stream.sleep(std::chrono::seconds(1));
    if (!goes_on) {
      co_return;
    }
  }
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
  if (config.compression) {
    server.use(http::compression());
  }
  if (!config.access_log.empty()) {
    server.access_log(
        [file = std::make_shared<AccessLogFile>(config.access_log, config.access_log_format)](
            const http::AccessRecord& record) { file->write(record); });
    server.use(http::request_ids());
  }
  server.get("/plaintext",
             [](const Request&, Response& response) { response.text("Hello, World!"); });
  server.get("/json", [](const Request&, Response& response) {
    response.json(R"({"message":"Hello, World!"})");
  });
  server.post("/echo", echo);
  server.get("/users/{id}", user);
  server.get("/stream", stream);
  server.get("/events", events);
  server.post("/upload", upload,
              {.body = http::BodyMode::streamed, .body_bytes_max = kUploadBytesMax});
  server.put("/upload", upload,
             {.body = http::BodyMode::streamed, .body_bytes_max = kUploadBytesMax});
  server.post("/form", form, {.body = http::BodyMode::streamed});
  server.get("/download/{mebibytes}", download);
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
